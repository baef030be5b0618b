"""The statements about tasks that are named by their ids, built once. Listings are in `listing_queries.py`.

Before a change is stored, the user's row is locked and the rules have decided: see `services/unit_of_work.py`.
"""

from __future__ import annotations

from collections import ChainMap
from dataclasses import replace
from itertools import compress, product, starmap
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Integer,
    Text,
    Uuid,
    any_,
    cast,
    column,
    func,
    or_,
    tuple_,
    union_all,
    update,
)
from sqlalchemy import bindparam as bind
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.dml import Insert, Update
from sqlmodel import select
from sqlmodel.sql.expression import Select

from backend.models.move import TaskMove
from backend.models.tables import lists, tasks
from backend.models.task import ExportedTask, TaskCompletion, TaskCreate, TaskPublic, TaskUpdate
from backend.services.loading import Rows
from backend.services.resources.parameters import OWN_LISTS, OWNED, USER_ID
from backend.services.resources.resource import Resource
from backend.services.resources.statements import as_json
from backend.services.tasks.columns import ALIVE, SHOWN, TASK_ID, public, subtask_counts
from backend.services.tasks.label_queries import OF_LABELS
from backend.services.tasks.named import Beside
from backend.services.tasks.rules import Neighbour, Row, TaskNotFound, TooManyTasks
from backend.services.tasks.tree_queries import ADOPTED
from backend.utils.positions import SIDES

# What tasks are: all that is the same for every resource follows from this.
TASKS = Resource(
    kind="task",
    table=tasks,
    row=Row,
    public=TaskPublic,
    exported=ExportedTask,
    inputs=(TaskCreate, TaskUpdate, TaskCompletion, TaskMove),
    max_rows=None,
    too_many=TooManyTasks,
    not_found=TaskNotFound,
    shown=SHOWN,
)
# The other tasks of the trees around those that a change names.
NEIGHBOURS: Resource[Neighbour] = replace(TASKS, row=Neighbour)  # type: ignore[arg-type,assignment]
STORED = (*Row._fields, "due_key")  # attributes of a Row, and columns
ARRAYS = tuple(f"each_{name}" for name in STORED)  # parameters: the nth elements of all arrays are one row
UID_ARRAY = "each_uid"
_CHANGING = (*TASKS.changing, "due_key")
# What completing, deleting and restoring change; what most edits change; and what is said of most new tasks.
_STATE = ("completed", "completed_at", "open_status", "deleted_at", "updated_at", "revision")
_TEXTS = ("title", "description", "updated_at", "revision")
_PLAIN = ("id", "title", "description", "created_at", "updated_at", "revision", "request_hash", "position")


def _get(*more: ColumnElement[Any]) -> Select[int, str]:
    task = select(*public(tasks), *more).where(OWNED, tasks.c.id == TASK_ID, ALIVE).subquery("task")
    return select(task.c.revision, as_json(task))


def _new(name: str) -> Any:
    return bind(f"new_{name}", type_=tasks.c[name].type)


def _insert(*names: str) -> Insert:
    return insert(tasks).values({"user_id": USER_ID, **{name: _new(name) for name in names}})


def _update(*names: str) -> Update:
    return update(tasks).where(OWNED, tasks.c.id == TASK_ID).values({name: _new(name) for name in names})


def _store_all(*uid: str) -> Insert:
    """Store the new and changed tasks in the arrays. Labels are separated by commas: unnest would flatten arrays.

    `uid` is the column of the UIDs, if there are any. Where it is null, the task keeps the UID that it has.
    """
    types = {name: Text() if name == "labels" else tasks.c[name].type for name in (*STORED, *uid)}
    arrays = [cast(bind(f"each_{name}"), ARRAY(kind)) for name, kind in types.items()]
    states = func.unnest(*arrays).table_valued(*(column(name, kind) for name, kind in types.items()))
    each = states.render_derived(name="state")
    values = {name: each.c[name] for name in types} | {"labels": func.string_to_array(each.c.labels, ",")}
    written = insert(tasks).from_select(["user_id", *values], select(USER_ID, *values.values()))
    return written.on_conflict_do_update(
        index_elements=[tasks.c.user_id, tasks.c.id],
        set_={name: written.excluded[name] for name in _CHANGING}
        | {name: func.coalesce(written.excluded[name], tasks.c[name]) for name in uid},
    )


