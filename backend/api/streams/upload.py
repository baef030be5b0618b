"""Imports: files of tasks, stored part by part as they arrive.

While it waits for its client, an import holds no database connection, no slot at the connection limiter, and no thread.
While a part is stored, no more of the file is read. Parsing runs in turns, each of which holds a thread: even the
worst file keeps others waiting for a turn only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from typing import TypeVar

import anyio.to_thread
from anyio import CapacityLimiter
from fastapi import Request, Response
from starlette.requests import ClientDisconnect

from backend.api.auth.authenticator import Authenticator, bearer_token
from backend.api.http.envelope import import_response
from backend.api.http.idempotency import OncePerKey, answered
from backend.api.streams.changes import Feed
from backend.api.streams.slots import Slots
from backend.database.connection_limiter import ConnectionLimiter
from backend.errors import BadRequest, KeyReused, ServiceUnavailable, TooManyImports
from backend.models.task_file import AnyFormat
from backend.services.idempotency import IdempotencyService
from backend.services.task_files.import_service import ImportService
from backend.services.task_files.reader import NO_ROOM, Part, TaskImport, reader_of
from backend.services.task_files.row_ids import RowIds
from backend.services.unit_of_work import Answer

MAX_IMPORTS = 20
MAX_IMPORTS_OF_ONE_USER = 2
PIECE_BYTES = 64 * 1024  # of a file, at once

_Result = TypeVar("_Result")


@dataclass(slots=True)
class Imports:
    """What imports need, and the number that each of this worker's users is running."""

    connection_limiter: ConnectionLimiter
    authenticator: Authenticator
    computing: CapacityLimiter  # threads
    feed: Feed
    slots: Slots = field(default_factory=lambda: Slots(MAX_IMPORTS, MAX_IMPORTS_OF_ONE_USER, TooManyImports))


@dataclass(slots=True)
class Import:
    """One client that sends a file of tasks."""

    imports: Imports
    request: Request
    user_id: str
    file_format: AnyFormat

    def slot(self) -> AbstractContextManager[ExitStack]:
        """Take a slot; raises what `Slots.take` does."""
        return self.imports.slots.take(self.user_id)

    async def run(self, service: ImportService, once: OncePerKey) -> Response:
        """Store all tasks that the client sends, and return a report.

        If a file with this key was imported to its end before, nothing is stored. The same file then gets the same
        report, and another file raises KeyReused. Raises ValidationFailed when the file does not have its
        format, BadRequest when the client leaves, Unauthorized when the token is revoked or expires, and
        ServiceUnavailable when the database is unavailable.
        """
        answers = IdempotencyService(service.sessions, service.user_id)
        try:
            found = await self.imports.connection_limiter.run(answers.find, once.key) if once.key else None
            zone = await self.imports.connection_limiter.run(service.zone_of, self.file_format)
            reader = await self._compute(reader_of, self.file_format, zone)
            ids = RowIds.of(service.user_id, service.sessions.list_id, once.key)
            task_import = TaskImport(reader, service, ids)
            request_hash = once.hash_of(self.file_format, await self._read(task_import, is_ignored=found is not None))
            if found is not None:
                return _replayed(found, request_hash)
            report = import_response(task_import.report)
            if once.key is None:
                return report
            answer = Answer(report.status_code, {}, bytes(report.body).decode())
            return answered(
                *await self.imports.connection_limiter.run(answers.once, once.key, request_hash, lambda _: answer)
            )
        except ServiceUnavailable:
            raise ServiceUnavailable(NO_ROOM) from None

    async def _read(self, task_import: TaskImport, *, is_ignored: bool) -> str:
        """Take the file piece by piece, and return its hash. If it is ignored, nothing is stored."""
        hashed = hashlib.sha256()
        try:
            async for data in self.request.stream():
                for start in range(0, len(data), PIECE_BYTES):
                    piece = data[start : start + PIECE_BYTES]
                    hashed.update(piece)
                    await self._take(task_import, iter(()) if is_ignored else task_import.read(piece))
        except ClientDisconnect:
            raise BadRequest from None
        await self._take(task_import, iter(()) if is_ignored else task_import.end())
        return hashed.hexdigest()

    async def _take(self, task_import: TaskImport, parts: Iterator[Part]) -> None:
        """Parse and store a piece of the file in turns while the token is valid; discard it if the import has stopped.

        Raises what `run` does.
        """
        part: Part | None = []
        while part is not None:
            # The token may be revoked by now.
            await self.imports.authenticator.principal(bearer_token(self.request.scope))
            if part:
                part = await self.imports.connection_limiter.run(task_import.store, part)
                self.imports.feed.wake(self.user_id)
            if not part:
                part = None if task_import.has_stopped else await self._compute(next, parts, None)

    async def _compute(self, work: Callable[..., _Result], *arguments: object) -> _Result:
        return await anyio.to_thread.run_sync(work, *arguments, limiter=self.imports.computing)


def _replayed(found: tuple[bytes, Answer], request_hash: bytes) -> Response:
    """Return the report of a file that was imported before; raises KeyReused for another file."""
    stored_hash, answer = found
    if request_hash != stored_hash:
        raise KeyReused
    return answered(answer, True)
