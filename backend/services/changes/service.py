"""The feed of one user's changes."""

from __future__ import annotations

from dataclasses import dataclass

from backend.database.retry import reads
from backend.database.session import Sessions
from backend.errors import Gone
from backend.models.change import Change, ChangePage
from backend.models.sync_token import SyncToken
from backend.services.changes import queries as change_queries

MAX_PAGE_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ChangeService:
    """Reads the changes of one user's tasks. Each method is one round trip to the database."""

    sessions: Sessions
    user_id: str

    @reads
    def read(self, since: SyncToken, limit: int, max_bytes: int = MAX_PAGE_BYTES) -> ChangePage:
        """Read up to `limit` changes after a sync token, oldest first; at most `max_bytes`, unless one alone is larger.

        Raises Gone when changes after the token may be missing.
        """
        params = {"principal": self.user_id, "since": since.revision, "max_rows": limit, "max_bytes": max_bytes}
        with self.sessions(self.user_id) as session:
            rows = session.exec(change_queries.CHANGES, params=params)
        revisions, documents, counter, purged_revision = rows[0] if rows else (None, None, 0, 0)
        if not since.can_be_continued(counter, purged_revision):
            raise Gone
        changes = tuple(
            Change(since.moved_to(revision, purged_revision), json)
            for revision, json in zip(revisions or (), documents or (), strict=False)
        )
        has_more = len(changes) < len(revisions or ())
        return ChangePage(changes, changes[-1].sync_token if has_more else SyncToken(counter), has_more)
