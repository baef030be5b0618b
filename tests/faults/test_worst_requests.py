"""The worst request of each kind keeps nobody else from being answered."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from backend.identity.jwt import issue_token
from tests.fixtures.calls.api import new_user
from tests.fixtures.identity.tokens import SECRET
from tests.fixtures.inputs.worst_requests import Worst, plant, worst_requests
from tests.fixtures.postgres.partitions import migrated_database
from tests.fixtures.processes.process import environment, served
from tests.fixtures.processes.victim import asking

LIVE = "/health/live"
SHORT = 5  # times as long as what everybody may ask for at any time: in that, others have few turns to count
TRIES = 4  # an even number, so that all is undone in the end
WORST = dict(worst_requests())


@dataclass(frozen=True)
class Running:
    """A service of one worker, and its database."""

    address: str
    url: str


@pytest.fixture(scope="module")
def running(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Serve in a process, without a rate limit that matters."""
    folder = tmp_path_factory.mktemp("running")
    with migrated_database(server_url) as url:
        env = environment(folder / "data", DATABASE_URL=url, JWT_SECRET=SECRET, RATE_LIMIT="1000000/minute")
        with served(env=env, cwd=folder) as service:
            yield Running(service.address, url)


@pytest.fixture
def attacker(running: Running) -> Iterator[httpx.Client]:
    """The owner of a large account."""
    user_id = new_user()
    plant(running.url, user_id)
    headers = {"Authorization": f"Bearer {issue_token(SECRET, user_id, ttl_seconds=600)}"}
    with httpx.Client(base_url=running.address, headers=headers, timeout=60, trust_env=False) as client:
        yield client


def longest_wait(client: httpx.Client, worst: Worst) -> tuple[float, float]:
    """Return how long the victim waited at most while a request was answered, and how long that took.

    Of several tries, these are the least: the machine may have had something else to do.
    """
    times: list[tuple[float, float]] = []
    with asking(str(client.base_url), issue_token(SECRET, new_user(), ttl_seconds=600), [LIVE]) as victim:
        for number in range(TRIES):
            began = time.monotonic()
            answer = worst.send(client, number)
            times.append((began, time.monotonic()))
            assert answer.status_code == 422 if worst.is_refused else answer.is_success, answer.text[:1000]
    waits = [max(victim.waits(LIVE, *each), default=0.0) for each in times]
    return min(waits), min(ended - began for began, ended in times)


@pytest.mark.requirement("FR-378", "FR-437")
@pytest.mark.parametrize("kind", WORST)
def test_others_are_answered_during_the_worst_request_of_each_kind(attacker: httpx.Client, kind: str) -> None:
    _, page = longest_wait(attacker, WORST["a page of 1,000"])
    longest, took = longest_wait(attacker, WORST[kind])
    # Without turns, one of the victim's requests would wait for nearly all of a long one, however fast the machine is.
    assert took < SHORT * page or longest < took / 2
