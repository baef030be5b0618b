"""task-api import: stores the tasks of a file for a user."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from backend.commands.database import set_up
from backend.commands.progress import progress
from backend.commands.sessions import sessions_on_database
from backend.commands.task_files import STANDARD, check_user, format_of
from backend.errors import ConfigurationError, ServiceUnavailable, ValidationFailed
from backend.models.task_file import ENDINGS, ImportReport
from backend.services.task_files.import_service import ImportService
from backend.services.task_files.reader import NO_ROOM, Part, TaskImport, reader_of
from backend.services.task_files.row_ids import RowIds

PIECE_BYTES = 64 * 1024

_COUNTS = ("created", "updated", "restored", "unchanged", "failed")
_RARE_COUNTS = ("mended", "skipped")  # printed only where there are any


def run(options: argparse.Namespace) -> None:
    """Store the rows, print the counts, and list bad and mended rows on standard error."""
    check_user(options)
    file_format = format_of(options, options.file, ENDINGS)
    settings = set_up()
    with _input(options.file) as file, sessions_on_database(settings) as sessions:
        origin = sessions.origin._replace(via="import")
        service = ImportService(sessions.made_by(origin), options.user, settings.max_tasks_per_user)
        reader = reader_of(file_format, service.zone_of(file_format))
        ids = RowIds.of(options.user, None, options.key)
        report = _import(file, TaskImport(reader, service, ids), options.file)
    names = (*_COUNTS, *(name for name in _RARE_COUNTS if getattr(report, name)))
    print(", ".join(f"{getattr(report, name)} {name}" for name in names))
    for listed in (report.warnings, report.errors):
        for told in listed:
            print(f"{options.file}:{told.line}: {_printable(told.field)}: {told.message}", file=sys.stderr)
    if report.failed:
        raise ConfigurationError(_complaint(report))


def _complaint(report: ImportReport) -> str:
    listed = "listed above" if len(report.errors) == report.failed else f"the first {len(report.errors)} listed above"
    rows = "1 row is bad" if report.failed == 1 else f"{report.failed} rows are bad"
    if report.stopped_at_line is None:
        return f"{rows} ({listed}). All other rows are stored"
    stopped = f"The import stopped at line {report.stopped_at_line}"
    return f"{rows} ({listed}). {stopped}: all other rows before it are stored, and none from there on"


def _import(file: BinaryIO, task_import: TaskImport, name: str) -> ImportReport:
    size = os.fstat(file.fileno()).st_size if name != STANDARD else None
    try:
        with progress(size, "B") as advance:
            while not task_import.has_stopped and (piece := file.read(PIECE_BYTES)):
                _store(task_import, task_import.read(piece))
                advance(len(piece))
            _store(task_import, task_import.end())
    except ValidationFailed as error:
        (detail,) = error.details
        raise ConfigurationError(f"{name}: {_printable(detail.field)}: {detail.message}") from None
    except ServiceUnavailable:
        raise ServiceUnavailable(NO_ROOM) from None
    return task_import.report


def _store(task_import: TaskImport, parts: Iterator[Part]) -> None:
    for part in parts:
        rest = part
        while rest:
            rest = task_import.store(rest)


def _printable(name: str) -> str:
    """Return a field's name, which comes from the file, without characters that a terminal would obey."""
    return "".join(character if character.isprintable() else "?" for character in name)


@contextmanager
def _input(name: str) -> Iterator[BinaryIO]:
    if name == STANDARD:
        yield sys.stdin.buffer
        return
    with Path(name).open("rb") as file:
        yield file
