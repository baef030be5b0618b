"""The statements of a batch, built once: three, however many operations it has. `columns.py` has what they share.

Between READ and STORE, the operations are done in memory: see `rules.py`.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ARRAY,
    CTE,
    BigInteger,
    Boolean,
    SmallInteger,
    Text,
    Uuid,
    any_,
    case,
    cast,
    column,
    func,
    true,
    update,
)
from sqlalchemy import bindparam as bind
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.selectable import LateralFromClause
from sqlmodel import select
from sqlmodel.sql.expression import Select

from backend.services.tasks.columns import OWNED, PUBLIC, PUBLIC_IN_TRASH, USER_ID, as_json, lock_account, tasks, users
from backend.services.tasks.rules import Row

# The state of a task after the operation with this index, and whether to store it.
_COLUMNS: dict[str, Any] = {
    "index": SmallInteger(),
    "is_last": Boolean(),
    **{name: tasks.c[name].type for name in Row._fields},
}
ARRAYS = tuple(f"each_{name}" for name in _COLUMNS)  # parameters: the nth elements of all arrays are one row
_FIXED = {"id", "created_at", "request_hash"}  # never changed after a task is created


def _states() -> CTE:
    arrays = [cast(bind(name), ARRAY(kind)) for name, kind in zip(ARRAYS, _COLUMNS.values(), strict=True)]
    columns = [column(name, kind) for name, kind in _COLUMNS.items()]
    rows = func.unnest(*arrays).table_valued(*columns).render_derived(name="state")
    return select(*(rows.c[name] for name in _COLUMNS)).cte("states")


def _store() -> Select[int, str]:
    """Store new and changed tasks and the user's counters; select every state as JSON, including intermediate ones."""
    states = _states()
    living, trashed = (_shown(states, names) for names in (PUBLIC, PUBLIC_IN_TRASH))
    json = case((states.c.deleted_at.is_(None), as_json(living)), else_=as_json(trashed))
    documents = states.join(living, true()).join(trashed, true())
    return select(states.c.index, json).select_from(documents).add_cte(*_stored(states))


def _stored(states: CTE) -> tuple[CTE, CTE]:
    """Store the last state of each task, and the user's counters."""
    values = {"user_id": USER_ID, **{name: states.c[name] for name in Row._fields}}
    written = insert(tasks).from_select(list(values), select(*values.values()).where(states.c.is_last))
    stored = written.on_conflict_do_update(
        index_elements=[tasks.c.user_id, tasks.c.id],
        set_={name: written.excluded[name] for name in Row._fields if name not in _FIXED},
        where=OWNED,
    ).cte("stored")
    counted = (
        update(users)
        .where(users.c.id == USER_ID)
        .values(revision=bind("new_revision", type_=BigInteger), task_count=bind("new_task_count", type_=BigInteger))
        .cte("counted")
    )
    return stored, counted


def _shown(states: CTE, names: tuple[str, ...]) -> LateralFromClause:
    columns = [cast(USER_ID, Text).label(name) if name == "user_id" else states.c[name] for name in names]
    return select(*columns).correlate(states).lateral()


LOCK = lock_account(users.c.revision, users.c.task_count, func.now())
READ = select(*(tasks.c[name] for name in Row._fields)).where(
    OWNED, tasks.c.id == any_(cast(bind("task_ids"), ARRAY(Uuid)))
)
STORE = _store()
STORE_SILENTLY = select(true()).add_cte(*_stored(_states()))  # if nobody reads the states
