"""Register and log in with an address and a password."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import httpx
import pytest

from backend.config import Rate, Settings
from backend.identity.from_settings import sign_in_secrets_of
from backend.identity.invitations import Invitations
from backend.identity.own_issuer import is_own_user
from tests.fixtures.calls.api import API, serve
from tests.fixtures.calls.sign_in import OTHER_PASSWORD, PASSWORD, code_of, log_in, new_email, register
from tests.fixtures.calls.tasks import create, read

REGISTER, LOGIN = "/api/auth/register", "/api/auth/login"


@pytest.mark.requirement("FR-521")
def test_what_is_on_is_told_without_a_token(anonymous: httpx.Client) -> None:
    assert anonymous.get("/api/auth").json() == {
        "data": {
            "sign_in": True,
            "sign_up": True,
            "issuer": "task-api/sign-in",
            "password": {"min": 8, "max": 1024},
        }
    }


@pytest.mark.requirement("FR-522", "FR-529")
def test_who_registers_is_signed_in_and_has_tasks_of_their_own(api: API) -> None:
    anna, ben = register(api, name="Anna"), register(api)

    assert anna.answer["user"] == {"id": anna.id, "email": anna.email, "name": "Anna"}
    assert ben.answer["user"]["name"] is None
    assert is_own_user(anna.id)
    assert (anna.answer["token_type"], anna.answer["expires_in"]) == ("bearer", 900)
    with anna.client() as hers, ben.client() as his:
        task = create(hers, "Buy milk")
        assert read(hers, task)["user_id"] == anna.id == hers.get("/api/me").json()["data"]["id"]
        assert his.get(f"/api/tasks/{task['id']}").status_code == 404


@pytest.mark.requirement("FR-523")
def test_registering_again_is_logging_in_with_the_right_password_only(api: API, anonymous: httpx.Client) -> None:
    anna = register(api, name="Anna")
    again = anonymous.post(REGISTER, json={"email": anna.email.upper(), "password": PASSWORD, "name": "Another"})
    wrong = anonymous.post(REGISTER, json={"email": anna.email, "password": OTHER_PASSWORD})

    assert again.status_code == 200
    assert again.json()["data"]["user"] == anna.answer["user"]
    assert code_of(wrong) == (409, "EMAIL_TAKEN")


@pytest.mark.requirement("FR-523")
def test_of_registrations_at_once_one_makes_the_account(api: API) -> None:
    email = new_email()

    def go(_: int) -> httpx.Response:
        with api.client() as client:
            return client.post(REGISTER, json={"email": email, "password": PASSWORD})

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(go, range(6)))

    answers.append(go(6))
    statuses = [answer.status_code for answer in answers]
    assert statuses.count(201) == 1
    assert {*statuses} <= {200, 201, 503}  # on a busy machine, a hash may have to wait too long
    assert len({answer.json()["data"]["user"]["id"] for answer in answers if answer.status_code != 503}) == 1


@pytest.mark.requirement("FR-524")
def test_a_login_is_answered_with_user_and_tokens(api: API, anonymous: httpx.Client) -> None:
    anna = register(api, name="Anna")
    answer = log_in(anonymous, anna.email)

    assert answer.status_code == 200
    assert answer.json()["data"]["user"] == anna.answer["user"]
    assert answer.json()["data"].keys() == anna.answer.keys()


@pytest.mark.requirement("FR-524")
def test_an_unknown_address_and_a_wrong_password_get_the_same_answer(api: API, anonymous: httpx.Client) -> None:
    anna = register(api)
    answers = [log_in(anonymous, anna.email, OTHER_PASSWORD), log_in(anonymous, new_email(), OTHER_PASSWORD)]

    assert {code_of(answer) for answer in answers} == {(401, "SIGN_IN_FAILED")}
    assert len({answer.json()["detail"] for answer in answers}) == 1
    assert answers[0].headers.keys() == answers[1].headers.keys()


@pytest.mark.requirement("FR-525")
def test_an_address_is_found_whatever_its_case_and_composition(api: API, anonymous: httpx.Client) -> None:
    local = new_email().partition("@")[0]
    anna = register(api, f"  Ann\u0065\u0301{local}@Example.com ")

    assert anna.answer["user"]["email"] == f"Ann\u00e9{local}@Example.com"
    assert log_in(anonymous, f"ANN\u00c9{local.upper()}@EXAMPLE.COM").status_code == 200
    assert log_in(anonymous, f"anne{local}@example.com").status_code == 401


@pytest.mark.requirement("FR-525", "FR-528")
@pytest.mark.parametrize(
    ("email", "code"),
    [
        *((email, "email_format") for email in ("", "anna", "@example.com", "anna@", "a b@c", "a@b@c", "a\0@b.c")),
        ("a" * 251 + "@b.c", "email_format"),
        ("a" * 5000 + "@b.c", "string_too_long"),
        (7, "string_type"),
    ],
)
def test_what_is_no_address_is_refused(anonymous: httpx.Client, email: object, code: str) -> None:
    for path in (REGISTER, LOGIN):
        answer = anonymous.post(path, json={"email": email, "password": PASSWORD})
        assert answer.status_code == 422
        assert [detail["code"] for detail in answer.json()["error"]["details"]] == [code]


@pytest.mark.requirement("FR-528")
@pytest.mark.parametrize(
    "body",
    [
        rb'{"email": "a@b.c", "password": "seven\u0000green bottles"}',
        rb'{"email": "a@b.c", "password": "seven\ud800green bottles"}',
        rb'{"email": "a@b.c", "password": "seven green bottles", "user_id": "alice"}',
        rb'{"email": "a@b.c", "password": null}',
        rb'{"email": "a@b.c"}',
        rb"[]",
        rb"",
    ],
)
def test_what_a_body_may_not_have_is_refused(anonymous: httpx.Client, body: bytes) -> None:
    for path in (REGISTER, LOGIN):
        answer = anonymous.post(path, content=body, headers={"Content-Type": "application/json"})
        assert code_of(answer) == (422, "VALIDATION_ERROR")


@pytest.mark.requirement("FR-528")
@pytest.mark.parametrize("value", [None, True, 1, 1.5, [], {}, ["a@b.c"], "\x00", "a" * 5000])
def test_no_field_takes_what_is_no_such_text(client: httpx.Client, value: object) -> None:
    bodies = {
        REGISTER: {"email": new_email(), "password": PASSWORD, "name": "Anna", "invitation": "x"},
        LOGIN: {"email": new_email(), "password": PASSWORD},
        "/api/auth/refresh": {"refresh_token": "x"},
        "/api/auth/logout": {"refresh_token": "x"},
        "/api/me/password": {"current": PASSWORD, "new": OTHER_PASSWORD},
    }
    may_be_missing = {"name", "invitation"}
    takes_any_text = {"refresh_token", "invitation"}
    for path, body in bodies.items():
        for name in body:
            is_fine = (value is None and name in may_be_missing) or (value == "\x00" and name in takes_any_text)
            answer = client.request("PUT" if path.endswith("password") else "POST", path, json={**body, name: value})
            assert answer.status_code < 500
            assert is_fine or code_of(answer) == (422, "VALIDATION_ERROR"), (path, name)


@pytest.mark.requirement("FR-528")
def test_a_large_body_is_refused_by_its_length(anonymous: httpx.Client) -> None:
    for path in (REGISTER, LOGIN, "/api/auth/refresh", "/api/auth/logout"):
        answer = anonymous.post(path, json={"email": "a@b.c", "password": "x" * 8192})
        assert code_of(answer) == (413, "PAYLOAD_TOO_LARGE")


@pytest.mark.requirement("FR-522")
def test_a_password_that_nobody_should_choose_is_refused(anonymous: httpx.Client) -> None:
    found = {}
    for password in ("short", "password1", "x" * 1025):
        answer = anonymous.post(REGISTER, json={"email": new_email(), "password": password})
        assert answer.status_code == 422
        found[password[:9]] = answer.json()["error"]["details"][0]["code"]

    assert found == {"short": "password_short", "password1": "password_common", "x" * 9: "password_long"}


@pytest.mark.requirement("FR-526")
def test_where_registering_is_closed_only_whoever_is_invited_registers(settings: Settings) -> None:
    secrets = sign_in_secrets_of(settings)
    assert secrets is not None
    email = new_email()
    invitation = Invitations(secrets).new(email, datetime.now(UTC), days=1)
    with serve(settings.model_copy(update={"sign_up": False})) as api, api.client() as client:
        body = {"email": email, "password": PASSWORD}
        assert client.get("/api/auth").json()["data"]["sign_up"] is False
        assert code_of(client.post(REGISTER, json=body)) == (403, "SIGN_UP_CLOSED")
        other = {**body, "email": new_email(), "invitation": invitation}
        assert code_of(client.post(REGISTER, json=other)) == (403, "SIGN_UP_CLOSED")
        assert client.post(REGISTER, json={**body, "invitation": invitation}).status_code == 201
        assert client.post(REGISTER, json={**body, "invitation": invitation}).status_code == 200
        again = {**body, "password": OTHER_PASSWORD, "invitation": invitation}
        assert code_of(client.post(REGISTER, json=again)) == (409, "EMAIL_TAKEN")


@pytest.mark.requirement("FR-527")
def test_a_network_registers_only_so_often(settings: Settings) -> None:
    with serve(settings.model_copy(update={"rate_limit_sign_up": "2/day"})) as api, api.client() as client:
        first = {"email": new_email(), "password": PASSWORD}
        assert client.post(REGISTER, json=first).status_code == 201
        assert client.post(REGISTER, json=first).status_code == 200  # not counted
        assert client.post(REGISTER, json={**first, "email": "x"}).status_code == 422  # nor is this
        assert code_of(client.post(REGISTER, json={**first, "password": OTHER_PASSWORD})) == (409, "EMAIL_TAKEN")
        refused = client.post(REGISTER, json={"email": new_email(), "password": PASSWORD})
        assert code_of(refused) == (429, "RATE_LIMITED")
        assert int(refused.headers["Retry-After"]) > 1
        assert log_in(client, first["email"]).status_code == 200


@pytest.mark.requirement("FR-527")
def test_without_rate_limits_a_network_registers_as_often_as_it_likes(settings: Settings) -> None:
    free = {"rate_limit_sign_up": "1/day", "rate_limit_enabled": False}
    first, second = ({"email": new_email(), "password": PASSWORD} for _ in range(2))
    # The contract has headers about limits, which are off here.
    with serve(settings.model_copy(update=free)) as api, httpx.Client(base_url=api.base_url, trust_env=False) as client:
        assert [client.post(REGISTER, json=body).status_code for body in (first, second, first)] == [201, 201, 200]


@pytest.mark.requirement("FR-523", "FR-527")
def test_who_finds_the_hash_thread_busy_has_used_up_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.rate_limits.sign_in_failures.FROM_A_NETWORK_FOR_AN_ADDRESS", Rate(1, 900))
    with serve(settings.model_copy(update={"rate_limit_sign_up": "2/day"})) as api, api.client() as client:
        anna, new = register(api), {"email": new_email(), "password": PASSWORD}
        with monkeypatch.context() as busy:
            busy.setattr("backend.identity.passwords.MAX_WAITING", 0)
            for answer in (log_in(client, anna.email), client.post(REGISTER, json=new)):
                assert code_of(answer) == (503, "SERVICE_UNAVAILABLE")
                assert int(answer.headers["Retry-After"]) <= 2
        assert log_in(client, anna.email).status_code == 200
        assert client.post(REGISTER, json=new).status_code == 201


@pytest.mark.requirement("FR-523", "FR-524")
def test_wrong_passwords_are_counted_for_logins_and_registrations_together(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.rate_limits.sign_in_failures.FROM_A_NETWORK_FOR_AN_ADDRESS", Rate(2, 900))
    with serve(settings) as api, api.client() as client:
        anna = register(api)
        assert log_in(client, anna.email, OTHER_PASSWORD).status_code == 401
        assert log_in(client, anna.email).status_code == 200  # not counted
        wrong = {"email": anna.email, "password": OTHER_PASSWORD}
        assert client.post(REGISTER, json=wrong).status_code == 409
        assert code_of(client.post(LOGIN, json=wrong)) == (429, "RATE_LIMITED")


@pytest.mark.requirement("FR-520")
def test_without_the_sign_in_its_calls_say_so(settings: Settings, user_id: str) -> None:
    with serve(settings.model_copy(update={"sign_in": False})) as api, api.client() as client:
        assert client.get("/api/auth").json()["data"] == {
            "sign_in": False,
            "sign_up": False,
            "issuer": None,
            "password": None,
        }
        for path in (REGISTER, LOGIN):
            assert code_of(client.post(path, json={"email": "a@b.c", "password": PASSWORD})) == (404, "NOT_FOUND")
        for path in ("refresh", "logout"):
            answer = client.post(f"/api/auth/{path}", json={"refresh_token": "x"})
            assert "There is no sign-in here" in answer.json()["detail"]
        with api.client(user_id) as own:
            passwords = {"current": PASSWORD, "new": OTHER_PASSWORD}
            assert code_of(own.put("/api/me/password", json=passwords)) == (404, "NOT_FOUND")
