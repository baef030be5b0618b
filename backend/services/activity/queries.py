"""The statements that list events, built once for each choice of filters, and that read what is to be undone."""

from __future__ import annotations

from collections.abc import Container
from itertools import compress, product
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Integer,
    Text,
    Uuid,
    all_,
    any_,
    cast,
    exists,
    func,
    literal_column,
    text,
    true,
    union_all,
)
from sqlalchemy import bindparam as bind
from sqlmodel import select

from backend.models.activity import EventPublic
from backend.models.tables import events, labels, lists, tasks
from backend.services.activity.undo_rules import Event
from backend.services.labels.queries import LABELS
from backend.services.labels.rules import Row as Label
from backend.services.lists.queries import LISTS
from backend.services.lists.rules import Row as List
from backend.services.loading import Rows
from backend.services.resources.parameters import OWNED, owned
from backend.services.resources.statements import as_json

_ENTITY = bind("entity", type_=Uuid)
# By the filter: which events it leaves.
_CONDITIONS: dict[str, tuple[ColumnElement[bool], ...]] = {
    "task": (events.c.entity_id == _ENTITY, events.c.kind == "task"),
    "kind": (events.c.kind == bind("filter_kind", type_=Text),),
    "verb": (events.c.verb == bind("filter_verb", type_=Text),),
    "before": (events.c.revision < bind("before_revision", type_=BigInteger),),
}
# That the task of a listing is known.
_KNOWN: Any = select(*map(literal_column, ("NULL::timestamptz", "0::bigint", "NULL::text"))).where(
    exists().where(owned(tasks), tasks.c.id == _ENTITY) | exists().where(owned(events), *_CONDITIONS["task"])
)


def _list(*filters: str) -> Any:
    """Select events, the latest first: the time, the number and the document of each.

    Of a task, a row without a document comes last if the user has the task, or events of it.
    """
    conditions = [condition for name in filters for condition in _CONDITIONS[name]]
    columns: Any = select(*(events.c[name] for name in EventPublic.model_fields))  # more than the stubs support
    found = (
        columns.where(owned(events), *conditions)
        .order_by(events.c.revision.desc())
        .limit(bind("max_rows", type_=Integer))
        .subquery("found")
    )
    page: Any = select(found.c.at, found.c.revision, as_json(found))
    if "task" not in filters:
        return page.order_by(found.c.revision.desc())
    return union_all(page, _KNOWN).order_by(text("2 DESC"))


def key_of(filters: Container[str]) -> tuple[str, ...]:
    """Return the key of the listing with these filters."""
    return tuple(name for name in _CONDITIONS if name in filters)


LISTINGS = {
    key: _list(*key)
    for key in (tuple(compress(_CONDITIONS, chosen)) for chosen in product((False, True), repeat=len(_CONDITIONS)))
    if not {"task", "kind"} <= {*key}
}


def _changes(condition: ColumnElement[bool]) -> Rows[Event]:
    """Read the last events that fulfil a condition, up to a number of them."""
    columns: Any = select(*(events.c[name] for name in Event._fields))
    last = columns.where(owned(events), condition).order_by(events.c.revision.desc())
    return Rows(last.limit(bind("max_rows", type_=Integer)).subquery("last"), Event, true())


def _last(column: Any) -> Any:
    """Select what the last event of a task has in a column."""
    own = events.alias("own")
    of_task = (own.c.entity_id == _ENTITY, own.c.kind == "task")
    return (
        select(own.c[column.name])
        .where(owned(own), *of_task)
        .order_by(own.c.revision.desc())
        .limit(1)
        .scalar_subquery()
    )


def _ids(name: str) -> Any:
    return cast(bind(name), ARRAY(Uuid))


OF_REQUEST = _changes(events.c.request_id == bind("undone_request", type_=Text))
# All that was changed along with the last change of a task: in the same transaction, and so at the same time.
LAST_OF_TASK = _changes(
    (events.c.at == _last(events.c.at)) & events.c.request_id.is_not_distinct_from(_last(events.c.request_id))
)
LISTS_BY_ID = Rows(lists, List, LISTS.own & (lists.c.id == any_(_ids("undone_lists"))))
LABELS_BY_ID = Rows(labels, Label, LABELS.own & (labels.c.id == any_(_ids("undone_labels"))))
# Which lists are there, in the trash or not; each with a revision.
LISTS_THERE = select(lists.c.id, lists.c.revision).where(LISTS.own, lists.c.id == any_(_ids("undone_lists")))
# Labels that have these keys by now, and lists that have other living tasks by now; each with a revision.
LABELS_IN_THE_WAY = select(labels.c.id, labels.c.revision).where(
    LABELS.own,
    labels.c.match_key == any_(cast(bind("label_keys"), ARRAY(Text))),
    labels.c.id != all_(_ids("undone_labels")),
)
_OTHERS_OF_LISTS = (tasks.c.list_id == any_(_ids("trashed_lists")), tasks.c.id != all_(_ids("undone_tasks")))
FILLED_SINCE = select(tasks.c.list_id, func.max(tasks.c.revision)).where(OWNED, tasks.c.in_trash.is_(False))
FILLED_SINCE = FILLED_SINCE.where(*_OTHERS_OF_LISTS).group_by(tasks.c.list_id)
