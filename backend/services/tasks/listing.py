"""The listing of one user's tasks: in pages, sorted, filtered and searched."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from backend.database.retry import reads
from backend.database.session import Sessions
from backend.models.base import Page
from backend.models.task import PUNCTUATION, Status
from backend.models.task_query import INBOX, NO_PARENT, TaskQuery
from backend.models.values import cursor as cursors
from backend.models.values.label_names import distinct_labels, key_of_label, name_key_of
from backend.models.values.search_text import Search, read_search
from backend.models.values.sync_token import SyncToken
from backend.services.tasks.label_queries import LABEL_CONDITIONS
from backend.services.tasks.listing_queries import MAX_BYTES, Shape, can_be_short, compiled_list
from backend.services.tasks.rules import TaskNotFound
from backend.utils.priorities import BANDS, NO_PRIORITY

_INFINITY = datetime.max.replace(tzinfo=UTC)  # how the driver reads Postgres' infinity, the key of open tasks


@dataclass(frozen=True, slots=True)
class ListingService:
    """Lists one user's tasks. A page takes one round trip to the database."""

    sessions: Sessions
    user_id: str

    @reads
    def list(self, query: TaskQuery, known: tuple[str, ...] | None = (), *, of_living: bool = False) -> Page:
        """List a page of matching tasks; raises BadRequest for a cursor that is not ours, or from another listing.

        With `of_living`, they are the subtasks of a task, and it raises TaskNotFound unless that task is living.
        `known` holds the tags that the client already has; None means any tag. If the page's tag is among them, no
        tasks are read, and the page is empty. For a listing that changes with time, no tag is known.
        """
        known = () if query.changes_with_time else known
        values = {"principal": self.user_id, "max_rows": query.limit, "known": None if known is None else list(known)}
        filters = _filters(query)
        if self.sessions.list_id is not None and INBOX not in filters:
            # Row-level security shows no other list. As a filter, it also chooses the index of this one.
            filters.setdefault("list_id", self.sessions.list_id)
        values |= {f"filter_{name}": value for name, value in filters.items()} | _labelled(filters)
        values |= _searched(query) | _placed(query)
        values["zone"] = query.timezone
        shape = Shape(
            sort=query.sorting,
            is_after=query.cursor is not None,
            is_conditional=known != (),
            in_trash=query.deleted,
            filters=frozenset(filters),
            with_total=query.include_total,
            with_counts=query.include_counts,
            is_short=can_be_short(query),
            with_subtasks=query.include is not None,
            of_living=of_living,
        )
        with self.sessions(self.user_id) as session:
            rows = session.run(compiled_list(shape), values)
        if of_living and (not rows or rows[0][0] is None):
            raise TaskNotFound
        return page_of_rows(query, rows, shape.beside)


def page_of_rows(query: TaskQuery, rows: Sequence[tuple[Any, ...]], beside: Sequence[str] = ()) -> Page:
    """Make a page of the rows of a listing: its state, then the tasks. The last may be the first of the next page.

    The state is the user's revision and the tag. `beside` names what stands beside the texts. A user who has never
    written anything has no rows.
    """
    (state, *numbers), *found = rows or (("0 0", *(None for _ in beside)),)
    revision, tag = state.split(" ")
    asked = dict(zip(beside, numbers, strict=True))
    documents = [text for text, *_ in found] if beside else [text for (text,) in found]
    next_cursor = None
    if len(documents) > query.limit or _fill(documents[:-1]):
        documents.pop()
        last = json.loads(documents[-1])
        key = found[len(documents) - 1][-1] if "key" in asked else last[query.sorting.column]
        if isinstance(key, str) and query.sorting.kind is datetime:
            key = datetime.fromisoformat(key)
        next_cursor = cursors.encode(query.listing_id, key, UUID(last["id"]))
    total = (asked["total"] or 0) if "total" in asked else None
    counts = _numbers(asked["counts"] or "{}") if "counts" in asked else None
    since = SyncToken(int(revision))
    return Page(f"[{','.join(documents)}]", query.limit, next_cursor, tag, total, counts, since)


def _fill(documents: Sequence[str]) -> bool:
    """Return whether documents fill a page, so that the next one is not on it."""
    characters = sum(map(len, documents))
    # A character has at most 4 bytes.
    return characters * 4 >= MAX_BYTES and sum(len(document.encode()) for document in documents) >= MAX_BYTES


def _numbers(counts: str) -> dict[str, int]:
    """Read how many tasks there are of each status."""
    read: dict[str, int] = json.loads(counts)
    return dict.fromkeys(Status, 0) | read


