"""Everything stored about one user, page by page."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from backend.database.retry import reads
from backend.database.session import Sessions
from backend.models.export import ExportCursor, ExportPage
from backend.services.account import export_queries
from backend.services.account.export_queries import key_of
from backend.services.account.lines import PARTS

MAX_ROWS = 1000
MAX_BYTES = 256 * 1024  # of texts in a page, plus one row

_KINDS = tuple(PARTS)
_LOWEST_KEY: dict[type, object] = {UUID: UUID(int=0), str: "", int: 0}


@dataclass(frozen=True, slots=True)
class ExportService:
    """Reads everything stored about a user. A page is one round trip to the database."""

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
        kind = _KINDS[cursor.part]
        params = {"principal": self.user_id, "max_rows": MAX_ROWS, "max_bytes": MAX_BYTES, f"from_{kind}": cursor.key}
        with self.sessions(self.user_id) as session:
            ((lines, behind),) = session.exec(export_queries.PAGES[kind], params=params)
        following = _beginning_of(cursor.part + 1) if behind is None else ExportCursor(cursor.part, behind)
        return ExportPage(lines or "", following)


def _beginning_of(part: int) -> ExportCursor | None:
    """Return where a part begins, or None after the last part."""
    if part == len(_KINDS):
        return None
    return ExportCursor(part, _LOWEST_KEY[key_of(PARTS[_KINDS[part]].table).type.python_type])
