"""Threads started by another thread."""

from __future__ import annotations

import threading

import pytest

from backend.utils.threads import start_soon
from tests.fixtures.running.waiting import PATIENCE_SECONDS, until
from tests.fixtures.telemetry.logs import events

pytestmark = pytest.mark.requirement("FR-257")


def test_nobody_waits_until_a_thread_runs() -> None:
    may_start, has_run = threading.Event(), threading.Event()

    class Slow(threading.Thread):
        def start(self) -> None:
            assert may_start.wait(PATIENCE_SECONDS)
            super().start()

    start_soon(Slow(target=has_run.set))
    assert not has_run.is_set()
    may_start.set()
    assert has_run.wait(PATIENCE_SECONDS)


def test_a_system_that_gives_no_thread_keeps_nobody_from_trying_again(caplog: pytest.LogCaptureFixture) -> None:
    class Refused(threading.Thread):
        def start(self) -> None:
            raise RuntimeError("can't start new thread")

    has_run = threading.Event()
    start_soon(Refused(name="connect"))
    start_soon(threading.Thread(target=has_run.set))

    assert has_run.wait(PATIENCE_SECONDS)
    until(lambda: events(caplog, "thread_not_started"))
    (event,) = events(caplog, "thread_not_started")
    assert (event["thread"], event["reason"]) == ("connect", "can't start new thread")
