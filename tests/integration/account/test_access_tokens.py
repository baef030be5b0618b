"""Personal access tokens: created once, shown once, listed, revoked, counted, and gone when they expire."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

import httpx
import pytest

from backend.config import Settings
from backend.models.access_token import MAX_TOKENS
from tests.fixtures.calls.access_tokens import READ, TOKENS, WRITE, listed, make_token, wanted, with_token
from tests.fixtures.calls.api import API, serve
from tests.fixtures.calls.erasure import erase
from tests.fixtures.calls.exports import export, stored_of
from tests.fixtures.calls.feed import purge
from tests.fixtures.calls.tasks import MISSING_ID, create, error_of
from tests.fixtures.postgres.database import execute
from tests.fixtures.postgres.locks import row_locked

DAY_SECONDS = 24 * 3600


@pytest.mark.requirement("FR-211")
def test_a_token_is_shown_once_and_only_its_hash_is_stored(
    client: httpx.Client, user_id: str, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    made = make_token(client, WRITE, READ, name=" Backup ", expires_in_days=7)
    token = made.pop("token")

    assert token.startswith("tk_")
    assert (made["name"], made["scopes"], made["last_used_at"]) == ("Backup", [READ, WRITE], None)
    assert listed(client) == [made]
    (row,) = stored_of(database_url, user_id)["access_tokens"]
    assert row["token_hash"] == "\\x" + sha256(token.encode()).hexdigest()
    assert token not in str(stored_of(database_url, user_id))
    assert token[3:] not in caplog.text
    sql = "SELECT extract(epoch FROM expires_at - created_at)::integer FROM access_tokens WHERE user_id = %s"
    assert execute(database_url, sql, user_id) == [(7 * DAY_SECONDS,)]


@pytest.mark.requirement("FR-211")
def test_no_two_tokens_are_alike_and_the_newest_is_listed_first(client: httpx.Client) -> None:
    made = [make_token(client, name=str(number)) for number in range(3)]

    assert len({token["token"] for token in made}) == 3
    assert [token["name"] for token in listed(client)] == ["2", "1", "0"]


@pytest.mark.requirement("FR-211")
@pytest.mark.parametrize(
    ("changed", "field", "code"),
    [
        ({"name": None}, "name", "string_type"),
        ({"name": " "}, "name", "string_too_short"),
        ({"name": "a" * 101}, "name", "string_too_long"),
        ({"name": "a\0b"}, "name", "nul_character"),
        ({"scopes": []}, "scopes", "too_short"),
        ({"scopes": ["tasks:admin"]}, "scopes.0", "enum"),
        ({"scopes": READ}, "scopes", "list_type"),
        ({"scopes": [READ, READ]}, "scopes", "repeated"),
        ({"expires_in_days": 0}, "expires_in_days", "greater_than_equal"),
        ({"expires_in_days": 366}, "expires_in_days", "less_than_equal"),
        ({"expires_in_days": "30"}, "expires_in_days", "int_type"),
        ({"expires_in_days": True}, "expires_in_days", "int_type"),
        ({"user_id": "somebody"}, "user_id", "extra_forbidden"),
        ({"token": "tk_mine"}, "token", "extra_forbidden"),
    ],
)
def test_what_makes_no_token_is_named(client: httpx.Client, changed: dict[str, object], field: str, code: str) -> None:
    error = error_of(client.post(TOKENS, json=wanted(**changed)), 422, "VALIDATION_ERROR")

    assert [(detail["field"], detail["code"]) for detail in error["details"]] == [(field, code)]
    assert listed(client) == []


@pytest.mark.requirement("FR-211")
@pytest.mark.parametrize("field", ["name", "scopes", "expires_in_days"])
def test_nothing_of_a_token_goes_without_saying(client: httpx.Client, field: str) -> None:
    body = {name: value for name, value in wanted().items() if name != field}
    error = error_of(client.post(TOKENS, json=body), 422, "VALIDATION_ERROR")

    assert [(detail["field"], detail["code"]) for detail in error["details"]] == [(field, "missing")]


@pytest.mark.requirement("FR-211")
@pytest.mark.parametrize("days", [1, 365])
def test_a_token_lives_from_a_day_to_a_year(client: httpx.Client, days: int) -> None:
    make_token(client, expires_in_days=days)


@pytest.mark.requirement("FR-211", "FR-214")
def test_a_revoked_token_is_gone_and_no_good(api: API, client: httpx.Client) -> None:
    kept, made = make_token(client), make_token(client)
    with with_token(api, made["token"]) as script:
        assert script.get("/api/tasks").status_code == 200

        assert client.delete(f"{TOKENS}/{made['id']}").status_code == 204

        error_of(script.get("/api/tasks"), 401, "UNAUTHORIZED")
    assert [token["id"] for token in listed(client)] == [kept["id"]]
    error_of(client.delete(f"{TOKENS}/{made['id']}"), 404, "NOT_FOUND")
    error_of(client.delete(f"{TOKENS}/{MISSING_ID}"), 404, "NOT_FOUND")
    with with_token(api, kept["token"]) as script:
        assert script.get("/api/tasks").status_code == 200


@pytest.mark.requirement("FR-217")
def test_a_user_has_fifty_tokens_whoever_asks_at_once(
    settings: Settings, client: httpx.Client, stranger: httpx.Client, user_id: str, database_url: str
) -> None:
    made = [make_token(client) for _ in range(MAX_TOKENS - 3)]
    at_once = 5  # none of them is finally counted before all have been sent

    large = settings.model_copy(update={"database_pool_size": 2 * at_once})
    with serve(large) as running, running.client(user_id) as crowd, ThreadPoolExecutor(at_once) as threads:
        with row_locked(database_url, user_id) as wait_for:
            asked = [threads.submit(crowd.post, TOKENS, json=wanted()) for _ in range(at_once)]
            wait_for(at_once)
        statuses = sorted(each.result().status_code for each in asked)

    assert statuses == [201] * 3 + [409] * (at_once - 3)
    error = error_of(client.post(TOKENS, json=wanted()), 409, "CONFLICT")
    assert [detail["code"] for detail in error["details"]] == ["too_many_tokens"]
    make_token(stranger)
    assert client.delete(f"{TOKENS}/{made[0]['id']}").status_code == 204
    make_token(client)
    assert len(listed(client)) == MAX_TOKENS


@pytest.mark.requirement("FR-217")
def test_an_expired_token_is_purged_after_thirty_days(
    api: API, client: httpx.Client, user_id: str, database_url: str
) -> None:
    for days in (29, 31):
        token = make_token(client, name=str(days))
        sql = "UPDATE access_tokens SET created_at = 'epoch', expires_at = now() - %s * interval '1 day' WHERE id = %s"
        execute(database_url, sql, days, token["id"])
    make_token(client, name="good")

    purged = purge(api, database_url, user_id)

    assert purged.tokens == 1
    assert [token["name"] for token in listed(client)] == ["good", "29"]


@pytest.mark.requirement("FR-217")
def test_tokens_are_exported_without_their_secrets(client: httpx.Client, user_id: str) -> None:
    made = make_token(client)
    token = made.pop("token")

    exported = export(client)

    assert exported["access_token"] == [{**made, "user_id": user_id}]
    assert sha256(token.encode()).hexdigest() not in str(exported)


@pytest.mark.requirement("FR-217", "FR-214")
def test_tokens_go_with_the_account_at_once(api: API, client: httpx.Client, user_id: str, database_url: str) -> None:
    create(client)
    with with_token(api, make_token(client)["token"]) as script:
        assert script.get("/api/me").status_code == 200

        assert erase(client).status_code == 204

        error_of(script.get("/api/me"), 401, "UNAUTHORIZED")
    assert stored_of(database_url, user_id)["access_tokens"] == []
