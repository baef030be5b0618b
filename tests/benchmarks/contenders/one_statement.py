"""Changes of one task as one statement each, for *floor*: the fewest round trips that are possible.

They lock the user's row, decide and store in SQL. The service takes two round trips instead, and decides in Python.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    CTE,
    BigInteger,
    Boolean,
    ColumnElement,
    LargeBinary,
    Subquery,
    Text,
    any_,
    case,
    cast,
    exists,
    func,
    literal,
    not_,
    null,
    or_,
    true,
    union_all,
    update,
)
from sqlalchemy import bindparam as bind
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import select
from sqlmodel.sql.expression import Select

from backend.models.tables import tasks, users
from backend.services.resources.parameters import OWNED, USER_ID
from backend.services.resources.statements import as_json
from backend.services.tasks.columns import ALIVE, PUBLIC_IN_TRASH, TASK_ID, public

# The revisions that a request accepts; null means any.
EXPECTED: ColumnElement[Any] = cast(bind("expected"), ARRAY[int](BigInteger))

Columns = dict[str, ColumnElement[Any]]
ChangedTask = Select[int, str, bool]
CreatedTask = Select[int | None, str | None, str]


def _create() -> CreatedTask:
    """Store a task and count it, unless the id is taken; select the task with this id, and the outcome.

    A new task is `created`. An existing one is the `same` if the same request created it, `trashed`, or an `other` one.
    If there is no task, the account is `full`, or another request filled it while this one waited: then this one is
    `overtaken`, and may find the task under that id when it runs again.
    """
    existing = (
        select(*(*public(tasks), tasks.c.in_trash, (tasks.c.request_hash == _REQUEST_HASH).label("is_same")))
        .where(OWNED, tasks.c.id == TASK_ID)
        .cte("existing")
    )
    account = _account(existing)
    completed: ColumnElement[bool] = bind("new_completed", type_=Boolean)
    values: Columns = {
        "user_id": USER_ID,
        "id": TASK_ID,
        "title": bind("new_title", type_=Text),
        "description": bind("new_description", type_=Text),
        "completed": completed,
        "completed_at": case((completed, func.now())),
        "revision": account.c.revision,
        "request_hash": _REQUEST_HASH,
    }
    created = insert(tasks).from_select(list(values), select(*values.values())).returning(*public(tasks)).cte("created")
    task = union_all(select(*public(created)), select(*public(existing))).subquery("task")
    outcome = case(
        (existing.c.in_trash, "trashed"),
        (existing.c.is_same, "same"),
        (existing.c.id.is_not(None), "other"),
        (task.c.id.is_not(None), "created"),
        (exists(select(users.c.id).where(users.c.id == USER_ID, users.c.task_count >= _MAX_TASKS)), "full"),
        else_="overtaken",
    )
    always = select(true()).subquery("always")
    found = always.outerjoin(existing, true()).outerjoin(task, true())
    return select(task.c.revision, as_json(task), outcome).select_from(found)


def _account(existing: CTE) -> CTE:
    """Count a new task on the user's row, which the first one inserts; not if it exists or the account is full."""
    is_new = not_(exists(select(existing.c.id)))
    return (
        insert(users)
        .from_select(
            ["id", "revision", "task_count"], select(cast(USER_ID, Text), literal(1), literal(1)).where(is_new)
        )
        .on_conflict_do_update(
            index_elements=[users.c.id],
            set_={"revision": users.c.revision + 1, "task_count": users.c.task_count + 1},
            where=users.c.task_count < _MAX_TASKS,
        )
        .returning(users.c.revision)
        .cte("account")
    )


def _current(*conditions: ColumnElement[bool]) -> CTE:
    """Lock the user's row and then the task's, and read both as they are after the wait.

    New values must be made from this: the rest of a statement still sees the table as before the wait.
    """
    is_expected = or_(EXPECTED.is_(None), tasks.c.revision == any_(EXPECTED))
    counts = (users.c.revision.label("counter"), users.c.task_count)
    return (
        select(*(*public(tasks, PUBLIC_IN_TRASH), *counts, is_expected.label("is_expected")))
        .select_from(users.join(tasks, tasks.c.user_id == users.c.id))
        .where(users.c.id == USER_ID, OWNED, tasks.c.id == TASK_ID, *conditions)
        .with_for_update(key_share=True)
        .cte("current")
    )


def _change(
    change: Callable[[CTE], Columns], differs: Callable[[CTE, Columns], ColumnElement[bool]], *conditions: Any
) -> ChangedTask:
    """Change one task, and count it, if it is as expected and the change makes a difference.

    Select the resulting task, and whether it was as expected.
    """
    current = _current(*conditions)
    columns = change(current)
    changed = (
        update(tasks)
        .where(OWNED, tasks.c.id == current.c.id, current.c.is_expected, differs(current, columns))
        .values(**columns, updated_at=_later_than(current), revision=current.c.counter + 1)
        .returning(*public(tasks, PUBLIC_IN_TRASH))
        .cte("changed")
    )
    counted = (
        update(users)
        .where(users.c.id == USER_ID, users.c.id == changed.c.user_id)
        .values(revision=changed.c.revision)
        .cte("counted")
    )
    unchanged = select(*public(current, PUBLIC_IN_TRASH)).where(not_(exists(select(changed.c.id))))
    task = union_all(select(*public(changed, PUBLIC_IN_TRASH)), unchanged).subquery("task")
    return _found(task, current).add_cte(counted)


def _found(task: Subquery, current: CTE) -> ChangedTask:
    """Select a task, with `deleted_at` only if it is in the trash, and whether it was as expected."""
    living = select(*public(task)).correlate(task).subquery("living")
    json = case((task.c.deleted_at.is_(None), select(as_json(living)).scalar_subquery()), else_=as_json(task))
    return select(task.c.revision, json, current.c.is_expected).join(current, true())


def _later_than(current: CTE) -> ColumnElement[datetime]:
    """Return the time, but never turn it back: now() is when the statement started, before it waited for locks."""
    return func.greatest(func.now(), current.c.updated_at)


def _completion(current: CTE, completed: ColumnElement[bool]) -> Columns:
    """Set `completed` together with its time."""
    since = func.coalesce(current.c.completed_at, func.now())
    return {"completed": completed, "completed_at": case((completed, since), else_=null())}


def _edited(current: CTE) -> Columns:
    """Edit any subset of the fields; None keeps the title or completed."""
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


def _compare(*names: str) -> Callable[[CTE, Columns], ColumnElement[bool]]:
    """Return the condition that one of these columns gets a new value."""
    return lambda current, columns: or_(*(current.c[name].is_distinct_from(columns[name]) for name in names))


_REQUEST_HASH = bind("new_request_hash", type_=LargeBinary)
_MAX_TASKS: ColumnElement[int] = bind("max_tasks", type_=BigInteger)

CREATE = _create()
UPDATE = _change(_edited, _compare("title", "description", "completed"), ALIVE)
COMPLETE = _change(_completed, _compare("completed"), ALIVE)
