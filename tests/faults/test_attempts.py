"""When the service tries to reconnect to an unavailable database; in these tests, waiting advances the clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from functools import partial
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest

from backend.database import waiting
from backend.database.bell import Bell
from backend.database.connector import MAX_PAUSE_SECONDS, RECOVERY_SECONDS, Connector
from backend.database.errors import DatabaseUnavailable
from backend.database.url import read_url
from tests.fixtures.postgres.proxy import Proxy, counting_proxy

pytestmark = pytest.mark.requirement("FR-161")

REFUSAL = "the database system is starting up"
OUTAGE_SECONDS = 60.0
PROMISED_SECONDS = 3.0  # the recovery time that the service promises


class World:
    """A clock, and threads that take no time: they run whenever one of them waits."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._threads: list[Callable[[], None]] = []

    def monotonic(self) -> float:
        return self.now

    def thread(self, target: Callable[..., None], args: tuple[object, ...], **_: object) -> SimpleNamespace:
        return SimpleNamespace(start=lambda: self._threads.append(partial(target, *args)))

    def bell(self, *_: object) -> Bell:
        bell = Bell()
        bell.wait = self._wait  # type: ignore[method-assign]
        return bell

    def _wait(self, seconds: float) -> None:
        """Let the other threads run; if there are none, advance the clock."""
        working, self._threads = self._threads, []
        for work in working:
            work()
        self.now += 0 if working else seconds


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    world = World()
    monkeypatch.setattr("backend.database.connector.time", world)
    monkeypatch.setattr("backend.database.connector.threading", SimpleNamespace(Thread=world.thread))
    monkeypatch.setattr("backend.database.connector.Bell", world.bell)
    return world


@pytest.fixture
def own_proxy(database_url: str) -> Iterator[Proxy]:
    with counting_proxy(database_url) as proxy:
        yield proxy


class Attempts:
    """A connector with a waiting thread, and the times of its attempts."""

    def __init__(self, world: World, proxy: Proxy, patience_seconds: float, chance: float) -> None:
        self.seconds: list[float] = []  # since the start
        self._world = world
        self._began = world.now
        parameters = {**read_url(proxy.url), "connect_timeout": 60}
        self.connector = Connector(parameters, patience_seconds, self._connect)
        self.connector.chance = lambda: chance

    def _connect(self, parameters: Mapping[str, Any]) -> Any:
        self.seconds.append(self._world.now - self._began)
        return waiting.connect(parameters)


@pytest.mark.parametrize(
    ("chance", "seconds"),
    [(1.0, [0, 0.1, 0.3, 0.7, 1.5]), (0.0, [0, 0.05, 0.15, 0.35, 0.75, 1.55, 2.55])],
    ids=["latest", "earliest"],
)
def test_pauses_grow_and_are_spread_by_chance(
    world: World, own_proxy: Proxy, chance: float, seconds: list[float]
) -> None:
    own_proxy.refusal = REFUSAL
    attempts = Attempts(world, own_proxy, 3.0, chance)

    with pytest.raises(DatabaseUnavailable) as raised, closing(attempts.connector()):
        pass

    assert raised.value.reason == REFUSAL
    assert attempts.seconds == pytest.approx(seconds)
    assert len(own_proxy.attempts) == len(seconds)


@pytest.mark.requirement("FR-162")
@pytest.mark.parametrize("chance", [0.0, 1.0])
def test_however_long_it_was_away_it_is_soon_noticed_to_be_back(world: World, own_proxy: Proxy, chance: float) -> None:
    own_proxy.refusal = REFUSAL
    attempts = Attempts(world, own_proxy, OUTAGE_SECONDS, chance)
    with pytest.raises(DatabaseUnavailable):
        attempts.connector()
    pauses = [later - earlier for earlier, later in pairwise(attempts.seconds)]
    assert pauses[6:] == pytest.approx([MAX_PAUSE_SECONDS * (0.5 + chance / 2)] * len(pauses[6:]))
    assert len(pauses) > 20
    own_proxy.refusal = None
    back = world.now

    attempts.connector().close()

    # The first attempt after the recovery, and the time within which waiting work follows it.
    assert world.now - back + RECOVERY_SECONDS < PROMISED_SECONDS
    assert not attempts.connector.is_away
