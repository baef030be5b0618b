"""The connection limiter: never over its limit, in turn; waiting ends, and no slot is ever lost."""

from __future__ import annotations

import asyncio
import random
from contextlib import AsyncExitStack, suppress

import pytest

from backend.database.connection_limiter import MAX_UNREAD_BYTES, ConnectionLimiter
from backend.database.deadline import begin_work
from backend.errors import ServiceUnavailable

pytestmark = pytest.mark.requirement("FR-097")

LONG = 30.0
SHORT = 0.01


def be(user_id: str) -> None:
    """Make this task work for this user from now on."""
    begin_work().user_id = user_id


async def taken(connection_limiter: ConnectionLimiter, users: list[str]) -> list[str]:
    """Let these users take slots one after the other without leaving; list those that get one."""
    found = []
    async with AsyncExitStack() as inside:
        for user_id in users:
            be(user_id)
            with suppress(ServiceUnavailable):
                await connection_limiter.__aenter__()
                found.append(user_id)
                inside.push_async_callback(leave, connection_limiter, user_id)
    return found


async def leave(connection_limiter: ConnectionLimiter, user_id: str) -> None:
    """Release a slot of this user."""
    be(user_id)
    await connection_limiter.__aexit__()


async def expect_free_slots(connection_limiter: ConnectionLimiter, slots: int) -> None:
    """Take all expected slots, each for another user, and check that there are no more."""
    users = [f"user {number}" for number in range(slots)]
    assert await taken(connection_limiter, [*users, "one too many"]) == users


async def visit(connection_limiter: ConnectionLimiter, user_id: str, order: list[str]) -> None:
    """Take a slot as this user, and record the user while holding it."""
    be(user_id)
    async with connection_limiter:
        await asyncio.sleep(0)
        order.append(user_id)


def test_as_many_pass_at_once_as_there_are_slots() -> None:
    asyncio.run(expect_free_slots(ConnectionLimiter(5, SHORT), 5))


def test_a_request_that_finds_no_slot_is_told_to_come_again() -> None:
    async def run() -> None:
        connection_limiter = ConnectionLimiter(1, SHORT)
        async with connection_limiter:
            with pytest.raises(ServiceUnavailable) as refused:
                await connection_limiter.__aenter__()
        assert refused.value.headers == {"Retry-After": "1"}

    asyncio.run(run())


@pytest.mark.requirement("FR-259")
@pytest.mark.parametrize(("slots", "share"), [(1, 1), (2, 1), (5, 3), (10, 5)])
def test_one_user_alone_gets_half_of_the_slots(slots: int, share: int) -> None:
    assert asyncio.run(taken(ConnectionLimiter(slots, SHORT), ["a"] * slots)) == ["a"] * share


@pytest.mark.requirement("FR-259")
def test_the_next_request_finds_a_slot_whatever_the_others_do() -> None:
    names = [f"user {number}" for number in range(5)]
    in_turn, one_after_the_other = names * 10, [name for name in names for _ in range(10)]
    for greedy in (in_turn, one_after_the_other):
        assert asyncio.run(taken(ConnectionLimiter(10, SHORT), [*greedy, "another"]))[-1] == "another"


def test_those_of_one_user_who_wait_pass_in_their_order() -> None:
    async def run() -> None:
        connection_limiter, order = ConnectionLimiter(1, LONG), list[int]()

        async def come(number: int) -> None:
            async with connection_limiter:
                await asyncio.sleep(0)
                order.append(number)

        await asyncio.gather(*(come(number) for number in range(20)))
        assert order == list(range(20))

    asyncio.run(run())


@pytest.mark.requirement("FR-259")
@pytest.mark.parametrize("slots", [1, 3])
def test_users_take_turns(slots: int) -> None:
    async def run() -> list[str]:
        connection_limiter, order = ConnectionLimiter(slots, LONG), list[str]()
        crowd = [asyncio.create_task(visit(connection_limiter, "crowd", order)) for _ in range(50)]
        await asyncio.sleep(0)
        few = [asyncio.create_task(visit(connection_limiter, user_id, order)) for user_id in ("a", "b", "a", "b")]
        await asyncio.gather(*crowd, *few)
        return order

    order = asyncio.run(run())
    turns_of_few = [turn for turn, user_id in enumerate(order) if user_id != "crowd"]
    assert turns_of_few[-1] <= slots + 2 * 3  # each round has one of the crowd, one of a, one of b
    assert [order[turn] for turn in turns_of_few] == ["a", "b", "a", "b"]


@pytest.mark.requirement("FR-262")
def test_a_user_who_leaves_too_much_unread_begins_nothing_until_it_is_read() -> None:
    async def run() -> None:
        connection_limiter, order = ConnectionLimiter(5, LONG), list[str]()
        connection_limiter.unread.take("a", MAX_UNREAD_BYTES // 2)
        waiting = [asyncio.create_task(visit(connection_limiter, "a", order)) for _ in range(2)]
        await visit(connection_limiter, "b", order)
        assert (order, connection_limiter.waiting) == (["b"], 2)

        connection_limiter.unread.give_back("a", 1)
        connection_limiter.let_in()
        await asyncio.gather(*waiting)
        assert order == ["b", "a", "a"]

    asyncio.run(run())


def test_waiting_ends_and_no_slot_is_lost() -> None:
    async def run() -> None:
        connection_limiter = ConnectionLimiter(2, SHORT)
        for _ in range(3):
            await expect_free_slots(connection_limiter, 2)

    asyncio.run(run())


def test_an_error_inside_frees_the_slot() -> None:
    async def run() -> None:
        connection_limiter = ConnectionLimiter(1, SHORT)
        with pytest.raises(RuntimeError):
            async with connection_limiter:
                raise RuntimeError
        await expect_free_slots(connection_limiter, 1)

    asyncio.run(run())


@pytest.mark.parametrize("seed", range(3))
def test_a_request_that_leaves_early_loses_no_slot(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - the same moments at each run

    async def come(connection_limiter: ConnectionLimiter, user_id: str) -> None:
        be(user_id)
        async with connection_limiter:
            await asyncio.sleep(chance.choice([0, 0.001, 0.002]))

    async def run() -> None:
        connection_limiter = ConnectionLimiter(3, 0.005)
        visits = [asyncio.create_task(come(connection_limiter, chance.choice("abcd"))) for _ in range(200)]
        for number in chance.sample(range(200), 80):
            await asyncio.sleep(chance.choice([0, 0, 0.001]))
            visits[number].cancel()
        ends = await asyncio.gather(*visits, return_exceptions=True)
        assert {type(end) for end in ends} <= {type(None), ServiceUnavailable, asyncio.CancelledError}
        assert connection_limiter.waiting == 0
        await expect_free_slots(connection_limiter, 3)

    asyncio.run(run())
