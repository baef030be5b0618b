"""Activity: what a client may ask of the events of changes, and what an event says."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, Field, StringConstraints

from backend.models.base import Choice, Input, described, optional
from backend.models.fields import UUID_EXAMPLE, Count, PlainInteger, Revision, StoredDescription, StoredLabel
from backend.models.task_query import CURSOR_EXAMPLE, Cursor
from backend.models.values import cursor as cursors
from backend.models.values.label_names import MAX_LABELS_OF_TASK
from backend.models.values.times import TIME_EXAMPLE
from backend.utils.fingerprint import fingerprint

MAX_EVENTS = 200  # on a page
MAX_REQUEST_ID = 128
REQUEST_ID_PATTERN = "^[A-Za-z0-9._-]+$"
REQUEST_ID_EXAMPLE = "01a1fbb3bfe271ac8551a3b5a5ffebf9"
_ACTOR = r"^(user|token:[0-9a-f-]{36})$"


class EventKind(Choice):
    """What an event is about."""

    TASK = "task"
    LABEL = "label"
    LIST = "list"


class Verb(Choice):
    """What a change did."""

    CREATED = "created"
    DELETED = "deleted"
    RESTORED = "restored"
    COMPLETED = "completed"
    REOPENED = "reopened"
    RESCHEDULED = "rescheduled"
    MOVED = "moved"
    UPDATED = "updated"
    PURGED = "purged"


class Via(Choice):
    """Through what a change was made."""

    API = "api"
    IMPORT = "import"
    COMMAND = "command"


KindName = Annotated[str, BeforeValidator(EventKind.known, json_schema_input_type=EventKind)]
VerbName = Annotated[str, BeforeValidator(Verb.known, json_schema_input_type=Verb)]
# A value as an event keeps it. The longest text is a description, and the only values that are lists are labels.
Kept = StoredDescription | Count | bool | Annotated[list[StoredLabel], Field(max_length=MAX_LABELS_OF_TASK)] | None
RequestId = Annotated[str, StringConstraints(max_length=MAX_REQUEST_ID, pattern=REQUEST_ID_PATTERN)]
Actor = Annotated[str, StringConstraints(max_length=42, pattern=_ACTOR)]


class EventsQuery(Input):
    """Which events of a task to list, and which page of them to return."""

    verb: VerbName = optional("Only events of this kind of change", Verb.COMPLETED.value)
    limit: PlainInteger = described("Maximum number of events to return", 50, default=50, ge=1, le=MAX_EVENTS)
    cursor: Cursor = optional("`page.next_cursor` of the previous page, with the same filters", CURSOR_EXAMPLE)

    @property
    def filters(self) -> dict[str, str]:
        """Return the filters that are set."""
        fields = self.__dict__
        return {name: value for name in ("kind", "verb") if (value := fields.get(name)) is not None}

    @cached_property
    def listing_id(self) -> bytes:
        """Return an id of this listing that is the same for all its pages, and depends on its filters."""
        return fingerprint("activity", self.filters)[: cursors.LISTING_BYTES]


class ActivityQuery(EventsQuery):
    """Which events to list, and which page of them to return."""

    kind: KindName = optional("Only events of tasks, of labels or of lists", EventKind.TASK.value)


class UndoRequest(Input):
    """Which request to undo."""

    request_id: RequestId = described("The `X-Request-ID` of the response to it", REQUEST_ID_EXAMPLE)


class Undone(BaseModel):
    """What an undoing did."""

    changes: Count = described("How many tasks, labels and lists it changed", 3)


class EventPublic(BaseModel):
    """What a change did to a task, a label or a list."""

    revision: Revision = described("The number of the change: later changes have greater numbers", 43)
    at: datetime = described("When it was made (UTC)", TIME_EXAMPLE)
    actor: Actor = described("Who made it: `user`, or `token:` and the id of a personal access token", "user")
    via: Via = described("Through what: a call, an import, or a command of whoever runs the service", Via.API.value)
    kind: EventKind = described("What it changed", EventKind.TASK.value)
    entity_id: UUID = described("The id of the task, label or list", UUID_EXAMPLE)
    verb: Verb = described("What it did; `purged` is for good", Verb.COMPLETED.value)
    before: dict[str, Kept] | None = Field(
        description="The fields that differ, as they were; null if it was not there before. When it is removed for "
        "good, its texts go from here, too",
        examples=[{"completed": False, "completed_at": None}],
    )
    request_id: RequestId | None = described("The `X-Request-ID` of the request that made it, or null", "req_1")
