"""The connection limiter in front of the database: no more pass than may, waiting ends, and no place is ever lost."""

from __future__ import annotations

import asyncio
import random
from contextlib import AsyncExitStack

import pytest

from backend.database.connection_limiter import ConnectionLimiter
from backend.errors import ServiceUnavailable

pytestmark = pytest.mark.requirement("FR-097")

LONG = 30.0
SHORT = 0.01


async def expect_free_places(connection_limiter: ConnectionLimiter, places: int) -> None:
    """Take all places that there should be, and find that there is no other."""
    async with AsyncExitStack() as inside:
        for _ in range(places):
            await inside.enter_async_context(connection_limiter)
        with pytest.raises(ServiceUnavailable) as refused:
            await connection_limiter.__aenter__()
        assert refused.value.headers == {"Retry-After": "1"}


def test_as_many_pass_at_once_as_there_are_places() -> None:
    asyncio.run(expect_free_places(ConnectionLimiter(5, SHORT), 5))


def test_those_who_wait_pass_in_their_order() -> None:
    async def run() -> None:
        connection_limiter, order = ConnectionLimiter(1, LONG), []

        async def visit(number: int) -> None:
            async with connection_limiter:
                await asyncio.sleep(0)
                order.append(number)

        await asyncio.gather(*(visit(number) for number in range(20)))
        assert order == list(range(20))

    asyncio.run(run())


def test_waiting_ends_and_the_place_of_who_waited_is_not_lost() -> None:
    async def run() -> None:
        connection_limiter = ConnectionLimiter(2, SHORT)
        for _ in range(3):
            await expect_free_places(connection_limiter, 2)

    asyncio.run(run())


def test_an_error_inside_gives_the_place_back() -> None:
    async def run() -> None:
        connection_limiter = ConnectionLimiter(1, SHORT)
        with pytest.raises(RuntimeError):
            async with connection_limiter:
                raise RuntimeError
        await expect_free_places(connection_limiter, 1)

    asyncio.run(run())


@pytest.mark.parametrize("seed", range(3))
def test_whoever_leaves_early_loses_no_place(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - the same moments at each run

    async def visit(connection_limiter: ConnectionLimiter) -> None:
        async with connection_limiter:
            await asyncio.sleep(chance.choice([0, 0.001, 0.002]))

    async def run() -> None:
        connection_limiter = ConnectionLimiter(3, 0.005)
        visits = [asyncio.create_task(visit(connection_limiter)) for _ in range(200)]
        for number in chance.sample(range(200), 80):
            await asyncio.sleep(chance.choice([0, 0, 0.001]))
            visits[number].cancel()
        ends = await asyncio.gather(*visits, return_exceptions=True)
        assert {type(end) for end in ends} <= {type(None), ServiceUnavailable, asyncio.CancelledError}
        await expect_free_places(connection_limiter, 3)

    asyncio.run(run())
