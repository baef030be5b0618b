"""A real Better Auth server with default settings: its users can use the service with the three documented settings."""

from __future__ import annotations

import json
import math
import time
from base64 import urlsafe_b64decode
from pathlib import Path

import httpx
import pytest

from backend.config import Settings
from tests.fixtures.calls.api import API
from tests.fixtures.calls.tasks import create, error_of, path_of, read, task_of
from tests.fixtures.identity.doors import passed, refused
from tests.fixtures.node.better_auth import SHORT_SECONDS, BetterAuth, SignedUp, Start, needs_better_auth
from tests.fixtures.processes.process import environment, served
from tests.fixtures.running.waiting import PATIENCE_SECONDS

pytestmark = [pytest.mark.requirement("FR-204"), needs_better_auth]


def client_of(api: API, user: SignedUp) -> httpx.Client:
    return api.client(Authorization=f"Bearer {user.token()}")


def key_of(token: str) -> str:
    """Return the id of the key that signed a token."""
    return str(part_of(token, 0)["kid"])


def part_of(token: str, position: int) -> dict[str, object]:
    part = token.split(".")[position]
    content: dict[str, object] = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return content


def test_its_users_keep_their_tasks_and_do_not_see_each_others(identity: BetterAuth, start: Start) -> None:
    api = start(identity)
    ann, ben = identity.sign_up(), identity.sign_up()

    with client_of(api, ann) as hers, client_of(api, ben) as his:
        assert hers.get("/api/me").json()["data"]["id"] == ann.id
        task = create(hers, "Buy milk")
        edited = task_of(
            hers.put(path_of(task), json={"title": "Buy two"}, headers={"If-Match": f'"{task["revision"]}"'})
        )
        assert [kept["id"] for kept in hers.get("/api/tasks").json()["data"]] == [task["id"]]

        assert his.get("/api/me").json()["data"]["id"] == ben.id != ann.id
        assert his.get("/api/tasks").json()["data"] == []
        error_of(his.get(path_of(task)), 404, "NOT_FOUND")
        error_of(his.delete(path_of(task)), 404, "NOT_FOUND")
        assert read(hers, task) == edited


def test_the_token_beside_the_session_is_as_good_and_the_session_itself_is_not(
    identity: BetterAuth, start: Start
) -> None:
    api = start(identity)
    user = identity.sign_up()

    assert passed(api, f"Bearer {user.token()}") == user.id
    assert passed(api, f"Bearer {user.token_beside_the_session()}") == user.id
    assert "JSON Web Token" in refused(api, f"Bearer {user.session}")
    assert "JSON Web Token" in refused(api, f"Bearer {user.client.cookies['better-auth.session_token']}")


def test_a_service_that_is_started_with_these_settings_takes_its_tokens(
    identity: BetterAuth, settings: Settings, tmp_path: Path
) -> None:
    user = identity.sign_up()
    chosen = identity.settings()
    assert set(chosen) == {"JWT_JWKS_URL", "JWT_ISSUER", "JWT_AUDIENCE"}
    assert settings.database_url
    database_url = settings.database_url.get_secret_value()

    with (
        served(env=environment(tmp_path, DATABASE_URL=database_url, **chosen), cwd=tmp_path) as service,
        httpx.Client(
            base_url=service.address,
            headers={"Authorization": f"Bearer {user.token()}"},
            trust_env=False,
            timeout=PATIENCE_SECONDS,
        ) as client,
    ):
        assert client.get("/api/me").json()["data"]["id"] == user.id
        task = create(client, "Buy milk")
        assert [kept["id"] for kept in client.get("/api/tasks").json()["data"]] == [task["id"]]


def test_new_keys_are_followed_without_a_restart(identity: BetterAuth, start: Start) -> None:
    user = identity.sign_up()
    old = user.token()
    identity.expire_keys()
    new = user.token()
    assert key_of(new) != key_of(old)

    api = start(identity)
    assert passed(api, f"Bearer {new}") == user.id
    assert passed(api, f"Bearer {old}") == user.id  # its key is still published

    identity.expire_keys()
    newest = user.token()
    assert key_of(newest) not in {key_of(old), key_of(new)}
    identity.withdraw_old_keys()
    assert passed(api, f"Bearer {newest}") == user.id
    for withdrawn in old, new:
        assert "key" in refused(api, f"Bearer {withdrawn}")


def test_a_token_is_refused_from_the_second_on_that_it_expires(short_lived: BetterAuth, start: Start) -> None:
    api = start(short_lived)
    user = short_lived.sign_up()
    token = used_until_it_expires(api, user)

    assert "expired" in refused(api, f"Bearer {token}")
    assert used_until_it_expires(api, user, max_times=1) != token


def used_until_it_expires(api: API, user: SignedUp, max_times: float = math.inf) -> str:
    """Use a token repeatedly until it expires; retry with another one if the machine stalled for too long."""
    times = 0
    while not times:
        token = user.token()
        expires_at = part_of(token, 1)["exp"]
        assert isinstance(expires_at, int)
        assert expires_at <= time.time() + SHORT_SECONDS
        while time.time() < expires_at and times < max_times:
            with api.client(Authorization=f"Bearer {token}") as client:
                response = client.get("/api/me")
            if time.time() < expires_at:
                assert response.status_code == 200, response.text
                times += 1
            time.sleep(0.05)
    return token


def test_a_token_of_a_server_at_another_address_is_refused_and_told_so(
    identity: BetterAuth, short_lived: BetterAuth, start: Start
) -> None:
    moved = start(identity, jwt_issuer=short_lived.address, jwt_audience=(short_lived.address,))
    assert "issuer" in refused(moved, f"Bearer {identity.sign_up().token()}")

    api = start(identity)
    assert "issuer" in refused(api, f"Bearer {short_lived.sign_up().token()}")
