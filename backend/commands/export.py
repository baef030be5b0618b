"""task-api export: all tasks of a user, as a file."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from backend.commands.database import set_up
from backend.commands.progress import progress
from backend.commands.sessions import sessions_on_database
from backend.commands.task_files import STANDARD, check_user, format_of
from backend.models.task_file import FileFormat
from backend.services.task_files.export_service import TaskExportService, writer_of

_ENDINGS = {file_format.value: file_format for file_format in FileFormat}


def run(options: argparse.Namespace) -> None:
    """Write the tasks to a file or to standard output."""
    check_user(options)
    is_plain = options.output == STANDARD and options.format is None
    file_format = FileFormat.JSON_LINES if is_plain else format_of(options, options.output, _ENDINGS)
    writer = writer_of(file_format)
    count = 0
    with (
        sessions_on_database(set_up()) as sessions,
        _output(options.output) as write,
        progress(None, "tasks") as advance,
    ):
        write(writer.beginning)
        for lines in _pages(TaskExportService(sessions, options.user), file_format):
            write(writer.write(lines))
            count += lines.count("\n")
            advance(lines.count("\n"))
        write(writer.ending)
    if options.output != STANDARD:
        print(f"exported {count} task{'' if count == 1 else 's'}")


def _pages(service: TaskExportService, file_format: FileFormat) -> Iterator[str]:
    page = service.read(file_format)
    yield page.lines
    while page.next:
        page = service.read(file_format, cursor=page.next)
        yield page.lines


@contextmanager
def _output(name: str) -> Iterator[Callable[[str], object]]:
    """Yield a write function. A file gets its name only when complete, so that nobody mistakes a part for it."""
    if name == STANDARD:
        yield lambda text: sys.stdout.buffer.write(text.encode())
        sys.stdout.buffer.flush()
        return
    part = Path(f"{name}.part")
    try:
        with part.open("wb") as file:
            yield lambda text: file.write(text.encode())
        part.replace(name)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
