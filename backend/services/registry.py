"""All resources, which their packages declare: whatever concerns every kind of row that a user has asks here.

A resource comes behind what its rows name: so an import can read an export from its beginning to its end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from sqlmodel import SQLModel

from backend.database.session import Sessions
from backend.models.task_file import Fate
from backend.services.access_tokens.queries import ACCESS_TOKENS
from backend.services.labels.queries import LABELS
from backend.services.labels.service import LabelService
from backend.services.lists.queries import LISTS
from backend.services.lists.service import ListService
from backend.services.resources.resource import Resource
from backend.services.tasks.queries import TASKS

RESOURCES: tuple[Resource[Any], ...] = (LABELS, LISTS, TASKS, ACCESS_TOKENS)
# All tables: importing the resources has made known every one.
TABLES = tuple(SQLModel.metadata.sorted_tables)


class Bringing(Protocol):
    """A service that makes a row be as a line of an export says."""

    def bring(self, data: Any, *, only_adds: bool) -> Fate:
        """Make it be so, under its id or name; raises PreconditionRequired if one that exists would change."""


# Of each resource that an import reads, except tasks.
BRINGING: Mapping[str, Callable[[Sessions, str], Bringing]] = {
    LABELS.kind: LabelService,
    LISTS.kind: ListService,
}
