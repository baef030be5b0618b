"""How a command reacts to signals: it ends or reloads."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

EXIT_INTERRUPTED = 130  # by Ctrl-C, the convention of shells
EXIT_TERMINATED = 143  # by SIGTERM


@contextmanager
def leaving_in_order(exit_code: int, *, is_to_reload: bool = False) -> Iterator[None]:
    """Unwind on SIGTERM, and on the SIGHUP of a closed terminal: by default they would leave Postgres running.

    With `is_to_reload`, a SIGHUP that asks for a reload is ignored: the process does not handle reloads yet.
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
    """End the process on Ctrl-C without unwinding, while there is nothing to unwind.

    During imports, C code may swallow a KeyboardInterrupt or turn it into another error.
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
    """Yield a function that raises KeyboardInterrupt again if an earlier one was swallowed.

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
    """Handle a signal without any effect; SIG_IGN instead would look like nohup."""


def hangup_means_reload() -> bool:
    """Return whether SIGHUP means reload: not if it is ignored, as under nohup, and not if we read from a terminal.

    Then it means that the terminal was closed. Supervisors give us no terminal to read from.
    """
    return hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN and not os.isatty(0)
