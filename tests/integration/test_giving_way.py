"""Long requests: others have their turns meanwhile, and one request changes a bounded number of tasks."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from sqlalchemy.util.concurrency import greenlet_spawn

from backend.database import giving_way
from backend.database.deadline import begin_work
from backend.database.giving_way import give_way, in_turns
from backend.services.tasks import loaded
from tests.fixtures.batches import operation, rows_of, run_batch, run_each, send_batch, statuses_of
from tests.fixtures.subtasks import refused
from tests.fixtures.task_files import LINES, counts_of, lines_of, report_of, send
from tests.fixtures.tasks import Task, create, path_of


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
