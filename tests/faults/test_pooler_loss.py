"""Behind a pooler like Neon's, which is killed whenever its compute is suspended."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from backend.config import Settings
from tests.fixtures.calls.api import API, new_user
from tests.fixtures.calls.tasks import create, path_of
from tests.fixtures.http.outages import AT_ONCE, READS, SAFE_WRITES, loaded, serving
from tests.fixtures.postgres.pooler import Pooler, running_pooler
from tests.fixtures.processes.certificates import Authority
from tests.fixtures.processes.servers import NEON_HOST, Server
from tests.fixtures.running.waiting import until

SERVER_CONNECTIONS = 3  # fewer than the service's own connections
USERS = 8
TASKS = 6


@dataclass(frozen=True)
class Neon:
    """A compute and its pooler, which uses TLS with its clients."""

    server: Server
    pooler: Pooler

    def suspend(self) -> None:
        """Suspend as Neon does: the pooler is killed, then the server is stopped."""
        self.pooler.kill()
        self.server.stop()

    def wake(self) -> None:
        """Start both again."""
        self.server.start()
        self.pooler.start()


@pytest.fixture(scope="module")
def neon(own_server: Server, authority: Authority) -> Iterator[Neon]:
    """A compute and its pooler."""
    url = own_server.url(NEON_HOST, sslmode="require")
    with running_pooler(url, SERVER_CONNECTIONS, authority.certify(NEON_HOST)) as pooler:
        yield Neon(own_server, pooler)


@pytest.mark.requirement("FR-155")
def test_a_pooler_that_was_killed_is_not_noticed(settings: Settings, neon: Neon) -> None:
    with loaded(settings, neon.pooler.url) as load:
        for _ in range(2):
            neon.pooler.kill()
            neon.pooler.start()
            assert [answer for answer in load.at_once() if not answer.is_good] == []


@pytest.mark.requirement("FR-155")
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGQUIT])
def test_connections_that_died_behind_the_pooler_are_not_noticed(
    settings: Settings, neon: Neon, stop: signal.Signals
) -> None:
    with loaded(settings, neon.pooler.url) as load:
        neon.server.restart(stop)
        assert [answer for answer in load.at_once(READS + SAFE_WRITES) if not answer.is_good] == []


@pytest.mark.requirement("FR-162", "FR-155", "FR-163")
def test_of_a_suspended_compute_clients_see_only_that_answers_take_longer(settings: Settings, neon: Neon) -> None:
    with loaded(settings, neon.pooler.url) as load:
        with load.going_on(READS + SAFE_WRITES) as answers:
            until(lambda: len(answers) > AT_ONCE)
            neon.suspend()
            until(load.is_away)
            gone = time.monotonic()
            neon.wake()
            until(lambda: any(answer.began > gone for answer in answers))
        assert [answer for answer in answers if not answer.is_good] == []
        assert any(answer.began < gone < answer.began + answer.seconds for answer in answers)


@pytest.mark.requirement("FR-153")
def test_users_who_share_connections_see_only_what_is_theirs(settings: Settings, neon: Neon) -> None:
    with serving(settings, neon.pooler.url) as api, ThreadPoolExecutor(USERS) as threads:
        assert list(threads.map(lambda number: titles_of_a_life(api, number), range(USERS))) == [
            [f"{task} of {number}" for task in range(TASKS)] for number in range(USERS)
        ]


def titles_of_a_life(api: API, number: int) -> list[str]:
    """Create tasks, change them in every way, and return the titles that remain."""
    with api.client(new_user()) as client:
        for task in range(TASKS):
            path = path_of(create(client, "a"))
            assert client.put(path, json={"title": f"{task} of {number}"}).status_code == 200
            assert client.patch(path + "/complete").status_code == 200
            assert client.delete(path).status_code == 204
            assert client.post(path + "/restore").status_code == 200
        batch = {"operations": [{"op": "create", "data": {"title": "b"}}]}
        made = client.post("/api/tasks/batch", json=batch, headers={"Idempotency-Key": "a"})
        again = client.post("/api/tasks/batch", json=batch, headers={"Idempotency-Key": "a"})
        assert (made.status_code, again.content) == (200, made.content)
        assert client.delete("/api/tasks/" + made.json()["data"][0]["data"]["id"]).status_code == 204
        titles = [task["title"] for task in client.get("/api/tasks").json()["data"]]
        return sorted(titles)