def _living_lists() -> ColumnElement[Any]:
    """Select the ids of lists that are not in the trash: of the named lists, and of the lists of the named tasks."""
    inside = tasks.alias("inside")
    of_tasks = select(inside.c.list_id).where(
        inside.c.user_id == USER_ID, inside.c.id == any_(cast(bind("task_ids"), ARRAY(Uuid)))
    )
    named = lists.c.id == any_(cast(bind("list_ids"), ARRAY(Uuid)))
    living = select(func.array_agg(lists.c.id)).where(
        OWN_LISTS, lists.c.deleted_at.is_(None), or_(named, lists.c.id.in_(of_tasks))
    )
    return living.scalar_subquery()


def _taken() -> ColumnElement[Any]:
    """Select which of the named ids the user's tasks have, even tasks that a session of one list does not see."""
    ids = func.ids_of_tasks(cast(bind("task_ids"), ARRAY(Uuid)), type_=ARRAY(Uuid))
    return select(ids).scalar_subquery()


def _next(side: str, *, in_inbox: bool) -> Any:
    """Select the next living tasks after or before a place in a list, the nearest first, without the moved task."""
    here, near = tuple_(tasks.c.position, tasks.c.id), tuple_(bind("near", type_=Text), bind("near_id", type_=Uuid))
    in_list = tasks.c.list_id.is_(None) if in_inbox else tasks.c.list_id == bind("place", type_=Uuid)
    is_beyond = here > near if side == "after" else here < near
    others = (OWNED, tasks.c.in_trash.is_(False), in_list, is_beyond, tasks.c.id != TASK_ID)
    # The inbox, too, is read in the order of the index: see `listing_queries.py`.
    order: list[ColumnElement[Any]] = [*([tasks.c.list_id] if in_inbox else []), tasks.c.position, tasks.c.id]
    order = order if side == "after" else [column.desc() for column in order]
    rows: Any = select(*(tasks.c[name] for name in Neighbour._fields))  # more columns than the stubs support
    return rows.where(*others).order_by(*order).limit(bind("max_rows", type_=Integer))


def _around(*, in_inbox: bool) -> Any:
    """Select the next tasks on both sides."""
    return union_all(*(select(_next(side, in_inbox=in_inbox).subquery()) for side in SIDES))


GET = _get()
GET_WITH_COUNTS = _get(subtask_counts(tasks).label("subtask_counts"))
_IS_NAMED = OWNED & (tasks.c.id == any_(cast(bind("task_ids"), ARRAY(Uuid))))
UIDS = select(tasks.c.id, tasks.c.uid).where(_IS_NAMED)
TAKEN = _taken()
_PARTS = (OF_LABELS, {"living_lists": _living_lists()}, {"adopted": ADOPTED}, {"taken": TAKEN})
# With these ids, and what is read beside them. In a session of one list, all tasks come into that: it reads lists, too.
NAMED_BESIDE = {
    choice: Rows(tasks, Row, _IS_NAMED, once=dict(ChainMap(*compress(_PARTS, choice))))
    for choice in starmap(Beside, product((False, True), repeat=4))
    if choice.lists or not choice.taken
}
# The same with a single id, as most changes have: without an array of ids, it can be prepared.
ONE_BESIDE = {choice: replace(rows, condition=OWNED & (tasks.c.id == TASK_ID)) for choice, rows in NAMED_BESIDE.items()}
NAMED = NAMED_BESIDE[Beside()]
INSERT = _insert(*STORED)
INSERT_PLAIN = _insert(*_PLAIN)  # the other columns have the defaults of the table, which are those of a Row
UPDATE = _update(*_CHANGING)
UPDATE_TEXTS = _update(*_TEXTS)
UPDATE_STATE = _update(*_STATE)
# Columns, and the statement that stores them. The first that has all that differ is used: each column costs time.
INSERTS = ((_PLAIN, INSERT_PLAIN), (STORED, INSERT))
UPDATES = ((_STATE, UPDATE_STATE), (_TEXTS, UPDATE_TEXTS), (_CHANGING, UPDATE))
# By the side, and whether the list is the inbox.
NEXT = {(side, in_inbox): _next(side, in_inbox=in_inbox) for side in SIDES for in_inbox in (False, True)}
AROUND = {in_inbox: _around(in_inbox=in_inbox) for in_inbox in (False, True)}
STORE_ALL = _store_all()
STORE_WITH_UIDS = _store_all("uid")
