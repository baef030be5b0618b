"""Changes of many tasks at once: they leave a list, go to the trash, come back, or get other labels.

A change is a statement. It does to every task what a rule of `rules.py` does to a single task. It takes the tasks in
the order of their revisions, and gives them the next revisions.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    DateTime,
    Subquery,
    Text,
    Uuid,
    any_,
    cast,
    func,
    literal_column,
    null,
    update,
)
from sqlalchemy import bindparam as bind
from sqlalchemy.dialects.postgresql import array, insert
from sqlalchemy.sql.dml import Insert, Update
from sqlmodel import select

from backend.database.statements import OF_MANY_ROWS
from backend.models.tables import tasks, tombstones
from backend.services.resources.parameters import OWNED, USER_ID, owned
from backend.services.resources.tombstones import MOVED, NAMES, replacing
from backend.services.unit_of_work import UnitOfWork
from backend.utils.positions import last_positions

# The revision before those that the tasks get.
_AFTER: ColumnElement[int] = bind("counted_after", type_=BigInteger)
_LIST: ColumnElement[Any] = bind("list_before", type_=Uuid)
_TRASHED_AT: ColumnElement[Any] = bind("trashed_at", type_=DateTime(timezone=True))
_LABEL: ColumnElement[str] = bind("label_before", type_=Text)
_NEW_LABEL: ColumnElement[str] = bind("label_after", type_=Text)

_IN_LIST = tasks.c.list_id == _LIST
# As the index has it: part of the text, for as a value Postgres could not tell that the index is enough.
CARRY_ANY = tasks.c.labels != literal_column("'{}'::text[]", ARRAY(Text))


def _numbered(condition: ColumnElement[bool]) -> Subquery:
    """Select tasks, numbered in the order of their revisions, and in that of their positions."""
    number = func.row_number().over(order_by=(tasks.c.revision, tasks.c.id)).label("number")
    place = func.row_number().over(order_by=(tasks.c.position, tasks.c.id)).label("place")
    return select(tasks.c.id, number, place).where(OWNED, condition).subquery("changing")


def _change(condition: ColumnElement[bool], **values: Any) -> Update:
    """Change tasks, each with a revision of its own. Tasks that leave their list come last in the inbox."""
    changing = _numbered(condition)
    if "list_id" in values:
        place = func.lpad(cast(changing.c.place, Text), 10, "0")
        values["position"] = bind("last_positions", type_=Text).concat(place).concat("1")
    return (
        update(tasks)
        .where(OWNED, tasks.c.id == changing.c.id)
        .values(
            **values,
            revision=_AFTER + changing.c.number,
            updated_at=func.greatest(func.now(), tasks.c.updated_at),
        )
        .execution_options(**OF_MANY_ROWS)
    )


def _parent() -> ColumnElement[Any]:
    """Select the parent of a task, or null if it is not there."""
    above = tasks.alias("above")
    parent = select(above.c.id).where(owned(above), above.c.id == tasks.c.parent_id).limit(1)
    return parent.correlate(tasks).scalar_subquery()


def _say_left() -> Insert:
    """Say that the tasks of a list have left it, before they do, with the revisions that they get."""
    leaving = _numbered(_IN_LIST)
    kind = literal_column(f"'{MOVED}'", Text)
    columns: list[Any] = [cast(USER_ID, Text), leaving.c.id, _AFTER + leaving.c.number, kind, array([_LIST])]
    rows: Any = select(*columns)  # more columns than the stubs support
    return replacing(insert(tombstones).from_select(NAMES, rows)).execution_options(**OF_MANY_ROWS)


# `rules.trashed`
TRASH = _change(_IN_LIST & tasks.c.in_trash.is_(False), deleted_at=func.now())
# `rules.left_list`. The tasks in the trash leave, too: the tasks above them may be living.
LEAVE = _change(_IN_LIST, list_id=null(), parent_id=_parent())
# Both.
LEAVE_FOR_TRASH = _change(
    _IN_LIST, list_id=null(), parent_id=_parent(), deleted_at=func.coalesce(tasks.c.deleted_at, func.now())
)
# `rules.brought_back`
_WENT_ALONG = tasks.c.in_trash.is_(True) & (tasks.c.deleted_at == _TRASHED_AT)
COME_BACK = _change(_IN_LIST & _WENT_ALONG, deleted_at=null(), parent_id=_parent())
# `rules.relabelled`
_CARRY = CARRY_ANY & (any_(tasks.c.labels) == _LABEL)
RENAME_LABEL = _change(_CARRY, labels=func.array_replace(tasks.c.labels, _LABEL, _NEW_LABEL))
TAKE_OFF_LABEL = _change(_CARRY, labels=func.array_remove(tasks.c.labels, _LABEL))
SAY_LEFT = _say_left()


def trash_list(unit: UnitOfWork, list_id: UUID, number: int) -> None:
    """Move the living tasks of a list to the trash; they are this many."""
    unit.change_many("task", TRASH, number, list_before=list_id)


def restore_list(unit: UnitOfWork, list_id: UUID, trashed_at: datetime, number: int) -> None:
    """Bring back the tasks that went to the trash along with their list; they are this many."""
    unit.change_many("task", COME_BACK, number, list_before=list_id, trashed_at=trashed_at)


def empty_list(unit: UnitOfWork, list_id: UUID, number: int, *, to_trash: bool, is_followed: bool) -> None:
    """Take all tasks out of a list, which are this many, and to the trash if asked for.

    They come last in the inbox, in the order that they had. `is_followed`: tokens for the list are told.
    """
    if not number:
        return
    positions = last_positions(unit.now, unit.last_position)
    unit.note_positions(f"{positions}{number:010}1")
    if is_followed:
        unit.store(SAY_LEFT, list_before=list_id, counted_after=unit.revision)
    statement = LEAVE_FOR_TRASH if to_trash else LEAVE
    unit.change_many("task", statement, number, list_before=list_id, last_positions=positions)


def rename_label(unit: UnitOfWork, name: str, new_name: str, number: int) -> None:
    """Rename a label on the tasks that carry it, which are this many."""
    unit.change_many("task", RENAME_LABEL, number, label_before=name, label_after=new_name)


def take_off_label(unit: UnitOfWork, name: str, number: int) -> None:
    """Take a label off the tasks that carry it, which are this many."""
    unit.change_many("task", TAKE_OFF_LABEL, number, label_before=name)
