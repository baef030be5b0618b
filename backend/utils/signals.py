"""How a command ends, or begins anew, when it is asked to from outside."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

EXIT_TERMINATED = 143  # by SIGTERM, as shells have it


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
