"""What somebody does who has just installed the Python client: ADDRESS TOKEN."""

from __future__ import annotations

import asyncio
import sys

from task_api_client import AsyncClient, Client, NotFound, PreconditionFailed


def use(address: str, token: str) -> None:
    """Make, edit, list and remove a task."""
    with Client(address, token) as tasks:
        milk = tasks.create("Buy milk", due_date="2026-12-01", labels=["home"])
        tasks.update(milk.id, description="Two litres", if_match=milk)
        there = None
        try:
            tasks.update(milk.id, description="Three litres", if_match=milk)
        except PreconditionFailed as conflict:
            there = conflict.task
        assert there is not None
        assert there.description == "Two litres"
        home = tasks.lists.create("Home")
        assert tasks.move(milk.id, list_id=home.id).list_id == home.id
        assert [task.title for task in tasks.all(status="todo", list_id=home.id)] == ["Buy milk"]
        for change in tasks.changes():
            assert change.task is not None
            assert (change.task.id, change.task.labels) == (milk.id, ["home"])
            break
        tasks.remove(milk.id, permanent=True)
        request_id = None
        try:
            tasks.get(milk.id)
        except NotFound as problem:
            request_id = problem.request_id
        assert request_id is not None


async def use_async(address: str, token: str) -> None:
    """Make tasks at the same time, and follow them."""
    async with AsyncClient(address, token) as tasks:
        since = (await tasks.list()).page.since
        await asyncio.gather(*(tasks.create(f"Task {number}") for number in range(5)))
        titles = set()
        async for change in tasks.changes(since=since):
            titles.add(change.task.title if change.task else None)
            if len(titles) == 5:
                break
        assert len([task.title async for task in tasks.all()]) == 5


if __name__ == "__main__":
    use(*sys.argv[1:])
    asyncio.run(use_async(*sys.argv[1:]))
    sys.stdout.write("done\n")
