"""The log of a sign-in names nobody."""

from __future__ import annotations

import pytest

from backend.config import Settings
from tests.fixtures.calls.api import serve
from tests.fixtures.calls.sign_in import OTHER_PASSWORD, PASSWORD, log_in, new_email, refresh, register
from tests.fixtures.telemetry.logs import events


@pytest.mark.requirement("FR-546")
def test_no_address_name_password_or_token_is_logged(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    unknown = new_email()
    with serve(settings.model_copy(update={"slow_statement_seconds": 1e-9})) as api, api.client() as client:
        anna = register(api, name="Anna Anonymous")
        log_in(client, anna.email, OTHER_PASSWORD)
        log_in(client, unknown)
        log_in(client, f"{unknown} {unknown}")
        form = {"grant_type": "password", "username": anna.email, "password": PASSWORD}
        client.post("/api/auth/token", data=form, params={"username": anna.email})
        client.post("/api/auth/token", data=form, headers={"X-Request-Id": anna.refresh_token})
        following = refresh(client, anna.refresh_token).json()["data"]
        client.post("/api/auth/register", json={"email": anna.email, "password": OTHER_PASSWORD})
        with anna.client() as signed_in:
            signed_in.put("/api/me/password", json={"current": PASSWORD, "new": OTHER_PASSWORD})

    assert events(caplog, "request")
    assert events(caplog, "slow_statement")
    tokens = (anna.refresh_token, following["refresh_token"], anna.answer["access_token"], following["access_token"])
    secrets = (anna.email, unknown, "Anonymous", PASSWORD, OTHER_PASSWORD, "argon2id", *tokens)
    assert [secret for secret in secrets if secret in caplog.text] == []
    assert [token for token in tokens if token[10:60] in caplog.text] == []
