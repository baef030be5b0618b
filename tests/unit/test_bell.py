"""The bell wakes its waiters, in threads and on event loops, in turn, and no later than their timeout."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
import uvloop
from sqlalchemy.util.concurrency import greenlet_spawn

from backend.database.bell import Bell
from backend.database.waiting import new_event
from tests.fixtures.running.waiting import PATIENCE_SECONDS, eventually, until

pytestmark = pytest.mark.requirement("FR-257")

LONG, SHORT = 10.0 * PATIENCE_SECONDS, 0.01
LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}


@pytest.fixture(params=LOOPS)
def loop(request: pytest.FixtureRequest) -> Iterator[asyncio.AbstractEventLoop]:
    made = LOOPS[request.param]()
    yield made
    made.close()


def wait_for(bell: Bell, seconds: float = LONG) -> None:
    with bell:
        bell.wait(seconds)


def sleepers(bell: Bell) -> int:
    return len(bell._sleepers)  # noqa: SLF001 - nobody else needs to know


async def until_there_are(bell: Bell, number: int) -> None:
    await eventually(lambda: sleepers(bell) == number)


def test_it_wakes_in_their_order_whoever_waits_wherever(loop: asyncio.AbstractEventLoop) -> None:
    bell, woken = Bell(new_event), list[str]()

    def wait(name: str) -> None:
        wait_for(bell)
        woken.append(name)

    async def run() -> None:
        waiting = []
        with ThreadPoolExecutor(2) as threads:
            for number, name in enumerate(["request", "thread", "another request", "another thread"]):
                on_loop = "request" in name
                waiting.append(
                    asyncio.ensure_future(greenlet_spawn(wait, name))
                    if on_loop
                    else asyncio.wrap_future(threads.submit(wait, name))
                )
                await until_there_are(bell, number + 1)
            for one in waiting:
                with bell:
                    bell.ring()
                await one

    loop.run_until_complete(run())
    assert woken == ["request", "thread", "another request", "another thread"]
    assert sleepers(bell) == 0


def test_it_wakes_requests_from_a_thread_and_all_at_once(loop: asyncio.AbstractEventLoop) -> None:
    bell = Bell(new_event)

    def ring() -> None:
        until(lambda: sleepers(bell) == 2)
        with bell:
            bell.ring_for_all()

    async def run() -> None:
        await asyncio.gather(greenlet_spawn(wait_for, bell), greenlet_spawn(wait_for, bell), asyncio.to_thread(ring))

    loop.run_until_complete(run())
    assert sleepers(bell) == 0


def test_nobody_waits_longer_than_there_is_time(loop: asyncio.AbstractEventLoop) -> None:
    bell = Bell(new_event)
    for seconds in (SHORT, 0.0, -1.0):
        wait_for(bell, seconds)
        loop.run_until_complete(greenlet_spawn(wait_for, bell, seconds))
    assert sleepers(bell) == 0


def test_whoever_is_cancelled_leaves_it_to_the_next(loop: asyncio.AbstractEventLoop) -> None:
    """Also when the bell has already rung for the cancelled waiter, but it has not run yet."""
    bell = Bell(new_event)

    async def run() -> None:
        first, second, third = (asyncio.ensure_future(greenlet_spawn(wait_for, bell)) for _ in range(3))
        await until_there_are(bell, 3)
        first.cancel()
        with suppress(asyncio.CancelledError):
            await first
        assert sleepers(bell) == 2
        with bell:
            bell.ring()
        second.cancel()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await third
        assert second.cancelled()

    loop.run_until_complete(run())


def test_others_come_in_while_somebody_waits() -> None:
    """The lock is reentrant too: the garbage collector may interrupt its holder with work that takes it again."""
    bell = Bell(new_event)
    waiter = threading.Thread(target=wait_for, args=(bell,))
    waiter.start()
    until(lambda: sleepers(bell) == 1)
    with bell, bell:
        bell.ring()
    waiter.join(PATIENCE_SECONDS)
    assert not waiter.is_alive()


def test_a_request_whose_loop_has_ended_is_passed_over() -> None:
    bell, loop = Bell(new_event), asyncio.new_event_loop()

    async def begin() -> asyncio.Task[None]:
        task = asyncio.ensure_future(greenlet_spawn(wait_for, bell))
        await until_there_are(bell, 1)
        return task

    def ring() -> None:
        with bell:
            bell.ring()

    left = loop.run_until_complete(begin())
    left._log_destroy_pending = False  # type: ignore[attr-defined]  # noqa: SLF001 - that is what is meant here
    loop.close()
    with ThreadPoolExecutor(1) as threads:
        threads.submit(ring).result()
    assert sleepers(bell) == 0
