"""Exports: all stored data of one user, or the living tasks, read page by page as fast as the client reads.

Between pages an export holds no database connection, no slot at the connection limiter, and no thread.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass, field
from functools import partial

import anyio.to_thread
import structlog
from anyio import CapacityLimiter
from fastapi import Request
from starlette.types import Send

from backend.api.auth.authenticator import Authenticator, bearer_token
from backend.api.http.request_state import request_state
from backend.api.streams.slots import HoldingSlot, Slots
from backend.database.connection_limiter import ConnectionLimiter
from backend.database.session import SessionFactory
from backend.errors import ServiceUnavailable, TooManyExports, Unauthorized
from backend.models.export import ExportCursor, ExportPage
from backend.models.task_file import FileFormat, TaskExportQuery
from backend.services.account.export import ExportService
from backend.services.task_files.export_service import TaskExportService, writer_of

JSON_LINES = "application/jsonl"
MEDIA_TYPES = {
    FileFormat.JSON_LINES: JSON_LINES,
    FileFormat.CSV: "text/csv; charset=utf-8",
    FileFormat.CALENDAR: "text/calendar; charset=utf-8",
}
MAX_EXPORTS = 100
MAX_EXPORTS_OF_ONE_USER = 2

_Read = Callable[[ExportCursor], ExportPage]

logger = structlog.get_logger(__name__)


@dataclass(slots=True)
class Exports:
    """What exports need, and the number that each of this worker's users is running."""

    connection_limiter: ConnectionLimiter
    authenticator: Authenticator
    computing: CapacityLimiter  # threads
    slots: Slots = field(default_factory=lambda: Slots(MAX_EXPORTS, MAX_EXPORTS_OF_ONE_USER, TooManyExports))


@dataclass(slots=True)
class Export:
    """One client that downloads its user's data."""

    exports: Exports
    request: Request
    sessions: SessionFactory
    user_id: str

    def slot(self) -> AbstractContextManager[ExitStack]:
        """Take a slot; raises what `Slots.take` does."""
        return self.exports.slots.take(self.user_id)

    def account(self, page: ExportPage) -> HoldingSlot:
        """Return a response with all stored data, from this page on."""
        return self._download(self._account(page), JSON_LINES, "task-api-export.jsonl")

    def tasks(self, page: ExportPage, query: TaskExportQuery) -> HoldingSlot:
        """Return a response with the living tasks that a query names, from this page on."""
        file_format = query.file_format
        return self._download(self._tasks(page, query), MEDIA_TYPES[file_format], f"tasks.{file_format}")

    def _download(self, chunks: AsyncIterator[str], media_type: str, name: str) -> HoldingSlot:
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Content-Type": media_type}
        return _Download(chunks, headers=headers)

    @property
    def _is_head(self) -> bool:
        return "is_head" in request_state(self.request.scope)

    async def _account(self, page: ExportPage) -> AsyncIterator[str]:
        if self._is_head:
            return
        lines = 0
        async for text in self._pages(page, ExportService(self.sessions, self.user_id).read):
            lines += text.count("\n")
            yield text
        yield json.dumps({"type": "end", "data": {"lines": lines}}, separators=(",", ":")) + "\n"

    async def _tasks(self, page: ExportPage, query: TaskExportQuery) -> AsyncIterator[str]:
        if self._is_head:
            return
        file_format, list_id = query.file_format, query.list_id
        computing = self.exports.computing
        writer = await anyio.to_thread.run_sync(writer_of, file_format, limiter=computing)
        yield "\ufeff" * query.bom + writer.beginning
        read = partial(TaskExportService(self.sessions, self.user_id).read, file_format, list_id)
        async for lines in self._pages(page, read):
            yield await anyio.to_thread.run_sync(writer.write, lines, limiter=computing)
        yield writer.ending

    async def _pages(self, page: ExportPage, read: _Read) -> AsyncIterator[str]:
        """Yield page by page: the next page is read when the client has read most of this one."""
        lines = page.lines.count("\n")
        yield page.lines
        while page.next is not None:
            try:
                await self._require_token()
                page = await self.exports.connection_limiter.run(read, page.next)
            except ServiceUnavailable:
                logger.warning("export_aborted", lines=lines)
                raise
            lines += page.lines.count("\n")
            yield page.lines

    async def _require_token(self) -> None:
        """Raise ServiceUnavailable if the token is no longer valid: the answer has begun, and can only break off."""
        try:
            await self.exports.authenticator.principal(bearer_token(self.request.scope))
        except Unauthorized as error:
            raise ServiceUnavailable from error


class _Download(HoldingSlot):
    """An answer that stays incomplete if the database or the token fails: the server then closes the connection.

    So no client mistakes a part for the whole.
    """

    async def stream_response(self, send: Send) -> None:
        with suppress(ServiceUnavailable):
            await super().stream_response(send)
