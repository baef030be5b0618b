"""How a command ends, or begins anew, when it is asked to from outside."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

EXIT_INTERRUPTED = 130  # by Ctrl-C, as shells have it
EXIT_TERMINATED = 143  # by SIGTERM


@contextmanager
def leaving_in_order(exit_code: int, *, is_to_reload: bool = False) -> Iterator[None]:
    """Unwind on SIGTERM, and on the SIGHUP of a closed terminal: by default they would leave Postgres running.

    What is going to reload on SIGHUP, and does not listen for it yet, takes no notice of one that means that.
    """

    def leave(_signal: int, _frame: FrameType | None) -> NoReturn:
        sys.exit(exit_code)

    def leave_as_on_sigterm(_signal: int, _frame: FrameType | None) -> None:
        signal.raise_signal(signal.SIGTERM)

    before = {signal.SIGTERM: signal.signal(signal.SIGTERM, leave)}
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup ignores it
        takes_no_notice = is_to_reload and hangup_means_reload()
        before[signal.SIGHUP] = signal.signal(signal.SIGHUP, _do_nothing if takes_no_notice else leave_as_on_sigterm)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def interrupted_at_once(exit_code: int) -> Iterator[None]:
    """End the process at Ctrl-C, without unwinding, for as long as there is nothing to unwind.

    While modules are imported, a KeyboardInterrupt may be swallowed by C code or turned into another error.
    """
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, lambda _signal, _frame: os._exit(exit_code))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def insisting_on_interrupts() -> Iterator[Callable[[], None]]:
    """Give a function that raises KeyboardInterrupt again where an earlier one was swallowed.

    psycopg2 clears exceptions while it writes values into a statement, so a Ctrl-C at that moment would be lost.
    """
    was_interrupted = False

    def interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
        nonlocal was_interrupted
        was_interrupted = True
        raise KeyboardInterrupt

    def insist() -> None:
        if was_interrupted:
            raise KeyboardInterrupt

    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield insist
        return
    signal.signal(signal.SIGINT, interrupt)
    try:
        yield insist
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _do_nothing(_signal: int, _frame: FrameType | None) -> None:
    """Handle a signal: ignoring it would be nohup's word."""


def hangup_means_reload() -> bool:
    """Tell whether SIGHUP is a supervisor's word for: begin anew. A terminal says with it that it was closed.

    What was started from a terminal, in whatever way, ends with that terminal; supervisors give none. With nohup SIGHUP
    means nothing.
    """
    return hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN and not _has_terminal()


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True
