"""The ids of rows that name none: made from what the row says, so that a file that is sent again finds its tasks."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Self
from uuid import UUID, uuid5

from backend.models.task import TaskFields
from backend.models.task_file import ImportedTask

_MADE = UUID("7a1f6c3e-0d8b-4b52-9a67-2e5c8f41d093")  # namespace of the ids that are made here
_DEFAULTS = {
    name: declared.get_default(call_default_factory=True)
    for name, declared in (ImportedTask.model_fields | TaskFields.model_fields).items()
    if name != "id"
}


@dataclass(slots=True)
class RowIds:
    """Makes the ids of the rows of one file: from the row, and how many equal ones are before it.

    It remembers each different row that is not refused. There are no more of them than an account may have tasks, and
    the refused rows after which an import stops.
    """

    namespace: UUID = _MADE
    _seen: dict[int, int] = field(default_factory=dict)

    @classmethod
    def of(cls, user_id: str, list_id: UUID | None, key: str | None) -> Self:
        """Make ids for a user's file. Under another key, or with a token for one list, the same rows get others."""
        owner = (user_id, None if list_id is None else str(list_id), key)
        return cls(uuid5(_MADE, json.dumps(owner)))

    def next_of(self, task: ImportedTask) -> UUID:
        """Return the id of the next row if it says this."""
        said = _said(task)
        # Texts with the same hash share their numbers, and still get different ids.
        number = self._seen[hash(said)] = self._seen.get(hash(said), 0) + 1
        return uuid5(self.namespace, f"{number}{said}")


def _said(task: ImportedTask) -> str:
    """Write what a row says, in whatever format and order. A default says nothing: so newer fields change no id."""
    said = {name: getattr(task, name) for name in _DEFAULTS}
    named = (name for name in sorted(said) if said[name] is not None and said[name] != _DEFAULTS[name])
    return json.dumps({name: said[name] for name in named}, default=str)
