"""Signals: what Ctrl-C does when there is nothing to unwind."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import suppress

import pytest

from backend.server.signals import insisting_on_interrupts, interrupted_at_once
from tests.fixtures.running.waiting import PATIENCE_SECONDS

INTERRUPTED = """
import signal
from backend.server.signals import interrupted_at_once
with interrupted_at_once(130):
    try:
        signal.raise_signal(signal.SIGINT)
    except BaseException:
        pass  # as C code does that imports something
"""


@pytest.mark.requirement("FR-219")
def test_an_interrupt_that_could_be_swallowed_ends_the_process() -> None:
    signals = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    done = subprocess.run(  # noqa: S603 - our own lines
        [sys.executable, "-c", signals + INTERRUPTED],
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )

    assert (done.returncode, done.stderr) == (130, "")


@pytest.mark.requirement("FR-219")
def test_an_interrupt_that_was_swallowed_is_raised_again() -> None:
    with insisting_on_interrupts() as insist:
        insist()
        with suppress(KeyboardInterrupt):  # like C code that clears exceptions
            signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            insist()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.requirement("FR-219")
def test_who_handles_interrupts_otherwise_goes_on_to() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with insisting_on_interrupts() as insist:
            signal.raise_signal(signal.SIGINT)
            insist()
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        with interrupted_at_once(130):
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
