"""The conditions of listings, and which of them choose tasks by an index of their own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Boolean,
    ColumnElement,
    DateTime,
    SmallInteger,
    Text,
    Uuid,
    all_,
    and_,
    any_,
    case,
    cast,
    false,
    func,
    literal_column,
    or_,
    true,
)
from sqlalchemy import bindparam as bind
from sqlalchemy.dialects.postgresql import REGCONFIG, TSQUERY
from sqlmodel import select

from backend.models.tables import lists, tasks
from backend.models.task_query import INBOX
from backend.models.values.search_text import UNFOLDED
from backend.services.resources.parameters import OWN_LISTS, owned
from backend.services.tasks.due_queries import DUE_CONDITIONS, INFINITY
from backend.services.tasks.label_queries import LABEL_CONDITIONS

IDS: ColumnElement[Any] = cast(bind("filter_ids"), ARRAY[UUID](Uuid))
PARENT_ID: ColumnElement[Any] = bind("filter_parent_id", type_=Uuid)

_MOMENT = DateTime(timezone=True)


def _query(text: str) -> ColumnElement[Any]:
    """Read a search for words. A word at the end of the text is marked as a prefix if it may be a beginning."""
    asked = select(func.websearch_to_tsquery(cast("simple", REGCONFIG), bind(text, type_=Text)).label("query"))
    query = asked.subquery("asked").c.query
    as_text = cast(query, Text)
    ends_in_word = and_(bind("ends_in_beginning", type_=Boolean), func.right(as_text, 1) == "'")
    marked = case((ends_in_word, cast(as_text + ":*", TSQUERY)), else_=query)
    return select(marked).scalar_subquery()


def _matches(query: ColumnElement[Any]) -> ColumnElement[bool]:
    return tasks.c.words.op("@@", is_comparison=True)(query)


# As `search_text.py` writes what is searched for without words.
_TEXTS: ColumnElement[str] = tasks.c.title + " " + func.coalesce(tasks.c.description, "")
_IN_NFKC = func.normalize(_TEXTS, literal_column("NFKC"))
_FOLDED = func.lower(case((_TEXTS.op("~")(UNFOLDED), _IN_NFKC), else_=_TEXTS), type_=Text)
_ANYWHERE: ColumnElement[Any] = cast(bind("filter_anywhere"), ARRAY[str](Text))
_NOWHERE: ColumnElement[Any] = cast(bind("filter_nowhere"), ARRAY[str](Text))


def _archived_lists() -> ColumnElement[Any]:
    ids = select(lists.c.id).where(OWN_LISTS, lists.c.archived_at.is_not(None))
    archived: ColumnElement[Any] = func.array(ids.scalar_subquery(), type_=ARRAY[UUID](Uuid))
    return archived


def _without_parent() -> ColumnElement[bool]:
    """Choose the tasks without a parent, and those whose parent is not there: files may bring subtasks first."""
    parent = tasks.alias("parent")
    is_shown = or_(tasks.c.in_trash, parent.c.in_trash.is_(False))  # in the trash, a parent there is one, too
    found = select(parent.c.id).where(owned(parent), parent.c.id == tasks.c.parent_id, is_shown).correlate(tasks)
    # As a value, it is looked up for each subtask: for EXISTS, Postgres might read all tasks of the user.
    return or_(tasks.c.parent_id.is_(None), found.scalar_subquery().is_(None))


_STATUSES: ColumnElement[Any] = cast(bind("filter_open_statuses"), ARRAY[str](Text))
_OTHERS: ColumnElement[Any] = cast(bind("filter_done_or_open_statuses"), ARRAY[str](Text))
CONDITIONS: dict[str, ColumnElement[bool]] = {
    "done": tasks.c.completed == true(),
    "not_done": tasks.c.completed == false(),
    "open_status": tasks.c.open_status == bind("filter_open_status", type_=Text),
    "open_statuses": tasks.c.open_status == any_(_STATUSES),
    "done_or_open_statuses": or_(tasks.c.completed, tasks.c.open_status == any_(_OTHERS)),
    "created_after": tasks.c.created_at > bind("filter_created_after", type_=_MOMENT),
    "created_before": tasks.c.created_at < bind("filter_created_before", type_=_MOMENT),
    "updated_after": tasks.c.updated_at > bind("filter_updated_after", type_=_MOMENT),
    "updated_before": tasks.c.updated_at < bind("filter_updated_before", type_=_MOMENT),
    "priority_from": tasks.c.priority >= bind("filter_priority_from", type_=SmallInteger),
    "priority_to": tasks.c.priority <= bind("filter_priority_to", type_=SmallInteger),
    "priorities": tasks.c.priority == any_(cast(bind("filter_priorities"), ARRAY[int](SmallInteger))),
    "ids": tasks.c.id == any_(IDS),
    "list_id": tasks.c.list_id == bind("filter_list_id", type_=Uuid),
    INBOX: tasks.c.list_id.is_(None),
    "in_archived": tasks.c.list_id == any_(_archived_lists()),
    "not_in_archived": or_(tasks.c.list_id.is_(None), tasks.c.list_id != all_(_archived_lists())),
    "parent_id": tasks.c.parent_id == PARENT_ID,
    "without_parent": _without_parent(),
    "q": _matches(_query("filter_q")),
    "q_in_two_forms": _matches(_query("filter_q").op("||")(_query("filter_q_decomposed"))),
    "anywhere": _FOLDED.like(all_(_ANYWHERE)),
    "nowhere": ~_FOLDED.like(any_(_NOWHERE)),
    **LABEL_CONDITIONS,
}

# Listings with other filters are not prepared: there are too many shapes, and their plans depend on the values.
PREPARED_FILTERS = {"done", "not_done", "list_id", INBOX}
# The keys of these, too, where tasks are sorted by when they were completed: else all others might be read first.
KEYS_OF_COMPLETED = {"done": tasks.c.completed_key < INFINITY, "not_done": tasks.c.completed_key == INFINITY}
# Filters that choose statuses.
OF_STATUS = {"done", "not_done", "open_status", "open_statuses", "done_or_open_statuses"}
# These let only done tasks through, or only others.
OF_ONE_SIDE = {"done", "not_done", "open_status", "open_statuses", "overdue"}

_BY_CREATION = ("created_at",)
_IN_LISTS = ("created_at", "position")
# Filters that an index serves, and the sorts that the same index is in the order of.
_CHOOSING: dict[str, tuple[str, ...]] = {
    "ids": (),
    "parent_id": (),
    "list_id": _IN_LISTS,
    INBOX: _IN_LISTS,
    "open_status": _BY_CREATION,
    "created_after": _BY_CREATION,
    "created_before": _BY_CREATION,
    "updated_after": ("updated_at",),
    "updated_before": ("updated_at",),
    "priority_from": ("priority",),
    "priority_to": ("priority",),
    "priorities": ("priority",),
    **dict.fromkeys(DUE_CONDITIONS.keys() - {"not_overdue"}, ("due_key",)),
}


def is_read_in_order(column: str, filters: Iterable[str]) -> bool:
    """Return whether tasks are read from the index of their order, past those that a filter leaves out.

    Otherwise a filter has an index of its own: Postgres may read what it chooses, and sort that.
    """
    return all(column in _CHOOSING.get(name, (column,)) for name in filters)
