"""A batch or a file that names a task twice, with two different parents: each is judged by the tree that it is in."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

import httpx
import pytest

from tests.fixtures.calls.batches import run_batch, run_each, send_batch, statuses_of, update
from tests.fixtures.calls.subtasks import Tree, plant, refused, subtasks
from tests.fixtures.calls.task_files import LINES, counts_of, lines_of, report_of, send
from tests.fixtures.calls.tasks import Task, path_of, read, task_of

TREE: Tree = {"1": {"2": {"3": {"4": {"5": {}}}}}, "a": {"b": {}}, "other": {}, "named": {}}
# Under the fifth level there is no room.
FITS = {"4": True, "5": False, "b": True, "other": True}
ORDERS = list(permutations(FITS, 2))


def assert_is_under(client: httpx.Client, tasks: dict[str, Task], parents: Sequence[str]) -> None:
    """Check that a task is below the last of these in which it fits, and below no other one."""
    last = [title for title in parents if FITS[title]][-1:]
    for title in FITS:
        below = [task["title"] for task in subtasks(client, tasks[title])]
        assert ("named" in below) == ([title] == last), title
    assert read(client, tasks["named"])["parent_id"] == (tasks[last[0]]["id"] if last else None)


@pytest.mark.requirement("FR-363")
@pytest.mark.parametrize("parents", ORDERS, ids="-".join)
def test_a_batch_may_name_a_task_twice_with_two_parents(client: httpx.Client, parents: Sequence[str]) -> None:
    tasks = plant(client, TREE)
    moves = [update(tasks["named"], parent_id=tasks[title]["id"]) for title in parents]
    assert statuses_of(run_each(client, *moves)) == [200 if FITS[title] else 422 for title in parents]
    assert_is_under(client, tasks, parents)

    task_of(client.patch(path_of(tasks["named"]), json={"parent_id": None}))
    if all(FITS[title] for title in parents):
        run_batch(client, *moves)
        assert_is_under(client, tasks, parents)
    else:
        answer = send_batch(client, *moves)
        assert refused(answer)[1:] == [(f"operations.{parents.index('5')}.data.parent_id", "too_deep")]
        assert_is_under(client, tasks, ())


@pytest.mark.requirement("FR-367")
@pytest.mark.parametrize("parents", ORDERS, ids="-".join)
def test_a_file_may_name_a_task_twice_with_two_parents(client: httpx.Client, parents: Sequence[str]) -> None:
    tasks = plant(client, TREE)
    rows = [{"title": "named", "id": tasks["named"]["id"], "parent_id": tasks[title]["id"]} for title in parents]
    report = report_of(send(client, lines_of(rows), LINES))
    assert sum(counts_of(report).values()) == len(parents)
    assert [(each["line"], each["field"], each["code"]) for each in report["errors"]] == [
        (number, "parent_id", "too_deep") for number, title in enumerate(parents, 1) if not FITS[title]
    ]
    assert_is_under(client, tasks, parents)
