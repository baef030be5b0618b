"""The service waits for a database that is suspended or starts late: no request is refused."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from backend.config import Settings
from backend.database.connection_limiter import WAITING_SHARE
from backend.database.migrations.runner import CONNECT_SECONDS
from backend.database.url import CONNECT_TIMEOUT_SECONDS
from backend.identity.jwt import issue_token
from tests.fixtures.calls.api import new_user
from tests.fixtures.calls.tasks import create, path_of
from tests.fixtures.http.outages import POOL_SIZE, serving
from tests.fixtures.identity.tokens import SECRET
from tests.fixtures.postgres.proxy import counting_proxy
from tests.fixtures.processes.process import environment, served
from tests.fixtures.processes.servers import Server
from tests.fixtures.running.waiting import PATIENCE_SECONDS

WAKING_SECONDS = 0.5
MAX_PAUSE_SECONDS = 0.1  # so that the service tries again, also while an attempt has no response yet


@pytest.fixture(autouse=True)
def _asking_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.database.connector.MAX_PAUSE_SECONDS", MAX_PAUSE_SECONDS)


def expect_good_answers(client: httpx.Client) -> None:
    """Send a service's first requests, more than it has connections, including some that must not be retried."""

    def live(_: int) -> list[int]:
        task = create(client)
        return [client.get(path_of(task)).status_code, client.patch(path_of(task) + "/complete").status_code]

    with ThreadPoolExecutor(2 * POOL_SIZE) as threads:
        assert list(threads.map(live, range(2 * POOL_SIZE))) == [[200, 200]] * 2 * POOL_SIZE


@pytest.mark.requirement("FR-163")
def test_a_database_that_answers_after_seconds_is_waited_for(settings: Settings, own_server: Server) -> None:
    with counting_proxy(own_server.url()) as proxy:
        proxy.sleep(WAKING_SECONDS)
        with serving(settings, proxy.url) as api, api.client(new_user()) as client:
            expect_good_answers(client)


@pytest.mark.requirement("FR-163")
def test_a_database_that_starts_late_is_waited_for(settings: Settings, own_server: Server) -> None:
    own_server.stop()
    late = threading.Timer(WAKING_SECONDS, own_server.start)
    late.start()
    try:
        with serving(settings, own_server.url()) as api, api.client(new_user()) as client:
            expect_good_answers(client)
    finally:
        late.join()


@pytest.mark.requirement("FR-163")
def test_a_service_that_starts_waits_for_its_database(own_server: Server, tmp_path: Path) -> None:
    with counting_proxy(own_server.url()) as proxy:
        proxy.sleep(WAKING_SECONDS)
        env = environment(tmp_path, DATABASE_URL=proxy.url, ENVIRONMENT="production", JWT_SECRET=SECRET)
        with served(env=env, cwd=tmp_path) as service:
            token = {"Authorization": f"Bearer {issue_token(SECRET, new_user(), ttl_seconds=600)}"}
            with httpx.Client(
                base_url=service.address, headers=token, trust_env=False, timeout=PATIENCE_SECONDS
            ) as client:
                expect_good_answers(client)


@pytest.mark.requirement("FR-163")
def test_everybody_waits_for_longer_than_a_database_takes_to_wake() -> None:
    default: float = Settings.model_fields["request_timeout_seconds"].default
    assert min(CONNECT_TIMEOUT_SECONDS, CONNECT_SECONDS, default * WAITING_SHARE) >= 5
