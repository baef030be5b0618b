"""The rules about tasks, without a database: what every change makes of a task."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from backend.errors import Conflict, ValidationFailed
from backend.models.task import Status, TaskCreate, TaskFields, TaskUpdate
from backend.models.task_file import ImportedTask
from backend.services.loading import Found
from backend.services.task_files import import_rules
from backend.services.tasks import rules
from backend.services.tasks.loaded import LoadedTasks
from backend.services.tasks.rules import Row
from backend.services.tasks.tree import Tree, restored
from backend.services.unit_of_work import UnitOfWork
from backend.utils.positions import LAST, last_position
from backend.utils.priorities import word_of

pytestmark = pytest.mark.requirement("FR-038")

TIMES = st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - naive bounds
TITLES = st.text("abc äß", min_size=1, max_size=9).filter(lambda text: bool(text.strip()))
DESCRIPTIONS = st.none() | st.text("abc\n", max_size=9)
STATUSES = st.sampled_from([*Status]).map(str)
PRIORITIES = st.sampled_from([None, "high", "medium", "low"])
OPEN_STATUSES = st.sampled_from(["todo", "in_progress", "cancelled"])


NO_DATES: dict[str, Any] = dict.fromkeys(("due_date", "due_at", "start_date", "start_at", "timezone"))
SOME_DAYS = st.sampled_from([date(2026, 11, 20), date(2026, 11, 21), date(2026, 11, 22), date.min, date.max])
SOME_TIMES = st.sampled_from([datetime(2026, 11, day, 9, 30, 0, 1, tzinfo=UTC) for day in (20, 21, 22)]) | TIMES
SOME_ZONES = st.sampled_from(["Europe/Berlin", "Pacific/Auckland"])


@st.composite
def _days(draw: st.DrawFn) -> dict[str, Any]:
    start, due = sorted([draw(SOME_DAYS), draw(SOME_DAYS)])
    return draw(st.sampled_from([{"start_date": start}, {"due_date": due}, {"start_date": start, "due_date": due}]))


@st.composite
def _times(draw: st.DrawFn) -> dict[str, Any]:
    start, due = sorted([draw(SOME_TIMES), draw(SOME_TIMES)])
    times = draw(st.sampled_from([{"start_at": start}, {"due_at": due}, {"start_at": start, "due_at": due}]))
    return {**times, "timezone": draw(st.none() | SOME_ZONES)}


DATES: st.SearchStrategy[dict[str, Any]] = st.just({}) | _days() | _times()  # of a stored task
OF_KINDS = {"due_date": SOME_DAYS, "start_date": SOME_DAYS, "due_at": SOME_TIMES, "start_at": SOME_TIMES}
SAID_DATES = st.fixed_dictionaries(
    {},
    optional={
        name: (st.none() | values).map(lambda when: when and when.isoformat()) for name, values in OF_KINDS.items()
    }
    | {"timezone": st.none() | SOME_ZONES},
)


def dates_of(task: Row) -> dict[str, Any]:
    """Return the dates of a task, and its zone."""
    return {name: getattr(task, name) for name in NO_DATES}


@st.composite
def rows(draw: st.DrawFn) -> Row:
    """Draw a stored task."""
    created = draw(TIMES)
    completed_at = draw(st.none() | TIMES)
    return Row(
        id=draw(st.uuids()),
        title=draw(TITLES),
        description=draw(DESCRIPTIONS),
        completed=completed_at is not None,
        completed_at=completed_at,
        created_at=created,
        updated_at=created,
        deleted_at=draw(st.none() | TIMES),
        revision=draw(st.integers(1, 99)),
        request_hash=draw(st.none() | st.binary(min_size=32, max_size=32)),
        # A service of the release before may have completed a task of any status.
        open_status=draw(OPEN_STATUSES),
        priority=draw(st.integers(1, 10)),
        position=draw(st.integers(1, 99).map(lambda number: last_position(datetime(2026, 11, 20, tzinfo=UTC), number))),
        **draw(DATES),
    )


@st.composite
def edits(draw: st.DrawFn) -> TaskUpdate:
    """Draw an edit of any of the fields."""
    fields = {"title": TITLES, "description": DESCRIPTIONS, "completed": st.booleans(), "status": STATUSES}
    fields["priority"] = PRIORITIES
    return TaskUpdate.model_validate(draw(st.fixed_dictionaries({}, optional=fields)) | draw(SAID_DATES))


def effect(task: Row, data: TaskFields, now: datetime) -> Row | None:
    """Return the task after an edit, or None if its fields contradict each other."""
    try:
        return rules.edited(task, data, now)
    except ValidationFailed:
        return None


def is_consistent(task: Row) -> bool:
    """Return whether `completed` and its time belong together."""
    return task.completed == (task.completed_at is not None)


@given(rows(), edits(), TIMES)
def test_an_edit_sets_what_was_sent_and_nothing_else(task: Row, data: TaskUpdate, now: datetime) -> None:
    edited = effect(task, data, now)
    assume(edited is not None)
    assert edited is not None

    for name in ("title", "description"):
        expected = getattr(data if name in data.model_fields_set else task, name)
        assert getattr(edited, name) == expected
    assert edited._replace(**{name: getattr(task, name) for name in (*EDITED, *NO_DATES)}) == task
    if NO_DATES.keys().isdisjoint(data.model_fields_set):
        assert dates_of(edited) == dates_of(task)
    assert is_consistent(edited)
    if rules.is_clear(data):
        assert rules.edited(edited, data, now + timedelta(1)) == edited  # the same edit again changes nothing


EDITED = ("title", "description", "completed", "completed_at", "open_status", "priority")


@pytest.mark.requirement("FR-288")
@given(rows(), PRIORITIES, TIMES)
def test_a_word_sets_its_usual_number_or_keeps_one_that_it_stands_for(
    task: Row, priority: str | None, now: datetime
) -> None:
    edited = rules.edited(task, TaskUpdate(priority=priority), now)

    words = (*["high"] * 4, "medium", *["low"] * 4, None)
    usual = {"high": 1, "medium": 5, "low": 9, None: 10}[priority]
    assert edited == task._replace(priority=task.priority if words[task.priority - 1] == priority else usual)
    assert word_of(edited.priority) == priority
    assert rules.edited(task, TaskUpdate(title=task.title), now).priority == task.priority


@given(rows(), STATUSES, TIMES)
def test_a_status_alone_is_set(task: Row, status: str, now: datetime) -> None:
    edited = rules.edited(task, TaskUpdate(status=status), now)

    assert edited.status == status
    assert edited.completed is (status == "done")
    assert is_consistent(edited)


@given(rows(), st.booleans(), TIMES)
def test_completed_alone_leaves_the_status_of_a_task_that_already_is_so(
    task: Row,
    completed: bool,  # noqa: FBT001 - drawn
    now: datetime,
) -> None:
    edited = rules.edited(task, TaskUpdate(completed=completed), now)

    assert edited.completed is completed
    changed = "done" if completed else "todo"
    assert edited.status == (task.status if completed is task.completed else changed)


@given(rows(), STATUSES, st.booleans(), TIMES)
def test_of_both_the_one_that_differs_counts(
    task: Row,
    status: str,
    completed: bool,  # noqa: FBT001 - drawn
    now: datetime,
) -> None:
    edited = effect(task, TaskUpdate(status=status, completed=completed), now)

    if status == task.status:
        assert edited == rules.edited(task, TaskUpdate(completed=completed), now)
    elif completed is task.completed or completed is (status == "done"):
        assert edited == rules.edited(task, TaskUpdate(status=status), now)
    else:
        assert edited is None


@given(st.none() | STATUSES, st.sampled_from([None, True, False]))
def test_a_new_task_is_refused_if_both_are_said_and_contradict(status: str | None, completed: object) -> None:
    sent = {"title": "a", "status": status, "completed": completed}
    data = TaskCreate.model_validate({name: value for name, value in sent.items() if value is not None})

    assert rules.is_clear(data) is (status is None or completed is None or completed is (status == "done"))
    if rules.is_clear(data):
        rules.refuse_contradictions(data)
        assert rules.new_task(UUID(int=1), data, datetime.now(UTC)).status == (
            status or ("done" if completed else "todo")
        )
    else:
        with pytest.raises(ValidationFailed):
            rules.refuse_contradictions(data)


def test_a_create_without_newer_fields_has_the_hash_that_it_always_had() -> None:
    """A retry may reach a service of another release."""
    own = {"id": "0197c1f0-7a3b-7c4d-8e5f-6a7b8c9d0e1f", "title": "Buy milk"}
    of_first_release = "1fe12b4e88e28ffed2e5d214d854b6c25507d2c1a1e3df3458a1a6102ca16b16"
    for sent in (
        own,
        own | {"status": "todo"},
        own | {"priority": None},
        own | {"description": None, "completed": False},
    ):
        found = rules.request_hash_of(TaskCreate.model_validate(sent))
        assert found is not None
        assert found.hex() == of_first_release
    assert rules.request_hash_of(TaskCreate.model_validate(own | {"status": "done"})) != bytes.fromhex(of_first_release)


@given(rows(), TIMES)
def test_toggling_twice_changes_nothing_but_the_time(task: Row, now: datetime) -> None:
    once = rules.toggled(task, now)
    assert is_consistent(once)
    assert once.completed is not task.completed
    twice = rules.toggled(once, now)
    assert twice._replace(completed_at=None, open_status="todo") == task._replace(completed_at=None, open_status="todo")


@given(rows(), TIMES)
def test_a_task_that_is_completed_again_keeps_its_time(task: Row, now: datetime) -> None:
    done = rules.with_completion(task, completed=True, at=now)
    assert done.completed_at == (task.completed_at or now)
    assert rules.with_completion(done, completed=True, at=now + timedelta(1)) == done
    assert rules.with_completion(done, completed=False, at=now).completed_at is None


@given(rows(), TIMES)
def test_the_trash_and_back_leaves_a_task_as_it_was(task: Row, now: datetime) -> None:
    lists = {task.list_id} if task.list_id else set()
    alive = restored(task, lists, Tree())
    assert restored(rules.trashed(alive, now), lists, Tree()) == restored(alive, set(), Tree()) == alive
    assert rules.trashed(task, now).deleted_at == now


@pytest.mark.requirement("FR-339")
@given(rows(), TIMES, st.uuids(), st.uuids())
def test_a_task_whose_list_is_gone_comes_back_into_the_inbox(task: Row, now: datetime, here: UUID, other: UUID) -> None:
    trashed = rules.trashed(task._replace(list_id=here), now)
    assert restored(trashed, {here}, Tree()).list_id == here
    assert restored(trashed, {other} - {here}, Tree()) == (
        trashed._replace(deleted_at=None, list_id=None, position=LAST)
    )


@pytest.mark.requirement("FR-338")
@given(rows(), TIMES, st.uuids())
def test_no_task_comes_into_a_list_that_is_not_there(task: Row, now: datetime, place: UUID) -> None:
    inside = task._replace(list_id=place, deleted_at=None)
    for before in (None, task._replace(list_id=None), rules.trashed(inside, now)):
        with pytest.raises(ValidationFailed) as refused:
            rules.refuse_unknown_list(inside, before, set())
        assert [(detail.field, detail.code) for detail in refused.value.details] == [("list_id", "list_unknown")]
        rules.refuse_unknown_list(inside, before, {place})
    rules.refuse_unknown_list(inside, inside, set())
    rules.refuse_unknown_list(task._replace(list_id=None), inside, set())


@given(st.none() | st.uuids(), TITLES, DESCRIPTIONS, st.booleans(), TIMES)
def test_a_create_is_known_again_by_its_request(
    own_id: UUID | None,
    title: str,
    description: str | None,
    completed: bool,  # noqa: FBT001 - drawn
    now: datetime,
) -> None:
    sent = {"title": title, "description": description, "completed": completed}
    data = TaskCreate.model_validate(sent | ({} if own_id is None else {"id": str(own_id)}))
    task = rules.new_task(own_id or UUID(int=1), data, now)

    assert is_consistent(task)
    for existing, is_known in (
        (task, True),
        (rules.edited(task, TaskUpdate(title="x"), now), True),  # edited since, but the same request
        (task._replace(request_hash=bytes(32)), own_id is None),
        (rules.trashed(task, now), False),
    ):
        unit = UnitOfWork(cast(Any, SimpleNamespace(list_id=None)), "a user")
        tasks = LoadedTasks(unit, 1, Found([existing], [], {}))
        with nullcontext() if is_known else pytest.raises(Conflict):
            assert tasks.find(tasks.create(task).id) == existing


@given(
    rows(),
    st.fixed_dictionaries({"title": TITLES}, optional={"completed": st.booleans(), "description": DESCRIPTIONS}),
    TIMES,
)
def test_a_row_of_a_file_does_what_the_same_edit_does(task: Row, fields: dict[str, object], now: datetime) -> None:
    lists = {task.list_id} if task.list_id else set()
    edited = rules.edited(restored(task, lists, Tree()), TaskUpdate.model_validate(fields), now)
    assert import_rules.changed(task, ImportedTask.model_validate(fields), now, lists, Tree()) == edited
