"""Notes: what a change did to each row that it counted. They are stored as events along with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Executable


class Note(NamedTuple):
    """How a row was before a change, and how it is now. None stands for a row that is not there.

    A row that was loaded only in part is noted with the columns that were loaded.
    """

    kind: str
    id: UUID
    revision: int
    before: Any
    after: Any


class BulkNote(NamedTuple):
    """A statement that changed many rows, which were not loaded.

    The rows got this many revisions, from this first one on, in the order of their revisions before.
    """

    kind: str
    statement: Executable
    revision: int
    number: int
    params: Mapping[str, Any]
