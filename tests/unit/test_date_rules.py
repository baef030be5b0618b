"""The rules about dues and starts, without a database."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from backend.errors import ValidationFailed
from backend.models.task import TaskCreate, TaskUpdate
from backend.models.task_file import ImportedTask
from backend.services.task_files import import_rules
from backend.services.tasks import rules
from backend.services.tasks.loaded import task_json
from backend.services.tasks.rules import Row
from backend.services.tasks.tree import Tree
from tests.unit.test_rules import DATES, NO_DATES, SAID_DATES, TIMES, dates_of, rows

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
DAY, TIME = date(2026, 11, 21), datetime(2026, 11, 21, 12, tzinfo=UTC)
NEW = {"title": "a", "id": str(UUID(int=1))}


def edited(task: Row, said: dict[str, Any]) -> Row:
    """Return the task after an edit."""
    return rules.edited(task, TaskUpdate.model_validate(said), NOW)


def code_of(task: Row, said: dict[str, Any]) -> tuple[str, str] | None:
    """Return the field and the code of the refusal of an edit."""
    try:
        edited(task, said)
    except ValidationFailed as error:
        (detail,) = error.details
        return detail.field, detail.code
    return None


def kinds(task: Row) -> set[str]:
    """Return which of the dates are set."""
    return {name for name, value in dates_of(task).items() if value is not None}


def is_right(task: Row) -> bool:
    """Return whether the dates agree, as the constraints of the table say."""
    is_day, is_time = (not kinds(task).isdisjoint({f"due_{kind}", f"start_{kind}"}) for kind in ("date", "at"))
    in_order = all(
        start is None or due is None or start <= due
        for start, due in ((task.start_date, task.due_date), (task.start_at, task.due_at))
    )
    return not (is_day and is_time) and in_order and (task.timezone is None or is_time)


@pytest.mark.requirement("FR-279", "FR-280", "FR-281")
@given(rows(), SAID_DATES)
def test_an_edit_is_refused_or_leaves_dates_that_agree(task: Row, said: dict[str, Any]) -> None:
    assume(code_of(task, said) is None)
    after = edited(task, said)

    assert is_right(after)
    has_time = after.due_at is not None or after.start_at is not None
    for name, value in said.items():
        if value is not None and (name != "timezone" or has_time):
            assert getattr(after, name) == getattr(TaskUpdate.model_validate(said), name)
    assert edited(after, said) == after  # the same again changes nothing


@pytest.mark.requirement("FR-279")
@given(rows(), SAID_DATES)
def test_only_what_is_said_and_what_it_excludes_changes(task: Row, said: dict[str, Any]) -> None:
    assume(code_of(task, said) is None)
    after = edited(task, said)

    may_change = {*said, "timezone"}
    for name, value in said.items():
        if value is not None and name != "timezone":
            may_change.add(name.replace("_date", "_at") if name.endswith("date") else name.replace("_at", "_date"))
    assert {name for name in NO_DATES if getattr(after, name) != getattr(task, name)} <= may_change
    if after.timezone != task.timezone and "timezone" not in said:
        assert kinds(after).isdisjoint({"due_at", "start_at"})


@pytest.mark.requirement("FR-279")
@given(rows())
def test_a_whole_task_may_be_sent_back(task: Row) -> None:
    shown = json.loads(task_json(task, "alice"))
    sent = {name: shown[name] for name in TaskUpdate.model_fields} | {"title": "another"}

    assert edited(task, sent) == task._replace(title="another")


@pytest.mark.requirement("FR-279")
@given(rows(), st.sampled_from(["due", "start"]))
def test_setting_one_kind_clears_the_other(task: Row, name: str) -> None:
    other = "start" if name == "due" else "due"
    nothing = {f"{other}_date": None, f"{other}_at": None}
    by_day = edited(task, {f"{name}_date": "2026-11-21", **nothing})
    by_time = edited(by_day, {f"{name}_at": "2026-11-21T13:00:00+01:00"})

    assert (kinds(by_day), getattr(by_day, f"{name}_date")) == ({f"{name}_date"}, DAY)
    assert (kinds(by_time), getattr(by_time, f"{name}_at")) == ({f"{name}_at"}, TIME)
    assert code_of(task, {f"{name}_date": "2026-11-21", f"{name}_at": "2026-11-21T13:00:00+01:00"}) == (
        f"{name}_at",
        f"{name}_both",
    )


@pytest.mark.requirement("FR-280", "FR-281")
@pytest.mark.parametrize(
    ("stored", "said", "refusal"),
    [
        ({"due_date": DAY}, {"start_at": TIME.isoformat()}, ("start_at", "start_and_due_differ")),
        ({"due_at": TIME}, {"start_date": "2026-11-20"}, ("start_date", "start_and_due_differ")),
        ({"start_date": DAY}, {"due_at": TIME.isoformat()}, ("start_date", "start_and_due_differ")),
        ({"start_date": DAY}, {"due_date": "2026-11-20"}, ("start_date", "start_after_due")),
        ({"start_date": DAY}, {"due_date": "2026-11-21"}, None),
        ({"due_at": TIME}, {"start_at": "2026-11-21T12:00:00.000001Z"}, ("start_at", "start_after_due")),
        ({"due_at": TIME}, {"start_at": "2026-11-21T23:00:00+11:00"}, None),
        ({}, {"timezone": "Europe/Berlin"}, ("timezone", "timezone_without_time")),
        ({"due_date": DAY}, {"timezone": "Europe/Berlin"}, ("timezone", "timezone_without_time")),
        ({"start_at": TIME}, {"timezone": "Europe/Berlin"}, None),
        ({}, {"timezone": None}, None),
    ],
)
def test_dates_that_disagree_are_refused(
    stored: dict[str, Any], said: dict[str, Any], refusal: tuple[str, str] | None
) -> None:
    assert code_of(Row(UUID(int=1), NOW, NOW, **stored), said) == refusal


@pytest.mark.requirement("FR-281")
def test_without_its_last_time_a_task_has_no_zone() -> None:
    task = Row(UUID(int=1), NOW, NOW, start_at=TIME, due_at=TIME, timezone="Europe/Berlin")

    assert edited(task, {"start_at": None}).timezone == "Europe/Berlin"
    assert edited(task, {"start_at": None, "due_at": None}) == task._replace(start_at=None, due_at=None, timezone=None)
    assert edited(task, {"start_at": None, "due_date": "2026-11-21"}).timezone is None


@pytest.mark.requirement("FR-281")
def test_a_whole_task_whose_time_is_cleared_or_made_a_day_may_name_its_zone() -> None:
    task = Row(UUID(int=1), NOW, NOW, due_at=TIME, timezone="Europe/Berlin")

    cleared = {"due_at": None, "timezone": "Europe/Berlin"}
    assert edited(task, cleared) == task._replace(due_at=None, timezone=None)
    assert edited(edited(task, cleared), cleared) == edited(task, cleared)
    assert edited(task, {**cleared, "due_date": "2026-11-21"}) == task._replace(
        due_at=None, due_date=DAY, timezone=None
    )
    assert code_of(task, {"due_date": "2026-11-21", "timezone": "Europe/Berlin"}) == (
        "timezone",
        "timezone_without_time",
    )


@pytest.mark.requirement("FR-282")
@given(SAID_DATES)
def test_a_create_and_a_row_of_a_file_are_judged_as_an_edit_of_an_empty_task(said: dict[str, Any]) -> None:
    empty = Row(UUID(int=1), NOW, NOW)
    row, data = ImportedTask.model_validate({**NEW, **said}), TaskCreate.model_validate({**NEW, **said})
    if refusal := code_of(empty, said):
        makes: list[Callable[[], Row]] = [
            lambda: rules.new_task(empty.id, data, NOW),
            lambda: import_rules.new_task(empty.id, row, NOW, NOW),
            lambda: import_rules.changed(empty, row, NOW, (), Tree()),
        ]
        for make in makes:
            with pytest.raises(ValidationFailed) as refused:
                make()
            assert (refused.value.details[0].field, refused.value.details[0].code) == refusal
    else:
        expected = dates_of(edited(empty, said))
        assert dates_of(rules.new_task(empty.id, data, NOW)) == expected
        assert dates_of(import_rules.new_task(empty.id, row, NOW, NOW)) == expected
        assert dates_of(import_rules.changed(empty, row, NOW, (), Tree())) == expected


@pytest.mark.requirement("FR-282")
def test_the_same_create_is_known_again_whatever_the_offset() -> None:
    first, again, other = (
        rules.request_hash_of(TaskCreate.model_validate({**NEW, "due_at": due}))
        for due in ("2026-11-21T13:00:00+01:00", "2026-11-21T12:00:00Z", "2026-11-21T12:00:01Z")
    )
    assert first == again != other


@given(DATES, TIMES)
@pytest.mark.requirement("FR-278")
def test_the_key_of_a_due_is_its_time_or_the_end_of_its_day(dates: dict[str, Any], now: datetime) -> None:
    task = Row(UUID(int=1), now, now, **dates)
    latest = datetime.max.replace(tzinfo=UTC) - timedelta(microseconds=1)

    if task.due_at is not None:
        assert task.due_key == min(task.due_at, latest)
    elif task.due_date is None:
        assert task.due_key == "infinity"
    elif task.due_date < date.max:
        end_of_day = datetime.fromisoformat(f"{task.due_date + timedelta(1)}T00:00:00+00:00") - timedelta(
            microseconds=1
        )
        assert task.due_key == end_of_day
    else:
        assert task.due_key == latest
