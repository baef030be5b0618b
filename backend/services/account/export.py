"""Everything stored about one user, page by page."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from backend.database.retry import reads
from backend.database.session import Sessions
from backend.models.export import ExportCursor, ExportPage
from backend.services.account import export_queries

MAX_ROWS = 1000
MAX_BYTES = 256 * 1024  # of texts in a page, plus one row

# Each part: its statement, the name of the key at which a page begins, and the lowest possible key.
_PARTS: tuple[tuple[export_queries.Lines, str, object], ...] = (
    (export_queries.TASKS, "task", UUID(int=0)),
    (export_queries.TOMBSTONES, "removed", UUID(int=0)),
    (export_queries.KEYS, "name", ""),
    (export_queries.TOKENS, "token", UUID(int=0)),
)


@dataclass(frozen=True, slots=True)
class ExportService:
    """Reads everything stored about one user. Each page is one round trip to the database."""

    sessions: Sessions
    user_id: str

    @reads
    def begin(self) -> ExportPage:
        """Read the first page: the account."""
        with self.sessions(self.user_id) as session:
            ((line,),) = session.exec(export_queries.ACCOUNT, params={"principal": self.user_id})
        return ExportPage(line, _beginning_of(0))

    @reads
    def read(self, cursor: ExportCursor) -> ExportPage:
        """Read the page that begins at `cursor`; it may be empty."""
        statement, key, _ = _PARTS[cursor.part]
        params = {"principal": self.user_id, "max_rows": MAX_ROWS, "max_bytes": MAX_BYTES, key: cursor.key}
        with self.sessions(self.user_id) as session:
            ((lines, behind),) = session.exec(statement, params=params)
        following = _beginning_of(cursor.part + 1) if behind is None else ExportCursor(cursor.part, behind)
        return ExportPage(lines or "", following)


def _beginning_of(part: int) -> ExportCursor | None:
    return ExportCursor(part, _PARTS[part][2]) if part < len(_PARTS) else None
