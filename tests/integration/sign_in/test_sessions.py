"""Stay signed in, log out, change the password: what the database keeps of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.fixtures.calls.access_tokens import WRITE, make_token, with_token
from tests.fixtures.calls.api import API
from tests.fixtures.calls.sign_in import OTHER_PASSWORD, PASSWORD, code_of, log_in, refresh, register
from tests.fixtures.postgres.database import execute
from tests.fixtures.postgres.locks import row_locked

PASSWORDS = {"current": PASSWORD, "new": OTHER_PASSWORD}
ENDED = (401, "SESSION_ENDED")


def next_of(client: httpx.Client, token: str) -> str:
    """Refresh, and return the next refresh token."""
    answer = refresh(client, token)
    assert answer.status_code == 200, answer.text
    following: str = answer.json()["data"]["refresh_token"]
    return following


def let_pass(url: str, user_id: str, time: str) -> None:
    """Make a user's sessions older."""
    execute(
        url,
        "UPDATE sessions SET rotated_at = rotated_at - %s::interval, expires_at = expires_at - %s::interval, "
        "created_at = created_at - %s::interval WHERE user_id = %s",
        *(time, time, time, user_id),
    )


@pytest.mark.requirement("FR-532")
def test_each_refresh_gives_the_next_tokens(api: API, anonymous: httpx.Client, database_url: str) -> None:
    anna = register(api)
    first = refresh(anonymous, anna.refresh_token).json()["data"]
    second = next_of(anonymous, first["refresh_token"])

    assert len({anna.refresh_token, first["refresh_token"], second}) == 3
    with api.client(Authorization=f"Bearer {first['access_token']}") as client:
        assert client.get("/api/me").json()["data"]["id"] == anna.id
    assert execute(database_url, "SELECT counter, late FROM sessions WHERE user_id = %s", anna.id) == [(2, [])]


@pytest.mark.requirement("FR-532")
def test_an_answer_that_was_lost_is_given_again(api: API, anonymous: httpx.Client, database_url: str) -> None:
    anna = register(api)
    following = next_of(anonymous, anna.refresh_token)

    assert next_of(anonymous, anna.refresh_token) == following
    for _ in range(3):
        let_pass(database_url, anna.id, "2 hours")
        assert next_of(anonymous, anna.refresh_token) == following
    assert code_of(refresh(anonymous, anna.refresh_token)) == ENDED  # the fourth time
    assert code_of(refresh(anonymous, following)) == ENDED


@pytest.mark.requirement("FR-532")
def test_a_token_from_before_ends_the_session_after_a_minute(
    api: API, anonymous: httpx.Client, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    anna = register(api)
    last = next_of(anonymous, next_of(anonymous, anna.refresh_token))

    assert code_of(refresh(anonymous, anna.refresh_token)) == ENDED  # a straggler
    last = next_of(anonymous, last)
    let_pass(database_url, anna.id, "2 minutes")
    assert code_of(refresh(anonymous, anna.refresh_token)) == ENDED
    assert code_of(refresh(anonymous, last)) == ENDED
    assert "session_ended" in caplog.text


@pytest.mark.requirement("FR-532", "FR-534")
@pytest.mark.parametrize(("time", "is_over"), [("29 days 23 hours", False), ("30 days", True)])
def test_a_session_that_was_not_refreshed_for_thirty_days_is_over(
    api: API,
    anonymous: httpx.Client,
    database_url: str,
    time: str,
    is_over: bool,  # noqa: FBT001
) -> None:
    anna = register(api)
    let_pass(database_url, anna.id, time)

    answer = refresh(anonymous, anna.refresh_token)
    assert (code_of(answer) == ENDED) if is_over else (answer.status_code == 200)


@pytest.mark.requirement("FR-532")
def test_a_restored_database_signs_nobody_out(api: API, anonymous: httpx.Client, database_url: str) -> None:
    anna = register(api)
    last = next_of(anonymous, next_of(anonymous, anna.refresh_token))
    execute(database_url, "UPDATE sessions SET counter = 0 WHERE user_id = %s", anna.id)

    next_of(anonymous, next_of(anonymous, last))


@pytest.mark.requirement("FR-533")
def test_fifty_refreshes_at_once_get_the_same_next_token(api: API, database_url: str) -> None:
    anna = register(api)

    def go(_: int) -> httpx.Response:
        with api.client() as client:
            return refresh(client, anna.refresh_token)

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(go, range(50)))

    good = [answer for answer in answers if answer.status_code == 200]
    assert good
    assert {answer.status_code for answer in answers} <= {200, 503}  # a busy machine may let some wait too long
    assert len({answer.json()["data"]["refresh_token"] for answer in good}) == 1
    assert execute(database_url, "SELECT counter FROM sessions WHERE user_id = %s", anna.id) == [(1,)]


@pytest.mark.requirement("FR-533")
def test_a_session_that_is_locked_is_busy_and_not_over(api: API, anonymous: httpx.Client, database_url: str) -> None:
    anna = register(api)
    ((session_id,),) = execute(database_url, "SELECT id::text FROM sessions WHERE user_id = %s", anna.id)
    with row_locked(database_url, session_id, "sessions"):
        answer = refresh(anonymous, anna.refresh_token)
    assert code_of(answer) == (503, "SERVICE_UNAVAILABLE")
    assert answer.headers["Retry-After"] == "1"
    next_of(anonymous, anna.refresh_token)


