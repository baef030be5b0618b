"""All resources, which their packages declare: whatever concerns every kind of row that a user has asks here.

A resource comes behind what its rows name: so an import can read an export from its beginning to its end.
"""

from __future__ import annotations

from typing import Any

from sqlmodel import SQLModel

from backend.services.access_tokens.queries import ACCESS_TOKENS
from backend.services.labels.queries import LABELS
from backend.services.lists.queries import LISTS
from backend.services.resources.resource import Resource
from backend.services.tasks.queries import TASKS

RESOURCES: tuple[Resource[Any], ...] = (LABELS, LISTS, TASKS, ACCESS_TOKENS)
# All tables: importing the resources has made known every one.
TABLES = tuple(SQLModel.metadata.sorted_tables)
