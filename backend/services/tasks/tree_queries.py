"""The statements about the trees of tasks: what a change reads of them, and what it stores of many tasks at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    FromClause,
    Integer,
    Text,
    Uuid,
    any_,
    cast,
    column,
    delete,
    func,
    literal_column,
    true,
)
from sqlalchemy import bindparam as bind
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.dml import Delete, Insert
from sqlmodel import select
from sqlmodel.sql.expression import Select

from backend.models.tables import tasks
from backend.services.resources.parameters import OWNED, USER_ID, owned
from backend.services.tasks.rules import Neighbour

MAX_IN_TREES = 10_000  # tasks that one change reads of trees

# What trees change of tasks.
CHANGING = tuple(name for name in Neighbour._fields if name not in {"id", "created_at"})
STATES = tuple(f"each_state_{name}" for name in ("id", *CHANGING))  # parameters: their nth elements are one task
REMOVED = "each_removed_id"


def _ids(name: str) -> ColumnElement[Any]:
    return any_(cast(bind(name), ARRAY(Uuid)))


def _in_trees() -> Select[Any]:
    """Select the tasks of the trees that these are in, and those below them, in the trash, too.

    UNION ends even if tasks were below themselves.
    """
    ids = _ids("tree_ids")
    # There may be subtasks of a task that does not exist yet.
    named = (
        _columns(tasks).where(OWNED, tasks.c.id == ids).union(_columns(tasks).where(OWNED, tasks.c.parent_id == ids))
    )
    upwards = _columns(named.subquery("named")).cte("upwards", recursive=True)
    upwards = upwards.union(_of_each(upwards, lambda parent: parent.c.id == upwards.c.parent_id))
    # Others may wait for the same parent, if that is not there yet. It is looked for once, however many these are.
    missing = select(upwards.c.parent_id).except_(select(upwards.c.id)).subquery("missing")
    beside = _of_each(missing, lambda other: other.c.parent_id == missing.c.parent_id)
    highest = _columns(upwards).union(beside).subquery("highest")
    downwards = _columns(highest).cte("downwards", recursive=True)
    downwards = downwards.union(_of_each(downwards, lambda child: child.c.parent_id == downwards.c.id))
    rows: Select[Any] = _columns(downwards).limit(bind("max_rows", type_=Integer))
    return rows


def _of_each(source: FromClause, is_related: Callable[[FromClause], ColumnElement[bool]]) -> Any:
    """Select the tasks that are related to each of the source."""
    other = tasks.alias("other")
    # OFFSET makes it a look-up for each: Postgres does not know how many tasks the user has, and might read them all.
    related = _columns(other).where(owned(other), is_related(other)).correlate(source).offset(0).lateral("related")
    return _columns(related).select_from(source.join(related, true()))


def _columns(source: FromClause) -> Any:
    """Select what is read of each task; more columns than the stubs support."""
    return select(*(source.c[name] for name in Neighbour._fields))


def _adopted() -> ColumnElement[Any]:
    """Select which of the named ids some tasks have as their parent."""
    ids = select(func.array_agg(tasks.c.parent_id.distinct())).where(OWNED, tasks.c.parent_id == _ids("task_ids"))
    return ids.scalar_subquery()


def _store_states() -> Insert:
    """Store what trees change of the tasks in the arrays.

    All of them exist, because the user's row has been locked since they were read. Postgres looks up each row of an
    INSERT. For an UPDATE, it might compare all tasks of the user with each of these: it does not know how many tasks a
    user has. No title is stored, but a row needs some title.
    """
    kinds = {name: tasks.c[name].type for name in ("id", *CHANGING)}
    arrays = [cast(bind(name), ARRAY(kind)) for name, kind in zip(STATES, kinds.values(), strict=True)]
    states = func.unnest(*arrays).table_valued(*(column(name, kind) for name, kind in kinds.items()))
    each = states.render_derived(name="state")
    values = {"user_id": cast(USER_ID, Text), "title": literal_column("'-'"), **{name: each.c[name] for name in kinds}}
    written = insert(tasks).from_select(list(values), select(*values.values()))
    return written.on_conflict_do_update(
        index_elements=[tasks.c.user_id, tasks.c.id], set_={name: written.excluded[name] for name in CHANGING}
    )


def _remove() -> Delete:
    return delete(tasks).where(OWNED, tasks.c.id == _ids(REMOVED))


IN_TREES = _in_trees()
ADOPTED = _adopted()
STORE_STATES = _store_states()
REMOVE = _remove()