@pytest.mark.requirement("FR-531")
@pytest.mark.parametrize("token", ["", "x", "rt1.", "rt1." + "A" * 103, "é", "\u0000", "x" * 4096])
def test_rubbish_is_refused(anonymous: httpx.Client, token: str) -> None:
    assert code_of(refresh(anonymous, token)) == ENDED
    assert anonymous.post("/api/auth/logout", json={"refresh_token": token}).status_code == 204


@pytest.mark.requirement("FR-531")
def test_what_is_stored_is_no_token(api: API, anonymous: httpx.Client, database_url: str) -> None:
    anna = register(api)
    ((stored,),) = execute(database_url, "SELECT to_json(sessions)::text FROM sessions WHERE user_id = %s", anna.id)

    assert anna.refresh_token not in stored
    assert anna.refresh_token.removeprefix("rt1.")[:20] not in stored
    assert code_of(refresh(anonymous, anna.answer["access_token"])) == ENDED


@pytest.mark.requirement("FR-535")
def test_who_logs_out_is_out_and_other_sessions_go_on(api: API, anonymous: httpx.Client) -> None:
    anna = register(api)
    other = log_in(anonymous, anna.email).json()["data"]["refresh_token"]
    following = next_of(anonymous, anna.refresh_token)
    for _ in range(2):
        assert anonymous.post("/api/auth/logout", json={"refresh_token": following}).status_code == 204

    assert code_of(refresh(anonymous, following)) == ENDED
    assert code_of(refresh(anonymous, anna.refresh_token)) == ENDED
    next_of(anonymous, other)


@pytest.mark.requirement("FR-534")
def test_a_user_has_at_most_a_hundred_sessions(api: API, anonymous: httpx.Client, database_url: str) -> None:
    anna = register(api)
    more = "INSERT INTO sessions (user_id, id, expires_at, ended_at) "
    more += "SELECT %s, ('00000000-0000-7000-8000-' || lpad(number::text, 12, '0'))::uuid, now() + interval '1 day', "
    execute(database_url, more + "now() FROM generate_series(1, 60) AS number", anna.id)
    execute(database_url, more + "NULL FROM generate_series(101, 150) AS number", anna.id)

    assert log_in(anonymous, anna.email).status_code == 200
    count = "SELECT count(*), count(*) FILTER (WHERE ended_at IS NULL) FROM sessions WHERE user_id = %s"
    assert execute(database_url, count, anna.id) == [(100, 52)]  # ended ones went first
    next_of(anonymous, anna.refresh_token)


@pytest.mark.requirement("FR-539")
def test_a_change_of_the_password_ends_all_sessions_but_a_new_one(api: API, anonymous: httpx.Client) -> None:
    anna = register(api)
    with anna.client() as client:
        changed = client.put("/api/me/password", json=PASSWORDS)
    assert changed.status_code == 200

    assert code_of(refresh(anonymous, anna.refresh_token)) == ENDED
    next_of(anonymous, changed.json()["data"]["refresh_token"])
    assert code_of(log_in(anonymous, anna.email)) == (401, "SIGN_IN_FAILED")
    assert log_in(anonymous, anna.email, OTHER_PASSWORD).status_code == 200


@pytest.mark.requirement("FR-539")
def test_the_password_is_changed_only_by_who_knows_it(api: API, anonymous: httpx.Client) -> None:
    anna = register(api)
    with anna.client() as client:
        wrong = client.put("/api/me/password", json={**PASSWORDS, "current": OTHER_PASSWORD})
        short = client.put("/api/me/password", json={**PASSWORDS, "new": "short"})

    assert [detail["code"] for detail in wrong.json()["error"]["details"]] == ["password_wrong"]
    assert [(each["field"], each["code"]) for each in short.json()["error"]["details"]] == [("new", "password_short")]
    assert wrong.status_code == short.status_code == 422
    next_of(anonymous, anna.refresh_token)


@pytest.mark.requirement("FR-539")
def test_who_signs_in_elsewhere_has_no_password_here(client: httpx.Client) -> None:
    answer = client.put("/api/me/password", json=PASSWORDS)

    assert code_of(answer) == (404, "NOT_FOUND")
    assert "no password here" in answer.json()["detail"]


@pytest.mark.requirement("FR-541")
def test_a_personal_access_token_changes_no_password(api: API) -> None:
    anna = register(api)
    with anna.client() as client, with_token(api, make_token(client, WRITE)["token"]) as script:
        assert code_of(script.put("/api/me/password", json=PASSWORDS)) == (403, "FORBIDDEN")


@pytest.mark.requirement("FR-539")
def test_of_two_changes_of_a_password_at_once_the_second_compares_an_old_one(api: API, database_url: str) -> None:
    anna = register(api)

    def change(new: str) -> int:
        with anna.client() as client:
            return client.put("/api/me/password", json={"current": PASSWORD, "new": new}).status_code

    with ThreadPoolExecutor(2) as threads, row_locked(database_url, anna.id) as wait_for:
        changes = [threads.submit(change, new) for new in (OTHER_PASSWORD, f"{OTHER_PASSWORD}, too")]
        wait_for(2)  # both have compared the password
    assert sorted(done.result() for done in changes) == [200, 422]
