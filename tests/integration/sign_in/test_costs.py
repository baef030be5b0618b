"""What a sign-in costs the database, and that nothing is held while a password is hashed."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from backend.config import Settings
from backend.identity.passwords import Passwords, Verification
from tests.fixtures.calls.api import API, serve
from tests.fixtures.calls.sign_in import OTHER_PASSWORD, PASSWORD, log_in, new_email, refresh, register
from tests.fixtures.postgres.proxy import Proxy

pytestmark = pytest.mark.requirement("FR-545")


def test_each_call_takes_this_many_round_trips(proxied: API, proxy: Proxy) -> None:
    anna = register(proxied)
    body = {"email": new_email(), "password": PASSWORD}
    with proxied.client() as client, anna.client() as signed_in:

        def cost(response: httpx.Response, status: int, before: int) -> int:
            assert response.status_code == status, response.text
            return proxy.round_trips - before

        log_in(client, anna.email)  # opens connections, and prepares
        token = refresh(client, anna.refresh_token).json()["data"]["refresh_token"]
        start = proxy.round_trips
        assert cost(client.post("/api/auth/register", json=body), 201, start) == 2
        start = proxy.round_trips
        assert cost(client.post("/api/auth/register", json=body), 200, start) == 2
        start = proxy.round_trips
        assert cost(log_in(client, anna.email), 200, start) == 2
        start = proxy.round_trips
        assert cost(log_in(client, anna.email, OTHER_PASSWORD), 401, start) == 1
        start = proxy.round_trips
        assert cost(log_in(client, new_email()), 401, start) == 1
        start = proxy.round_trips
        assert cost(refresh(client, token), 200, start) == 2
        start = proxy.round_trips
        assert cost(refresh(client, token), 200, start) == 2  # a repeated one
        start = proxy.round_trips
        assert cost(refresh(client, "rt1.rubbish"), 401, start) == 0
        start = proxy.round_trips
        assert cost(client.get("/api/auth"), 200, start) == 0
        start = proxy.round_trips
        passwords = {"current": PASSWORD, "new": OTHER_PASSWORD}
        assert cost(signed_in.put("/api/me/password", json=passwords), 200, start) == 2
        start = proxy.round_trips
        assert cost(client.post("/api/auth/logout", json={"refresh_token": token}), 204, start) == 1


class _Measured(Passwords):
    """Notes how many connections are in use while it hashes."""

    used: list[int]
    api: API

    async def verified(self, password: str, stored: str | None) -> Verification:
        """Compare a password, and note what is in use meanwhile."""
        comparing = asyncio.ensure_future(super().verified(password, stored))
        while not comparing.done():
            self.used.append(self.api.app.state.sessions.engine.pool.checkedout())
            await asyncio.sleep(0)
        return await comparing


def test_no_connection_is_held_while_a_password_is_hashed(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.api.main.Passwords", _Measured)
    monkeypatch.setattr("backend.api.main.SYNC_SECONDS", 3600)
    with serve(settings) as api, api.client() as client:
        anna = register(api)
        assert api.app.state.sign_in is not None
        measured = api.app.state.sign_in.passwords
        assert isinstance(measured, _Measured)
        measured.used, measured.api = [], api
        assert log_in(client, anna.email).status_code == 200

    assert measured.used
    assert set(measured.used) == {0}
