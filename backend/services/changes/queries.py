"""The statement behind the feed of changes: one round trip, and one snapshot of tasks, tombstones and counter.

One user's changes become visible in the order of their revisions: each locks the user's row until it is committed. So
a client that has seen everything up to a revision misses nothing by asking for later ones.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, ColumnElement, Integer, Subquery, case, func, or_, true, union_all
from sqlalchemy import bindparam as bind
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.sql.selectable import NamedFromClause
from sqlmodel import select
from sqlmodel.sql.expression import Select

from backend.models.tables import tasks, tombstones, users
from backend.services.tasks.columns import OWNED, as_json, public
from backend.services.unit_of_work import USER_ID

Change = Select[int, str]
ChangesAfter = Select[list[int] | None, list[str] | None, int, int]

_SINCE: ColumnElement[int] = bind("since", type_=BigInteger)
_MAX_ROWS: ColumnElement[int] = bind("max_rows", type_=Integer)
_MAX_BYTES: ColumnElement[int] = bind("max_bytes", type_=BigInteger)


def _changes() -> ChangesAfter:
    """Select one row: revisions, the documents of those that fit into the page, and the user's counter and last purge.

    If there are fewer documents than revisions, more follow. A user who never wrote anything has no row.
    """
    change = union_all(_changed_tasks(), _tombstones()).subquery("change")
    size = func.sum(func.octet_length(change.c.document)).over(order_by=change.c.revision)
    position = func.row_number().over(order_by=change.c.revision)
    counted = (size.label("size"), position.label("position"))
    numbered = select(*(change.c.revision, change.c.document, *counted)).subquery("numbered")
    # The first one is included, however large it is.
    fits = (numbered.c.position <= _MAX_ROWS) & or_(numbered.c.size <= _MAX_BYTES, numbered.c.position == 1)
    revisions, documents = (
        func.array_agg(aggregate_order_by(column, numbered.c.position))
        for column in (numbered.c.revision, numbered.c.document)
    )
    page = select(revisions.label("revisions"), documents.filter(fits).label("documents")).subquery("page")
    columns = (page.c.revisions, page.c.documents, users.c.revision, users.c.purged_revision)
    return select(*columns).select_from(users.join(page, true())).where(users.c.id == USER_ID)


def _changed_tasks() -> Change:
    """Select tasks that changed: living ones in full, those in the trash only as deleted."""
    changed = (
        select(*(*public(tasks), tasks.c.in_trash))
        .where(OWNED, tasks.c.revision > _SINCE)
        .order_by(tasks.c.revision)
        .limit(_MAX_ROWS + 1)
        .subquery("changed")
    )
    task, gone = select(*public(changed)).correlate(changed).lateral("task"), _gone(changed)
    document = case((changed.c.in_trash, as_json(gone)), else_=as_json(task))
    documents = changed.join(task, true()).join(gone, true())
    return select(changed.c.revision, document.label("document")).select_from(documents)


def _tombstones() -> Change:
    """Select tasks that are gone for good."""
    removed = (
        select(tombstones.c.id, tombstones.c.revision)
        .where(tombstones.c.user_id == USER_ID, tombstones.c.revision > _SINCE)
        .order_by(tombstones.c.revision)
        .limit(_MAX_ROWS + 1)
        .subquery("removed")
    )
    gone = _gone(removed)
    return select(removed.c.revision, as_json(gone).label("document")).select_from(removed.join(gone, true()))


def _gone(source: Subquery) -> NamedFromClause:
    return select(source.c.id, true().label("deleted"), source.c.revision).correlate(source).lateral("gone")


CHANGES = _changes()
