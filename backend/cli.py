"""task-api: serve, migrate, purge, seed, token, users, openapi, completion. Runs a command, and reports errors."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from backend.commands import arguments as typed
from backend.errors import ConfigurationError, ServiceUnavailable
from backend.server.garbage_collector import without_collecting
from backend.server.signals import EXIT_INTERRUPTED, interrupted_at_once

EXIT_WRONG, EXIT_TYPED_WRONGLY = 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code. An error is printed in one line, and the code is 1."""
    try:
        return _run(arguments)
    except (ConfigurationError, ServiceUnavailable) as error:
        for line in str(error).splitlines():
            print(f"task-api: {line}", file=sys.stderr)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        _forget_output()  # the reader has read enough
        return 0
    except OSError as error:
        _forget_output()
        print(f"task-api: {error.strerror or error}{_file_name(error)}", file=sys.stderr)
    return EXIT_WRONG


def _run(arguments: Sequence[str] | None) -> int:
    try:
        options = typed.read(arguments)
    finally:
        _flush_output()  # --help writes output, and then ends the process itself
    if options.command is None:
        options.parser.print_help(sys.stderr)
        return EXIT_TYPED_WRONGLY
    with without_collecting(), interrupted_at_once(EXIT_INTERRUPTED):
        command = import_module(f"backend.commands.{options.command}")  # imports only what this command needs
        gc.freeze()
    command.run(options)
    _flush_output()
    return 0


def _flush_output() -> None:
    """Flush buffered output, so that we handle an error, and not Python at exit."""
    if sys.stdout is not None:  # None if we were started with it closed
        sys.stdout.flush()


def _forget_output() -> None:
    """Discard all further output, or Python would complain again when it flushes at exit."""
    if sys.stdout is not None:  # None if we were started with it closed
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _file_name(error: OSError) -> str:
    return f": {error.filename}" if error.filename else ""


if __name__ == "__main__":
    sys.exit(main())
