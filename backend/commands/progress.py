"""The progress of long commands: on standard error, and only if that is a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm

from backend.server.signals import insisting_on_interrupts

# tqdm's thread would redraw bars that are not updated for ten seconds; ours has nothing new to show then.
tqdm.monitor_interval = 0


@contextmanager
def progress(total: int | None, unit: str) -> Iterator[Callable[[int], object]]:
    """Show a progress bar, and yield a function that takes the units (tasks or B) done since its last call.

    Without a total, the bar only counts. It leaves nothing on the screen. The function raises a Ctrl-C that C code has
    swallowed.
    """
    is_size = unit == "B"
    with (
        insisting_on_interrupts() as insist,
        tqdm(
            total=total,
            unit=unit if is_size else f" {unit}",
            unit_scale=is_size,
            file=sys.stderr,
            disable=not sys.stderr.isatty(),
            leave=False,
            dynamic_ncols=True,
        ) as bar,
    ):

        def advance(done: int) -> None:
            insist()
            bar.update(done)

        yield advance
