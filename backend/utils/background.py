"""Work in the background, as long as the application runs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Literal

import anyio

from backend.errors import ServiceUnavailable

Defect = Exception | Literal[False]  # what to log of a failure: nothing, if the database was away


@asynccontextmanager
async def in_background(work: Callable[[], Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    """Run endless work in the background until the block ends; then wait for a statement in progress."""
    async with anyio.create_task_group() as group:
        group.start_soon(work)
        yield
        group.cancel_scope.cancel()


async def periodic(
    step: Callable[[], Awaitable[bool]], pause: Callable[[bool], Awaitable[None]], note: Callable[[Defect], None]
) -> None:
    """Do a step, pause, and begin again, until cancelled.

    A step returns whether there was anything to do. Whatever it raises, the next one may succeed: the first failure in
    a row is noted, and `pause` is told that the last step with anything to do has failed.
    """
    is_failing = False
    while True:
        try:
            if await step():
                is_failing = False
        except Exception as error:  # noqa: BLE001 - see above
            if not is_failing:
                note(not isinstance(error, ServiceUnavailable) and error)
            is_failing = True
        await pause(is_failing)
