"""task-api: serve, migrate, purge, token, openapi. Reads what was typed, and says what went wrong."""

from __future__ import annotations

import argparse
import gc
import os
import re
import sys
from collections.abc import Sequence
from importlib import import_module

from backend.errors import ConfigurationError, ServiceUnavailable
from backend.utils.collector import without_collecting

EXIT_INTERRUPTED = 130  # by Ctrl-C, as shells have it

_TTL = re.compile(r"([1-9][0-9]{0,5})([smhd])", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code. What is set up wrongly is said in a line and ends with 1."""
    options = _parser().parse_args(arguments)
    try:
        with without_collecting():
            command = import_module(f"backend.commands.{options.command}")  # each needs something else
            gc.freeze()
        command.run(options)
        sys.stdout.flush()
    except (ConfigurationError, ServiceUnavailable) as error:
        for line in str(error).splitlines():
            print(f"task-api: {line}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has read enough. Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="task-api", description="A multi-user task service on Postgres.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", help="serve the API")
    serve.add_argument("--host", help="address to listen on (default: HOST)")
    serve.add_argument("--port", type=int, help="port to listen on; 0 picks a free one (default: PORT)")
    serve.add_argument("--workers", type=int, help="processes that serve requests (default: WORKERS)")
    serve.set_defaults(command="serve")

    migrate = commands.add_parser("migrate", help="bring the database schema up to date")
    migrate.add_argument(
        "action",
        nargs="?",
        choices=("apply", "status", "rollback"),
        default="apply",
        help="apply what is pending (default), list all, or take the newest back",
    )
    migrate.set_defaults(command="migrate")

    purge = commands.add_parser("purge", help="remove what is past its time: 30 days in the trash, 24 hours as a key")
    purge.set_defaults(command="purge")

    token = commands.add_parser("token", help="print a bearer token, for development and tests")
    token.add_argument("user", metavar="USER", help="the user id that the token stands for")
    token.add_argument("--ttl", type=_ttl_seconds, default="1h", help="how long it is good: 30s, 15m, 1h, 7d")
    token.set_defaults(command="token")

    openapi = commands.add_parser("openapi", help="print the contract; needs no database and no key")
    openapi.set_defaults(command="openapi")
    return parser


def _ttl_seconds(text: str) -> int:
    match = _TTL.fullmatch(text)
    if not match:
        raise argparse.ArgumentTypeError("write a number and a unit: 30s, 15m, 1h, 7d")
    return int(match[1]) * _SECONDS[match[2]]


if __name__ == "__main__":
    sys.exit(main())
