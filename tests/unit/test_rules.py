"""The rules about tasks, without a database: what every change makes of a task."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.errors import Conflict
from backend.models.task import TaskCreate, TaskUpdate
from backend.models.task_file import ImportedTask
from backend.services.task_files import import_rules
from backend.services.tasks import rules
from backend.services.tasks.rules import Row

pytestmark = pytest.mark.requirement("FR-038")

TIMES = st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - naive bounds
TITLES = st.text("abc äß", min_size=1, max_size=9).filter(lambda text: bool(text.strip()))
DESCRIPTIONS = st.none() | st.text("abc\n", max_size=9)


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
    )


@st.composite
def edits(draw: st.DrawFn) -> TaskUpdate:
    """Draw an edit of any of the fields."""
    fields = {"title": TITLES, "description": DESCRIPTIONS, "completed": st.booleans()}
    return TaskUpdate.model_validate(draw(st.fixed_dictionaries({}, optional=fields)))


def is_consistent(task: Row) -> bool:
    """Return whether `completed` and its time belong together."""
    return task.completed == (task.completed_at is not None)


@given(rows(), edits(), TIMES)
def test_an_edit_sets_what_was_sent_and_nothing_else(task: Row, data: TaskUpdate, now: datetime) -> None:
    edited = rules.edited(task, data, now)

    for name in ("title", "description", "completed"):
        expected = getattr(data if name in data.model_fields_set else task, name)
        assert getattr(edited, name) == expected
    assert edited._replace(**{name: getattr(task, name) for name in EDITED}) == task
    assert is_consistent(edited)
    assert rules.edited(edited, data, now + timedelta(1)) == edited  # the same edit again changes nothing


EDITED = ("title", "description", "completed", "completed_at")


@given(rows(), TIMES)
def test_toggling_twice_changes_nothing_but_the_time(task: Row, now: datetime) -> None:
    once = rules.toggled(task, now)
    assert is_consistent(once)
    assert once.completed is not task.completed
    assert rules.toggled(once, now)._replace(completed_at=None) == task._replace(completed_at=None)


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


@given(rows(), st.fixed_dictionaries({"title": TITLES}, optional={"completed": st.booleans()}), TIMES)
def test_a_row_of_a_file_does_what_the_same_edit_does(task: Row, fields: dict[str, object], now: datetime) -> None:
    edited = rules.edited(rules.restored(task), TaskUpdate.model_validate(fields), now)
    assert import_rules.changed(task, ImportedTask.model_validate(fields), now) == edited
