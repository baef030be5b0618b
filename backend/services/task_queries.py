"""The statements behind TaskService, built once. Each is one flight and atomic by itself, and answers JSON text.

Every statement says `user_id = …` (the first wall); row-level security says it again (the second). A write locks the
user's row before it touches a task, so that one user's writes stand in a line and no two of them can deadlock.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CTE,
    BigInteger,
    Boolean,
    ColumnElement,
    DateTime,
    FromClause,
    Integer,
    Text,
    Uuid,
    case,
    cast,
    exists,
    func,
    not_,
    null,
    or_,
    true,
    tuple_,
    union_all,
    update,
)
from sqlalchemy import bindparam as bind
from sqlalchemy.dialects.postgresql import aggregate_order_by, insert
from sqlalchemy.sql.selectable import NamedFromClause
from sqlmodel import SQLModel, select
from sqlmodel.sql.expression import Select

from backend.models.task import Task, TaskPublic
from backend.models.user import User

users = SQLModel.metadata.tables[str(User.__tablename__)]
tasks = SQLModel.metadata.tables[str(Task.__tablename__)]

# No parameter may be called like a column: SQLAlchemy would take it for a value that an UPDATE is to set.
_USER_ID = bind("caller", type_=Text)
_TASK_ID = bind("task", type_=Uuid)
_OWNED = tasks.c.user_id == _USER_ID
_ALIVE = tasks.c.deleted_at.is_(None)
_PUBLIC = tuple(TaskPublic.model_fields)

Columns = dict[str, ColumnElement[Any]]
OneTask = Select[int, str]
TaskPage = Select[str, bool, datetime, UUID]


def _public(source: FromClause) -> tuple[ColumnElement[Any], ...]:
    """Pick the fields that leave the service, in the order of the documented model."""
    return tuple(source.c[name] for name in _PUBLIC)


def _json(source: NamedFromClause) -> ColumnElement[str]:
    """Turn each row into JSON text, so that Python neither builds nor serialises it."""
    return cast(func.row_to_json(source.table_valued()), Text)


def _get() -> OneTask:
    task = select(*_public(tasks)).where(_OWNED, tasks.c.id == _TASK_ID, _ALIVE).subquery("task")
    return select(task.c.revision, _json(task))


def _list(*, after_cursor: bool) -> TaskPage:
    """Select one row: the array of up to `limit` tasks, whether more follow, and the place of the last one."""
    newest_first = (tasks.c.created_at.desc(), tasks.c.id.desc())
    limit: ColumnElement[int] = bind("most", type_=Integer)
    rows = select(*_public(tasks)).where(_OWNED, _ALIVE).order_by(*newest_first).limit(limit + 1)
    if after_cursor:
        place = tuple_(bind("after", type_=DateTime(timezone=True)), _TASK_ID)
        rows = rows.where(tuple_(tasks.c.created_at, tasks.c.id) < place)
    task = rows.subquery("task")
    position = func.row_number().over(order_by=(task.c.created_at.desc(), task.c.id.desc()))
    numbered = select(
        position.label("position"),
        task.c.created_at,
        task.c.id,
        func.row_to_json(task.table_valued()).label("document"),
    ).subquery("numbered")
    in_page, last = numbered.c.position <= limit, numbered.c.position == limit
    documents = func.json_agg(aggregate_order_by(numbered.c.document, numbered.c.position)).filter(in_page)
    return select(
        func.coalesce(cast(documents, Text), "[]"),
        func.count() > limit,
        func.max(numbered.c.created_at).filter(last),
        cast(func.max(cast(numbered.c.id, Text)).filter(last), Uuid),
    ).select_from(numbered)


def _create() -> OneTask:
    """Store a task and count it, unless the user has `max_tasks` already: then there is no row to select."""
    max_tasks: ColumnElement[int] = bind("max_tasks", type_=BigInteger)
    account = (
        insert(users)
        .values(id=_USER_ID, revision=1, task_count=1)
        .on_conflict_do_update(
            index_elements=[users.c.id],
            set_={"revision": users.c.revision + 1, "task_count": users.c.task_count + 1},
            where=users.c.task_count < max_tasks,
        )
        .returning(users.c.revision)
        .cte("account")
    )
    completed: ColumnElement[bool] = bind("new_completed", type_=Boolean)
    values: Columns = {
        "user_id": _USER_ID,
        "id": _TASK_ID,
        "title": bind("new_title", type_=Text),
        "description": bind("new_description", type_=Text),
        "completed": completed,
        "completed_at": case((completed, func.now())),
        "revision": account.c.revision,
    }
    created = (
        insert(tasks).from_select(list(values), select(*values.values())).returning(*_public(tasks)).cte("created")
    )
    return select(created.c.revision, _json(created))


def _change(change: Callable[[CTE], Columns], *, compare: tuple[str, ...]) -> OneTask:
    """Change one living task, and count it, if a compared column gets a new value (or none is named); select it.

    `current` waits for the user's row and then the task's, and reads both as they are after the wait. New values and
    the comparison are made of it: the rest of the statement still sees the table as it was before the wait.
    """
    current = (
        select(*(*_public(tasks), users.c.revision.label("counter")))
        .select_from(users.join(tasks, tasks.c.user_id == users.c.id))
        .where(users.c.id == _USER_ID, _OWNED, tasks.c.id == _TASK_ID, _ALIVE)
        .with_for_update(key_share=True)
        .cte("current")
    )
    columns = change(current)
    differs = or_(*(current.c[name].is_distinct_from(columns[name]) for name in compare)) if compare else true()
    changed = (
        update(tasks)
        .where(_OWNED, tasks.c.id == current.c.id, differs)
        .values(**columns, updated_at=_later_than(current), revision=current.c.counter + 1)
        .returning(*_public(tasks))
        .cte("changed")
    )
    counted = (
        update(users)
        .where(users.c.id == _USER_ID, users.c.id == changed.c.user_id)
        .values(revision=changed.c.revision)
        .cte("counted")
    )
    unchanged = select(*_public(current)).where(not_(exists(select(changed.c.id))))
    task = union_all(select(*_public(changed)), unchanged).subquery("task")
    return select(task.c.revision, _json(task)).add_cte(counted)


def _later_than(current: CTE) -> ColumnElement[datetime]:
    """Take the time, but never turn it back: now() is when the statement started, before it waited for its turn."""
    return func.greatest(func.now(), current.c.updated_at)


def _completion(current: CTE, completed: ColumnElement[bool]) -> Columns:
    """Set completed together with the time that belongs to it."""
    since = func.coalesce(current.c.completed_at, func.now())
    return {"completed": completed, "completed_at": case((completed, since), else_=null())}


def _edited(current: CTE) -> Columns:
    """Edit any subset of the fields; a None for title or completed means: keep."""
    described = (bind("has_new_description", type_=Boolean), bind("new_description", type_=Text))
    completed = func.coalesce(bind("new_completed", type_=Boolean), current.c.completed)
    return {
        "title": func.coalesce(bind("new_title", type_=Text), current.c.title),
        "description": case(described, else_=current.c.description),
        **_completion(current, completed),
    }


def _completed(current: CTE) -> Columns:
    """Set completed, or toggle it when the parameter is None."""
    return _completion(current, func.coalesce(bind("new_completed", type_=Boolean), not_(current.c.completed)))


def _deleted(_current: CTE) -> Columns:
    """Put it in the trash."""
    return {"deleted_at": func.now()}


GET = _get()
LIST = _list(after_cursor=False)
LIST_AFTER = _list(after_cursor=True)
CREATE = _create()
UPDATE = _change(_edited, compare=("title", "description", "completed"))
COMPLETE = _change(_completed, compare=("completed",))
DELETE = _change(_deleted, compare=())
