"""OAuth 2's token request: a form in, and what RFC 6749 says out."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from backend.config import Rate, Settings
from tests.fixtures.calls.api import API, serve
from tests.fixtures.calls.sign_in import OTHER_PASSWORD, PASSWORD, Member, register

pytestmark = pytest.mark.requirement("FR-537")

TOKEN = "/api/auth/token"  # noqa: S105 - an address
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
PRINTABLE = set(map(chr, range(0x20, 0x7F))) - set('"\\')


def password_grant(member: Member, password: str = PASSWORD, **more: str) -> dict[str, str]:
    """Return the form of the password grant."""
    return {"grant_type": "password", "username": member.email, "password": password, **more}


def refused(response: httpx.Response, error: str, status: int = 400) -> dict[str, Any]:
    """Check that a request is refused as section 5.2 says; returns the body."""
    body: dict[str, Any] = response.json()
    assert (response.status_code, body["error"]) == (status, error), body
    assert body.keys() == {"error", "error_description", "detail", "request_id"}
    assert body["detail"] == body["error_description"]
    assert set(body["error_description"]) <= PRINTABLE
    assert response.headers["Cache-Control"] == "no-store"
    return body


def test_a_password_gets_tokens_without_an_envelope(api: API, anonymous: httpx.Client) -> None:
    anna = register(api)
    answer = anonymous.post(TOKEN, data=password_grant(anna))

    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    body = answer.json()
    assert body.keys() == {"access_token", "token_type", "expires_in", "refresh_token"}
    assert (body["token_type"], body["expires_in"]) == ("bearer", 900)
    with api.client(Authorization=f"Bearer {body['access_token']}") as client:
        assert client.get("/api/me").json()["data"]["id"] == anna.id


def test_a_refresh_token_gets_the_next(api: API, anonymous: httpx.Client) -> None:
    first = anonymous.post(TOKEN, data=password_grant(register(api))).json()
    form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    second = anonymous.post(TOKEN, data=form)

    assert second.status_code == 200
    assert second.json()["refresh_token"] != first["refresh_token"]
    assert anonymous.post(TOKEN, data=form).json()["refresh_token"] == second.json()["refresh_token"]


@pytest.mark.parametrize("authorization", ["Basic Og==", "Basic YTpi", "Bearer nonsense", "Bearer undefined"])
def test_authorization_is_ignored(api: API, anonymous: httpx.Client, authorization: str) -> None:
    form = password_grant(register(api), client_id="of an app", client_secret="x")  # noqa: S106
    answer = anonymous.post(TOKEN, data=form, headers={"Authorization": authorization})

    assert answer.status_code == 200


def test_what_is_wrong_has_the_codes_of_the_standard(api: API, anonymous: httpx.Client) -> None:
    anna = register(api)
    good = password_grant(anna)
    for form, error in [
        (password_grant(anna, OTHER_PASSWORD), "invalid_grant"),
        ({**good, "username": f"x{anna.email}"}, "invalid_grant"),
        ({"grant_type": "refresh_token", "refresh_token": "rubbish"}, "invalid_grant"),
        ({**good, "username": "anna"}, "invalid_request"),
        ({**good, "password": "a\0b"}, "invalid_request"),
        ({**good, "password": ""}, "invalid_request"),
        ({"grant_type": "password", "username": anna.email}, "invalid_request"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
        ({"username": anna.email, "password": PASSWORD}, "invalid_request"),
        ({**good, "grant_type": "authorization_code"}, "unsupported_grant_type"),
        ({**good, "scope": "tasks:read"}, "invalid_scope"),
    ]:
        refused(anonymous.post(TOKEN, data=form), error)
    assert anonymous.post(TOKEN, data={**good, "scope": ""}).status_code == 200


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"{}", "application/json"),
        (b"grant_type=password", ""),
        (b"grant_type=password&grant_type=password", FORM["Content-Type"]),
        (b"grant_type=password&username=%ff", FORM["Content-Type"]),
        (b"grant_type=password\xff", FORM["Content-Type"]),
        (b"&".join(b"a%d=1" % number for number in range(50)), FORM["Content-Type"]),
        (b"", FORM["Content-Type"]),
    ],
)
def test_what_is_no_such_form_is_an_invalid_request(anonymous: httpx.Client, body: bytes, kind: str) -> None:
    refused(anonymous.post(TOKEN, content=body, headers={"Content-Type": kind}), "invalid_request")


def test_refusals_of_other_layers_have_the_same_form(anonymous: httpx.Client, settings: Settings) -> None:
    refused(anonymous.post(TOKEN, content=b"x" * 9000, headers=FORM), "invalid_request", 413)
    refused(anonymous.post(TOKEN, params={"a": "b"}, data={"grant_type": "password"}), "invalid_request")
    refused(anonymous.get(TOKEN), "invalid_request", 405)
    with serve(settings.model_copy(update={"sign_in": False})) as without, without.client() as client:
        refused(client.post(TOKEN, data={"grant_type": "password"}), "invalid_request", 404)
    with serve(settings.model_copy(update={"rate_limit_anonymous": "1/day"})) as hasty, hasty.client() as client:
        client.get("/api/auth")
        answer = client.post(TOKEN, data={"grant_type": "password"})
        refused(answer, "temporarily_unavailable", 429)
        assert int(answer.headers["Retry-After"]) > 0


def test_wrong_passwords_are_counted_here_too(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.rate_limits.sign_in_failures.FROM_A_NETWORK_FOR_AN_ADDRESS", Rate(2, 900))
    with serve(settings) as api, api.client() as client:
        anna = register(api)
        for _ in range(2):
            refused(client.post(TOKEN, data=password_grant(anna, OTHER_PASSWORD)), "invalid_grant")
        refused(client.post(TOKEN, data=password_grant(anna)), "temporarily_unavailable", 429)


def test_a_defect_is_told_in_the_same_form(api: API, anonymous: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    anna = register(api)
    monkeypatch.setattr("backend.services.sign_in.service.email_key", lambda _: 1 / 0)

    refused(anonymous.post(TOKEN, data=password_grant(anna)), "server_error", 500)
