"""All living tasks of a user, page by page, in any file format."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from backend.database.retry import reads
from backend.database.session import Sessions
from backend.formats.csv import CSVWriter
from backend.formats.jsonl import JSONWriter
from backend.formats.rows import Writer
from backend.models.export import ExportCursor, ExportPage
from backend.models.task_file import FileFormat
from backend.models.task_query import INBOX
from backend.services.account import export_queries
from backend.services.account.export import MAX_BYTES, MAX_ROWS

_BEGINNING = ExportCursor(0, UUID(int=0))


def writer_of(file_format: FileFormat) -> Writer:
    """Return a writer for a format."""
    if file_format is FileFormat.CALENDAR:
        # Its library is large, and most processes do not need it.
        from backend.formats.calendar.writer import CalendarWriter  # noqa: PLC0415

        return CalendarWriter()
    return JSONWriter() if file_format is FileFormat.JSON_LINES else CSVWriter()


@dataclass(frozen=True, slots=True)
class TaskExportService:
    """Reads one user's living tasks in id order, as JSON lines. Each page is one round trip to the database."""

    sessions: Sessions
    user_id: str

    @reads
    def read(
        self, file_format: FileFormat, list_id: str | None = None, cursor: ExportCursor = _BEGINNING
    ) -> ExportPage:
        """Read the page that begins at `cursor`, of all tasks, of those in one list or in the inbox; it may be empty.

        Only a calendar gets the numbers of priorities, and the UIDs.
        """
        is_calendar = file_format is FileFormat.CALENDAR
        params = {"principal": self.user_id, "max_rows": MAX_ROWS, "max_bytes": MAX_BYTES, "task": cursor.key}
        place = list_id or "all"
        if place not in {"all", INBOX}:
            place, params["list"] = "list", UUID(list_id)
        statements = export_queries.CALENDAR_TASKS if is_calendar else export_queries.LIVING_TASKS
        with self.sessions(self.user_id) as session:
            ((lines, behind),) = session.exec(statements[place], params=params)
        return ExportPage(lines or "", None if behind is None else ExportCursor(0, behind))
