"""Long computing in a request gives way: other requests of the worker have a turn every few milliseconds.

Handlers compute on the event loop. Whatever takes a number of steps that grows with the user's data calls `give_way` in
each of them, or goes through `in_turns`. A request gives way in the middle of a unit of work, too: it keeps its user's
row locked, so only requests of the same user wait for it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from sqlalchemy.util.concurrency import await_, in_greenlet

from backend.database.deadline import current_work

TURN_SECONDS = 0.002

_Item = TypeVar("_Item")


def give_way() -> None:
    """Let the event loop do other work, if this request has kept it from that for TURN_SECONDS."""
    work = current_work()
    if time.perf_counter() - work.turn_began < TURN_SECONDS:
        return
    if in_greenlet():  # else nobody waits for this thread
        await_(asyncio.sleep(0))
    work.turn_began = time.perf_counter()


def in_turns(items: Iterable[_Item]) -> Iterator[_Item]:
    """Yield the items, and give way between them."""
    for item in items:
        give_way()
        yield item
