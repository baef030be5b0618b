"""The statements about tasks that are named by their ids, built once. Listings are in `listing_queries.py`.

Before a change is stored, the user's row is locked and the rules have decided: see `services/unit_of_work.py`.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ARRAY, BigInteger, Column, Text, Uuid, any_, cast, column, delete, func, update
from sqlalchemy import bindparam as bind
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.dml import Insert, Update
from sqlmodel import select
from sqlmodel.sql.expression import Select

from backend.models.tables import tasks, tombstones, users
from backend.services.tasks.columns import ALIVE, OWNED, TASK_ID, as_json, public
from backend.services.tasks.rules import Row
from backend.services.unit_of_work import USER_ID, Rows

ARRAYS = tuple(f"each_{name}" for name in Row._fields)  # parameters: the nth elements of all arrays are one row
_FIXED = {"id", "created_at", "request_hash"}  # never changed after a task is created
TEXTS = {"title", "description"}
_CHANGING = tuple(name for name in Row._fields if name not in _FIXED)

_BIG = BigInteger()


def _get() -> Select[int, str]:
    task = select(*public(tasks)).where(OWNED, tasks.c.id == TASK_ID, ALIVE).subquery("task")
    return select(task.c.revision, as_json(task))


def _new(name: str) -> Any:
    return bind(f"new_{name}", type_=tasks.c[name].type)


def _update(*names: str) -> Update:
    return update(tasks).where(OWNED, tasks.c.id == TASK_ID).values({name: _new(name) for name in names})


def _store_all() -> Insert:
    """Store the new and changed tasks in the arrays."""
    columns: list[Column[Any]] = [tasks.c[name] for name in Row._fields]
    arrays = [cast(bind(name), ARRAY(each.type)) for name, each in zip(ARRAYS, columns, strict=True)]
    states = func.unnest(*arrays).table_valued(*(column(each.name, each.type) for each in columns))
    each = states.render_derived(name="state")
    written = insert(tasks).from_select(
        ["user_id", *Row._fields], select(USER_ID, *(each.c[name] for name in Row._fields))
    )
    return written.on_conflict_do_update(
        index_elements=[tasks.c.user_id, tasks.c.id],
        set_={name: written.excluded[name] for name in _CHANGING},
    )


def _bury() -> Insert:
    """Leave a tombstone; the same id may have been used and removed before."""
    tombstone = insert(tombstones).from_select(
        ["user_id", "id", "revision"],
        select(cast(USER_ID, Text), cast(TASK_ID, Uuid), cast(_REVISION, BigInteger)),
    )
    return tombstone.on_conflict_do_update(
        index_elements=[tombstones.c.user_id, tombstones.c.id],
        set_={"revision": tombstone.excluded.revision, "deleted_at": tombstone.excluded.deleted_at},
    )


_REVISION = bind("counted_revision", type_=_BIG)

GET = _get()
NAMED = Rows(
    tasks,
    tuple(tasks.c[name] for name in Row._fields),
    OWNED & (tasks.c.id == any_(cast(bind("task_ids"), ARRAY(Uuid)))),
)
INSERT = insert(tasks).values({"user_id": USER_ID, **{name: _new(name) for name in Row._fields}})
UPDATE = _update(*_CHANGING)
# The columns derived from the texts are computed again only when a text is set.
UPDATE_STATE = _update(*(name for name in _CHANGING if name not in TEXTS))
STORE_ALL = _store_all()
REMOVE = delete(tasks).where(OWNED, tasks.c.id == TASK_ID)
BURY = _bury()
COUNT = (
    update(users).where(users.c.id == USER_ID).values(revision=_REVISION, task_count=bind("counted_tasks", type_=_BIG))
)
