"""Long requests: others have their turns meanwhile, and one request changes a bounded number of tasks."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable
from uuid import UUID

import httpx
import pytest
from sqlalchemy.util.concurrency import greenlet_spawn

from backend.database import giving_way
from backend.database.deadline import begin_work
from backend.database.engine import Engine
from backend.database.giving_way import give_way, in_turns
from backend.database.session import SessionFactory
from backend.models.batch import MAX_TAGS, Batch
from backend.models.move import TaskMove
from backend.services.tasks import loaded, moving
from backend.services.tasks.batch import BatchService
from backend.services.tasks.rules import TaskNotFound
from backend.services.tasks.service import TaskService
from tests.fixtures.calls.batches import operation, rows_of, run_batch, run_each, send_batch, statuses_of
from tests.fixtures.calls.subtasks import refused
from tests.fixtures.calls.task_files import LINES, counts_of, lines_of, report_of, send
from tests.fixtures.calls.tasks import Task, create, path_of
from tests.fixtures.postgres.database import execute

BELOW = 5000
TIED = 900  # tasks with equal positions
LIST = UUID(int=7)
PLANT = """
INSERT INTO users (id, revision, task_count) VALUES (%s, 1, %s);
INSERT INTO lists (user_id, id, name, revision, position) VALUES (%s, %s, 'list', 1, 'a0');
INSERT INTO tasks (user_id, id, title, revision, has_subtasks) VALUES (%s, %s, 'top', 1, true);
INSERT INTO tasks (user_id, id, title, revision, parent_id, position)
SELECT %s, gen_random_uuid(), 'below', 1, %s, 'a' || number FROM generate_series(1, %s) AS number
"""
TIES = """
INSERT INTO tasks (user_id, id, title, revision, position)
SELECT %s, lpad(number::text, 32, '0')::uuid, 'tied', 1, 'b00' FROM generate_series(1001, 1000 + %s) AS number
"""
TOP = UUID(int=8)
IN_THE_MIDDLE = UUID(str(1000 + TIED // 2).zfill(32))


def completions(top: Task, number: int) -> list[dict[str, object]]:
    return [operation("complete", top, data={"completed": turn % 2 == 0}) for turn in range(number)]


@pytest.mark.requirement("FR-378")
def test_what_computes_has_a_turn_with_others_in_each_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(giving_way, "TURN_SECONDS", 0)
    order: list[str] = []

    def compute(name: str) -> None:
        begin_work()
        for step in in_turns(range(3)):
            order.append(f"{name}{step}")  # noqa: PERF401 - others append in between

    async def both() -> None:
        await asyncio.gather(greenlet_spawn(compute, "a"), greenlet_spawn(compute, "b"))

    asyncio.run(both())
    assert order == ["a0", "b0", "a1", "b1", "a2", "b2"]
    give_way()  # outside of the event loop, there is nobody to give way to


def again_and_again(batches: BatchService, _: TaskService) -> object:
    """Complete and reopen the tree, until that would be too many changes."""
    operations = [{"op": "complete", "id": str(TOP), "data": {"completed": turn % 2 == 0}} for turn in range(4)]
    return batches.run(Batch.model_validate({"operations": operations, "atomic": False}))


def edited(batches: BatchService, _: TaskService) -> object:
    """Read the tree and edit its top again and again, which changes no other task."""
    operations = [
        {"op": "update", "id": str(TOP), "data": {"title": str(turn), "status": "todo"}} for turn in range(100)
    ]
    return batches.run(Batch.model_validate({"operations": operations}))


WORK: dict[str, Callable[[BatchService, TaskService], object]] = {
    "a batch": again_and_again,
    "edits": edited,
    "complete": lambda _, tasks: tasks.complete(TOP, completed=True),
    "delete": lambda _, tasks: tasks.delete(TOP),
    "remove": lambda _, tasks: tasks.remove(TOP),
    "move": lambda _, tasks: tasks.move(TOP, TaskMove(list_id=LIST)),
}


@pytest.mark.requirement("FR-378")
@pytest.mark.parametrize("name", WORK)
def test_whatever_is_done_with_many_tasks_others_have_turns(database_url: str, user_id: str, name: str) -> None:
    execute(database_url, PLANT, user_id, BELOW + 1, user_id, str(LIST), user_id, str(TOP), user_id, str(TOP), BELOW)
    engine = Engine(database_url, pool_size=1, timeout_seconds=300)
    sessions = SessionFactory(engine)
    batches, tasks = BatchService(sessions, user_id, 10 * BELOW), TaskService(sessions, user_id, 10 * BELOW)
    gc.collect()
    gc.disable()  # the tests have many more objects than a worker, which hides its own from the collector
    try:
        longest, total = asyncio.run(stretches(lambda: WORK[name](batches, tasks)))
    finally:
        gc.enable()
        engine.dispose()
    # Processor time of this thread, so a slow or busy machine changes both alike. Without turns, nearly all is one.
    assert longest < total / 4


@pytest.mark.requirement("FR-378")
def test_to_make_room_others_have_a_turn_before_each_position(
    client: httpx.Client, user_id: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = create(client, "moved")
    execute(database_url, TIES, user_id, TIED)
    turns: list[None] = []
    monkeypatch.setattr(moving, "give_way", lambda: turns.append(None))
    answer = client.post(f"{path_of(moved)}/move", json={"after": str(IN_THE_MIDDLE)})
    assert answer.status_code == 200, answer.text
    assert len(turns) >= TIED // 2


async def stretches(work: Callable[[], object]) -> tuple[float, float]:
    """Return how long work computed at most without a turn for others, and altogether, in seconds."""
    longest, began = 0.0, time.thread_time()
    last = began
    doing = asyncio.ensure_future(greenlet_spawn(work))
    while not doing.done():
        await asyncio.sleep(0.001)
        now = time.thread_time()
        longest, last = max(longest, now - last), now
    await doing
    return longest, last - began


@pytest.mark.requirement("FR-378")
def test_what_a_refused_operation_has_computed_is_let_go(database_url: str, user_id: str) -> None:
    """Else the garbage collector would look through it, and all others would wait for that."""
    engine = Engine(database_url, pool_size=1, timeout_seconds=60)
    operations = [{"op": "complete", "id": str(TOP)}] * 2
    outcomes = BatchService(SessionFactory(engine), user_id, BELOW).run(
        Batch.model_validate({"operations": operations, "atomic": False})
    )
    engine.dispose()
    assert [(type(outcome), getattr(outcome, "__traceback__", "")) for outcome in outcomes] == 2 * [
        (TaskNotFound, None)
    ]


@pytest.mark.requirement("FR-434")
def test_a_condition_of_very_many_tags_is_refused(client: httpx.Client) -> None:
    top = create(client, "top")
    many = ", ".join(f'"{number}"' for number in range(MAX_TAGS))
    for tags, status in ((f'"{top["revision"]}", {many}'[:MAX_TAGS].rpartition(",")[0], 200), (many, 422)):
        answer = send_batch(client, operation("complete", top, if_match=tags))
        assert answer.status_code == status, answer.text
    assert refused(answer) == [("operations.0.if_match", "entity_tag_invalid")]


@pytest.mark.requirement("FR-377")
def test_one_request_makes_a_bounded_number_of_changes(
    client: httpx.Client, user_id: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    top = create(client, "top")
    for title in ("a", "b"):
        create(client, title, parent_id=top["id"])
    monkeypatch.setattr(loaded, "MAX_CHANGES", 7)
    before = rows_of(database_url, user_id)

    answer = send_batch(client, *completions(top, 3))

    assert [code for _, code in refused(answer, 409, "CONFLICT")] == ["conflict", "too_many_changes"]
    assert rows_of(database_url, user_id) == before
    results = run_each(client, *completions(top, 3))
    assert statuses_of(results) == [200, 200, 409]
    assert results[2]["error"]["details"][0]["code"] == "too_many_changes"
    run_batch(client, *completions(top, 2))


@pytest.mark.requirement("FR-377")
def test_a_file_of_more_changes_is_stored_in_parts(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loaded, "MAX_CHANGES", 3)
    tasks = [create(client, str(number)) for number in range(8)]

    report = report_of(send(client, lines_of([{"id": each["id"], "title": "new"} for each in tasks]), LINES))

    assert counts_of(report) == {"updated": 8}
    assert {client.get(path_of(each)).json()["data"]["title"] for each in tasks} == {"new"}


@pytest.mark.requirement("FR-379")
@pytest.mark.parametrize("is_file", [True, False], ids=["row", "operation"])
def test_what_is_refused_leaves_no_label_and_no_number(
    client: httpx.Client, user_id: str, database_url: str, monkeypatch: pytest.MonkeyPatch, *, is_file: bool
) -> None:
    top = create(client, "top")
    wanted = {"labels": ["left"], "completed": True}
    if is_file:
        monkeypatch.setattr(loaded, "MAX_CHANGES", 0)
        report = report_of(send(client, lines_of([{"id": top["id"], "title": "top", **wanted}]), LINES))
        assert [error["code"] for error in report["errors"]] == ["too_many_changes"]
        monkeypatch.undo()
    else:
        monkeypatch.setattr(loaded, "MAX_CHANGES", 3)
        operations = [operation("update", top, data={"title": str(number)}) for number in range(3)]
        results = run_each(client, *operations, operation("update", top, data=wanted))
        assert statuses_of(results) == [200, 200, 200, 409]

    assert client.get("/api/labels").json()["data"] == []
    create(client, "next")
    revisions = [row[0]["revision"] for row in rows_of(database_url, user_id)[1:]]
    assert len(revisions) == len(set(revisions))
