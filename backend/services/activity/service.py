"""The events of one user's changes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from backend.database.retry import reads
from backend.database.session import Sessions
from backend.models.activity import EventsQuery
from backend.models.base import Page
from backend.models.values import cursor as cursors
from backend.models.values.etags import MAX_REVISION
from backend.services.activity import queries
from backend.services.tasks.rules import TaskNotFound
from backend.utils.priorities import word_of


@dataclass(frozen=True, slots=True)
class ActivityService:
    """Lists what changes did, the latest first. A page takes one round trip to the database."""

    sessions: Sessions
    user_id: str

    @reads
    def list(self, query: EventsQuery) -> Page:
        """List a page of events of all that the user has; raises BadRequest for a cursor of another listing."""
        return self._page(query)

    @reads
    def of_task(self, task_id: UUID, query: EventsQuery) -> Page:
        """List a page of the events of a task, even one that is gone for good.

        Raises TaskNotFound, and BadRequest for a cursor of another listing.
        """
        return self._page(query, entity=task_id)

    def _page(self, query: EventsQuery, **entity: UUID) -> Page:
        filters = query.filters
        values: dict[str, Any] = {"principal": self.user_id, "max_rows": query.limit + 1, **entity}
        values |= {f"filter_{name}": value for name, value in filters.items()}
        if query.cursor is not None:
            _, last = cursors.decode(query.cursor, query.listing_id, cursors.TIME)
            values["before_revision"] = min(last.int, MAX_REVISION)  # a cursor that we did not write may say more
        chosen = {*filters, *(["task"] if entity else []), *(["before"] if query.cursor is not None else [])}
        with self.sessions(self.user_id) as session:
            rows = session.exec(queries.LISTINGS[queries.key_of(chosen)], params=values)
        if entity:
            if not rows:
                raise TaskNotFound
            del rows[-1]  # it says that the task is known
        shown, more = rows[: query.limit], rows[query.limit :]
        next_cursor = None
        if more:
            at, revision, _ = shown[-1]
            next_cursor = cursors.encode(query.listing_id, at, UUID(int=revision))
        return Page(f"[{','.join(_as_seen(text) for *_, text in shown)}]", query.limit, next_cursor, "")


def _as_seen(text: str) -> str:
    """Name the fields of an event as clients know them."""
    event = json.loads(text)
    before = event["before"]
    if not before or before.keys().isdisjoint({"open_status", "priority"}):
        return text
    if "open_status" in before:
        before["status"] = before.pop("open_status")
    if "priority" in before:
        before["priority"] = word_of(before["priority"])
    return json.dumps(event, ensure_ascii=False, separators=(",", ":"))
