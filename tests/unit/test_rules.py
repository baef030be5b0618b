"""The rules about tasks, without a database: what every change makes of a task."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from backend.errors import Conflict, ValidationFailed
from backend.models.task import Status, TaskCreate, TaskFields, TaskUpdate
from backend.models.task_file import ImportedTask
from backend.services.task_files import import_rules
from backend.services.tasks import rules
from backend.services.tasks.rules import Row

pytestmark = pytest.mark.requirement("FR-038")

TIMES = st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - naive bounds
TITLES = st.text("abc äß", min_size=1, max_size=9).filter(lambda text: bool(text.strip()))
DESCRIPTIONS = st.none() | st.text("abc\n", max_size=9)
STATUSES = st.sampled_from([*Status]).map(str)
OPEN_STATUSES = st.sampled_from(["todo", "in_progress", "cancelled"])


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
    )


@st.composite
def edits(draw: st.DrawFn) -> TaskUpdate:
    """Draw an edit of any of the fields."""
    fields = {"title": TITLES, "description": DESCRIPTIONS, "completed": st.booleans(), "status": STATUSES}
    return TaskUpdate.model_validate(draw(st.fixed_dictionaries({}, optional=fields)))


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
    assert edited._replace(**{name: getattr(task, name) for name in EDITED}) == task
    assert is_consistent(edited)
    if rules.is_clear(data):
        assert rules.edited(edited, data, now + timedelta(1)) == edited  # the same edit again changes nothing


EDITED = ("title", "description", "completed", "completed_at", "open_status")


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
    for sent in (own, own | {"status": "todo"}, own | {"description": None, "completed": False}):
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
    assert rules.restored(rules.trashed(task, now)) == rules.restored(task)
    assert rules.trashed(task, now).deleted_at == now


@given(rows(), TIMES, st.integers(1, 99))
def test_a_change_never_turns_the_time_back(task: Row, now: datetime, revision: int) -> None:
    changed = rules.changed(task, revision, now)
    assert changed.updated_at == max(now, task.updated_at)
    assert changed.revision == revision


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
    rules.refuse_in_trash(task)
    with pytest.raises(Conflict):
        rules.refuse_in_trash(rules.trashed(task, now))
    rules.refuse_other(rules.edited(task, TaskUpdate(title="x"), now), data)  # edited since, but the same request
    if own_id is not None:
        with pytest.raises(Conflict):
            rules.refuse_other(task._replace(request_hash=bytes(32)), data)


@given(
    rows(),
    st.fixed_dictionaries({"title": TITLES}, optional={"completed": st.booleans(), "description": DESCRIPTIONS}),
    TIMES,
)
def test_a_row_of_a_file_does_what_the_same_edit_does(task: Row, fields: dict[str, object], now: datetime) -> None:
    edited = rules.edited(rules.restored(task), TaskUpdate.model_validate(fields), now)
    assert import_rules.changed(task, ImportedTask.model_validate(fields), now) == edited