def _filters(query: TaskQuery) -> dict[str, object]:
    """Return the values of the filters under the names that the statements have for them."""
    filters: dict[str, object] = dict(query.filters)
    if query.ids is not None:
        filters["ids"] = query.ids.split(",")
    if query.q is not None:
        del filters["q"]
        filters |= dict.fromkeys(_kinds_of_search(read_search(query.q, PUNCTUATION)), True)
    if query.completed is not None:
        filters["done" if filters.pop("completed") else "not_done"] = True
    if query.status is not None:
        filters |= _of_status(filters.pop("status"))
    if query.priority is not None:
        filters |= _of_priorities(filters.pop("priority"), is_in_their_order=query.sorting.column == "priority")
    if query.list_id == INBOX:
        filters[INBOX] = filters.pop("list_id")
    if query.parent_id == NO_PARENT:
        filters["without_parent"] = filters.pop("parent_id")
    if query.in_archived is False:
        filters["not_in_archived"] = filters.pop("in_archived")
    filters.pop("timezone", None)
    for name in filters.keys() & LABEL_CONDITIONS.keys():
        filters[name] = distinct_labels(str(filters[name]).split(","))
    return _of_dues(filters) | filters


def _of_dues(filters: dict[str, object]) -> dict[str, object]:
    """Take the filters about dues away, and return the filters that the statements have in their place."""
    named: dict[str, object] = {}
    if (overdue := filters.pop("overdue", None)) is not None:
        named["overdue" if overdue else "not_overdue"] = True
    if (has_due := filters.pop("has_due", None)) is not None:
        named["has_due" if has_due else "without_due"] = True
    for name in ("due_before", "due_after"):
        if (place := filters.pop(name, None)) is not None:
            named[f"{name}_{'time' if isinstance(place, datetime) else 'day'}"] = place
    return named


def _of_status(statuses: object) -> dict[str, object]:
    """Return the filters for these statuses.

    `completed` is part of indexes; the other statuses are behind it, and have an index of their own, except for todo.
    """
    wanted = str(statuses).split(",")
    others = [status for status in wanted if status != Status.DONE]
    are_all = len(others) == len(Status) - 1
    if Status.DONE in wanted:
        if are_all:
            return {}
        return {"done_or_open_statuses": others} if others else {"done": True}
    if are_all:
        return {"not_done": True}
    is_one = len(others) == 1 and others != [Status.TODO]
    return {"not_done": True} | ({"open_status": others[0]} if is_one else {"open_statuses": others})


def _of_priorities(words: object, *, is_in_their_order: bool) -> dict[str, object]:
    """Return the filters for these words of priorities: from the first to the last number.

    If there is a gap, all of the numbers, too; in another order only these, or Postgres might read the gap.
    """
    numbers = [number for word in str(words).split(",") for number in BANDS.get(word, (NO_PRIORITY,))]
    first, last = numbers[0], numbers[-1]
    ends: dict[str, object] = {"priority_from": first, "priority_to": last}
    if len(numbers) == last - first + 1:
        return ends
    return {"priorities": numbers} | (ends if is_in_their_order else {})


def _labelled(filters: dict[str, Any]) -> dict[str, object]:
    """Return both keys of the labels that filters name, under the statements' parameter names."""
    keys: dict[str, object] = {}
    for name in filters.keys() & LABEL_CONDITIONS.keys():
        keys[f"filter_{name}"] = list(map(name_key_of, filters[name]))
        keys[f"filter_{name}_match"] = list(map(key_of_label, filters[name]))
    return keys


def _searched(query: TaskQuery) -> dict[str, object]:
    """Return the words of a search, under the statements' parameter names."""
    if query.q is None:
        return {}
    search = read_search(query.q, PUNCTUATION)
    return {
        "filter_q": search.text,
        "filter_q_decomposed": search.decomposed,
        "ends_in_beginning": search.ends_in_beginning,
        "filter_anywhere": [f"%{text}%" for text in search.anywhere],
        "filter_nowhere": [f"%{text}%" for text in search.nowhere],
    }


def _kinds_of_search(search: Search) -> Iterator[str]:
    """Yield the filters that a search needs."""
    if search.text:
        yield "q" if search.text == search.decomposed else "q_in_two_forms"
    if search.anywhere:
        yield "anywhere"
    if search.nowhere:
        yield "nowhere"


def _placed(query: TaskQuery) -> dict[str, object]:
    """Return where the page starts, under the statements' parameter names; raises BadRequest."""
    if query.cursor is None:
        return {}
    key, task_id = cursors.decode(query.cursor, query.listing_id, query.sorting.kind)
    return {"after": "infinity" if key == _INFINITY else key, "task": task_id}
