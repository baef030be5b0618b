"""How far a process raises its descriptor limit, and for how many connections that is enough."""

from __future__ import annotations

import resource
from types import SimpleNamespace

import pytest

from backend.server.state import ServiceState, max_connections
from backend.utils import descriptors
from tests.fixtures.telemetry.logs import events

UNLIMITED = resource.RLIM_INFINITY
MACOS = 10240


class System:
    """Stands in for a system with process limits, which accepts some new limits and refuses others."""

    def __init__(self, soft: int, hard: int, maximum: int | None = None) -> None:
        self.limits = (soft, hard)
        self._maximum = maximum  # the highest limit it accepts, which it does not report

    def getrlimit(self, which: int) -> tuple[int, int]:
        assert which == resource.RLIMIT_NOFILE
        return self.limits

    def setrlimit(self, which: int, limits: tuple[int, int]) -> None:
        assert which == resource.RLIMIT_NOFILE
        soft, hard = limits
        if hard != self.limits[1] or soft == UNLIMITED or (self._maximum is not None and soft > self._maximum):
            raise ValueError("current limit exceeds maximum limit")
        self.limits = limits


def on(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", system.getrlimit)
    monkeypatch.setattr(resource, "setrlimit", system.setrlimit)


@pytest.mark.requirement("FR-255")
@pytest.mark.parametrize(
    ("system", "soft"),
    [
        (System(1024, 4096), 4096),
        (System(1024, 1024), 1024),
        (System(256, UNLIMITED, maximum=MACOS), MACOS),
        (System(256, UNLIMITED), 1_048_576),
        (System(1024, 1_000_000, maximum=500), 1024),  # refused, for whatever reason
        (System(20_000, UNLIMITED, maximum=MACOS), 20_000),  # never lowered
        (System(UNLIMITED, UNLIMITED), UNLIMITED),
    ],
)
def test_the_limit_is_raised_as_far_as_the_system_lets_it(
    monkeypatch: pytest.MonkeyPatch, system: System, soft: int
) -> None:
    hard = system.limits[1]
    on(system, monkeypatch)
    descriptors.raise_limit()
    assert system.limits == (soft, hard)


@pytest.mark.requirement("FR-255")
def test_a_sandbox_that_forbids_to_ask_is_no_obstacle(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_which: int) -> tuple[int, int]:
        raise PermissionError

    monkeypatch.setattr(resource, "getrlimit", refuse)
    descriptors.raise_limit()
    assert max_connections(10) > 100_000


@pytest.mark.requirement("FR-256")
@pytest.mark.parametrize(("soft", "maximum"), [(1024, 904), (4096, 3976), (100, 50), (UNLIMITED, 1_048_456)])
def test_there_are_descriptors_left_for_the_database(monkeypatch: pytest.MonkeyPatch, soft: int, maximum: int) -> None:
    on(System(soft, UNLIMITED), monkeypatch)
    assert max_connections(10) == maximum


@pytest.mark.requirement("FR-256")
def test_that_clients_are_sent_away_is_said_once_a_minute(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    now = 0.0
    monkeypatch.setattr("backend.server.state.time", SimpleNamespace(monotonic=lambda: now))
    state = ServiceState()
    for now in (5.0, 6.0, 64.0, 66.0, 67.0):  # noqa: B007 - the clock
        state.note_full(904)

    assert [event["max_connections"] for event in events(caplog, "connections_refused")] == [904, 904]
