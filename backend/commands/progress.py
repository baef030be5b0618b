"""How far a command is that takes long: on standard error, and only where that is a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm

from backend.server.signals import insisting_on_interrupts

# Its thread would look after bars that are not updated for ten seconds; ours has nothing to say then.
tqdm.monitor_interval = 0


@contextmanager
def progress(total: int | None, unit: str) -> Iterator[Callable[[int], object]]:
    """Show a bar meanwhile, and give what is called with the number of units, tasks or B, that were done since.

    Without a total it counts. Afterwards nothing of it is left on the screen. A Ctrl-C that C code has swallowed is
    raised at the next call.
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
