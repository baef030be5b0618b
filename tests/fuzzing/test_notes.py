"""Random walks over all calls: the notes of their changes, replayed, are the tables."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import datetime
from random import Random
from typing import Any
from uuid import UUID

import pytest

from backend.services.labels.queries import LABELS
from backend.services.lists.queries import LISTS
from backend.services.resources.notes import BulkNote, Note
from backend.services.resources.resource import Resource
from backend.services.tasks import tree
from backend.services.tasks.queries import TASKS
from backend.services.unit_of_work import UnitOfWork
from tests.fixtures.calls.api import API, new_user
from tests.fixtures.postgres.database import execute
from tests.fixtures.rules import walks
from tests.fixtures.rules.replays import Tables
from tests.fixtures.rules.walks import MAX_BELOW, Walk

STEPS = 100


@pytest.mark.requirement("FR-499")
@pytest.mark.parametrize("seed", range(4))
def test_the_notes_of_all_changes_are_the_tables(
    api: API, database_url: str, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(tree, "MAX_BELOW", MAX_BELOW)
    monkeypatch.setattr(walks, "RARELY", 0)  # nothing is purged: that is no change
    user_id, tables = new_user(), Tables()
    noted: list[tuple[datetime, Note | BulkNote]] = []
    finish = UnitOfWork.finish

    def finish_and_tell(unit: UnitOfWork) -> None:
        finish(unit)
        if unit.user_id == user_id:
            noted.extend((unit.now, note) for note in unit.notes)

    monkeypatch.setattr(UnitOfWork, "finish", finish_and_tell)
    with ExitStack() as stack:
        walk = Walk(api, database_url, user_id, Random(seed), stack)  # noqa: S311 - not a secret
        for _ in range(STEPS):
            walk.step()
            for now, note in noted:
                tables.replay(note, now)
            noted.clear()
            assert tables.revision == walk.stored.revision
            for resource in (TASKS, LISTS, LABELS):
                assert told(tables.rows[resource.kind]) == told(stored(database_url, user_id, resource)), walk.taken[
                    -3:
                ]


def stored(url: str, user_id: str, resource: Resource[Any]) -> dict[UUID, dict[str, Any]]:
    """Read all rows of a resource by their ids."""
    sql = f"SELECT {', '.join(resource.stored)} FROM {resource.table.name} WHERE user_id = %s"  # noqa: S608 - our names
    rows = (resource.row(*values) for values in execute(url, sql, user_id))
    return {UUID(str(row.id)): row._asdict() for row in rows}


def told(rows: dict[UUID, dict[str, Any]]) -> dict[UUID, dict[str, object]]:
    """Return what changes say: ids as texts, hashes as bytes, and nothing that is derived."""
    return {row_id: {name: _plain(row[name]) for name in row if name != "has_subtasks"} for row_id, row in rows.items()}


def _plain(value: object) -> object:
    return bytes(value) if isinstance(value, memoryview) else str(value) if isinstance(value, UUID) else value
