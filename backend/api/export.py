"""Exports: all that is stored of one user as JSON lines, read page by page, as fast as the client takes them.

Between two pages an export holds no connection to the database, no place at its gate, and no thread.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import anyio.to_thread
import structlog
from fastapi import Request
from fastapi.responses import StreamingResponse
from starlette.types import Send

from backend.api.gate import Gate
from backend.database.session import SessionFactory
from backend.errors import ServiceUnavailable, TooManyExports
from backend.models.export import ExportPage, ExportPlace
from backend.services.export_service import ExportService

JSON_LINES = "application/jsonl"
MOST_EXPORTS = 100
MOST_EXPORTS_OF_ONE_USER = 2

_RETRY_SECONDS = 30
_AS_FILE = {"Content-Disposition": 'attachment; filename="task-api-export.jsonl"'}

logger = structlog.get_logger(__name__)


@dataclass(slots=True)
class Exports:
    """What exports need, and how many each of this worker's users has under way."""

    sessions: SessionFactory
    gate: Gate
    under_way: Counter[str] = field(default_factory=Counter, init=False)

    @contextmanager
    def place(self, user_id: str) -> Iterator[None]:
        """Count an export until the block ends.

        Raises TooManyExports when the user has as many as there may be, ServiceUnavailable when the worker has.
        """
        if self.under_way[user_id] >= MOST_EXPORTS_OF_ONE_USER:
            raise TooManyExports(_RETRY_SECONDS)
        if self.under_way.total() >= MOST_EXPORTS:
            raise ServiceUnavailable(retry_after_seconds=_RETRY_SECONDS)
        self.under_way[user_id] += 1
        try:
            yield
        finally:
            self.under_way[user_id] -= 1
            self.under_way += Counter()  # which forgets who has none


@dataclass(slots=True)
class Export:
    """One client that takes what is stored of its user."""

    exports: Exports
    request: Request
    service: ExportService

    @classmethod
    @contextmanager
    def of(cls, request: Request, user_id: str) -> Iterator[Export]:
        """Give the export that answers a request, with a place until the block ends; raises what that does."""
        exports: Exports = request.app.state.exports
        with exports.place(user_id):
            yield cls(exports, request, ExportService(exports.sessions, user_id))

    def answer(self, page: ExportPage) -> StreamingResponse:
        """Answer with this page and all that follow it."""
        return _Download(self._chunks(page), headers=_AS_FILE, media_type=JSON_LINES)

    async def _chunks(self, page: ExportPage) -> AsyncIterator[str]:
        """Write page by page: the next one is read when the client has taken most of this one."""
        self.request.state.give_back_place()
        if getattr(self.request.state, "is_head", False):
            return
        lines = page.lines.count("\n")
        yield page.lines
        while page.next is not None:
            try:
                page = await self._read(page.next)
            except ServiceUnavailable:
                logger.warning("export_broken_off", lines=lines)
                raise
            lines += page.lines.count("\n")
            yield page.lines
        yield json.dumps({"type": "end", "data": {"lines": lines}}, separators=(",", ":")) + "\n"

    async def _read(self, place: ExportPlace) -> ExportPage:
        async with self.exports.gate:
            return await anyio.to_thread.run_sync(self.service.read, place)


class _Download(StreamingResponse):
    """An answer that is not completed when the database is away: the server then closes the connection.

    So nobody takes a part for the whole.
    """

    async def stream_response(self, send: Send) -> None:
        with suppress(ServiceUnavailable):
            await super().stream_response(send)
