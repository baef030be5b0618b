"""The feed of one user's changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from backend.database.retry import reads
from backend.database.session import Sessions
from backend.errors import Detail, Gone, OutsideList
from backend.models.change import Change, ChangePage
from backend.models.values.etags import MAX_REVISION
from backend.models.values.sync_token import SyncToken
from backend.services.changes import queries as change_queries

_NO_LABELS = Detail(
    "query.types", "outside_list", "Your personal access token is limited to one list: it follows task and list only"
)

MAX_PAGE_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ChangeService:
    """Reads the changes of what a user has. It takes one round trip to the database."""

    sessions: Sessions
    user_id: str

    @reads
    def read(
        self, since: SyncToken, limit: int, max_bytes: int = MAX_PAGE_BYTES, *, types: str | None = None
    ) -> ChangePage:
        """Read up to `limit` changes after a sync token, oldest first; at most `max_bytes` unless the first is larger.

        With `types`, separated by commas, every change says its type. Without them, all changes are of tasks. Raises
        Gone when changes after the token may be missing, and OutsideList for labels in a session of one list.
        """
        params: dict[str, Any] = {
            "principal": self.user_id,
            "since": MAX_REVISION if since.is_now else since.revision,
            "max_rows": limit,
            "max_bytes": max_bytes,
        }
        statement = change_queries.CHANGES
        if types is not None:
            statement, params["types"] = change_queries.CHANGES_OF_TYPES, types.split(",")
        if self.sessions.list_id is not None:
            statement = change_queries.CHANGES_OF_LIST
            params.setdefault("types", ["task"])
            if not {*params["types"]} <= {*change_queries.IN_A_LIST}:
                raise OutsideList(details=(_NO_LABELS,))
        with self.sessions(self.user_id) as session:
            rows = session.exec(statement, params=params)
        revisions, kinds, documents, counter, purged_revision = rows[0] if rows else (None, None, None, 0, 0)
        if not since.can_be_continued(counter, purged_revision):
            raise Gone
        changes = tuple(
            _change(since.moved_to(revision, purged_revision), json, kind if types else None)
            for revision, kind, json in zip(revisions or (), kinds or (), documents or (), strict=False)
        )
        has_more = len(changes) < len(revisions or ())
        return ChangePage(changes, changes[-1].sync_token if has_more else SyncToken(counter), has_more)


def _change(sync_token: SyncToken, json: str, kind: str | None) -> Change:
    return Change(sync_token, json if kind is None else f'{{"type":"{kind}","data":{json}}}', kind)
