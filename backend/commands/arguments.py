"""The command line of `task-api`, and its help. Imports nothing that only some commands need."""

from __future__ import annotations

import argparse
import difflib
import re
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from backend import __version__

MAX_USERS, MAX_TASKS, MAX_SEEDS = 1_000_000, 10**9, 10**15

_TTL = re.compile(r"([1-9][0-9]{0,5})([smhd])", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)
# Finds the first unknown word in a message of argparse.
_UNKNOWN = re.compile(r"(?:invalid choice: '|unrecognized arguments: )([^\s'=]+)")

_FORMATS = ("jsonl", "csv", "ics")
_EXIT_CODES = "ends with: 0 done, 1 something it met is wrong, 2 typed wrongly, 130 interrupted"
_DATABASE = "DATABASE_URL, DATABASE_DIRECT_URL, DATA_DIR"
# The value of `complete` for arguments that name a file. The words are shtab's, which is not imported here.
FILES = {"bash": "_shtab_compgen_files", "zsh": "_files"}

_SWITCHING_ON = """To switch it on, add a line and open a new terminal:

  ~/.bashrc                       eval "$(task-api completion bash)"
  ~/.zshrc, after its compinit    eval "$(task-api completion zsh)"

task-api is in .venv/bin: put that on PATH, or write .venv/bin/task-api in the line."""


class Parser(argparse.ArgumentParser):
    """Reports a mistake in one line: what is wrong, what was probably meant, and how to get help."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and exit with 2."""
        meant = ""
        if unknown := _UNKNOWN.search(message):
            known = re.findall(r"[a-z-]+", message[unknown.end() :] + self.format_usage())
            meant = "".join(f" Did you mean {word}?" for word in difflib.get_close_matches(unknown[1], known, n=1))
        self.exit(2, f"task-api: {message}.{meant} Run: {self.prog} --help\n")


def read(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the arguments; says what is wrong with them and exits with 2."""
    options, unknown = parser().parse_known_args(arguments)
    if unknown:
        options.parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    return options


def parser() -> Parser:
    """Build the parser for all commands."""
    root = Parser(
        prog="task-api",
        formatter_class=_formatter,
        description="A multi-user task service on Postgres. `task-api COMMAND --help` explains a command.",
        epilog=f"example: task-api serve\n\nSettings come from the environment or a file .env.\n{_EXIT_CODES}",
    )
    root.add_argument("--version", action="version", version=f"%(prog)s {__version__}", help="print the version")
    root.set_defaults(command=None, parser=root)
    commands = root.add_subparsers(title="commands", metavar="COMMAND")
    for add in (_serve, _migrate, _purge, _seed, _export, _import, _token, _openapi, _completion):
        add(commands)
    return root


def _formatter(prog: str) -> argparse.HelpFormatter:
    """Keep the line breaks of our texts, and each option on one line with its help."""
    return argparse.RawDescriptionHelpFormatter(prog, max_help_position=20)


def command(commands: Any, name: str, text: str, *, examples: Sequence[str], settings: str) -> Parser:
    """Add a command with its help: what it does, examples, the settings that it reads, and its exit codes."""
    shown = "\n  ".join(examples)
    added: Parser = commands.add_parser(
        name,
        help=text.partition(".\n")[0],
        formatter_class=_formatter,
        description=text,
        epilog=f"examples:\n  {shown}\n\nsettings: {settings}\n{_EXIT_CODES}",
    )
    added.set_defaults(command=name, parser=added)
    return added


def number(minimum: int, maximum: int) -> Callable[[str], int]:
    """Return a function that reads a whole number from `minimum` to `maximum`."""

    def read_number(text: str) -> int:
        if not _NUMBER.fullmatch(text) or not minimum <= int(text) <= maximum:
            raise argparse.ArgumentTypeError(f"write a whole number from {minimum} to {maximum}")
        return int(text)

    return read_number


def _serve(commands: Any) -> None:
    serve = command(
        commands,
        "serve",
        "Serve the API.\n\n"
        "It runs until it is told to end: Ctrl-C does, and has it end with 0. Without DATABASE_URL it brings a\n"
        "Postgres of its own, in DATA_DIR. In development it updates the schema, and prints a token to begin with.",
        examples=("task-api serve", "task-api serve --port 9000", "task-api serve --host 0.0.0.0 --workers 2"),
        settings="all of .env.example",
    )
    serve.add_argument("--host", help="address to listen on (default: HOST, else 127.0.0.1)")
    serve.add_argument(
        "--port",
        metavar="N",
        type=number(0, 65535),
        help="port to listen on; 0 picks a free one (default: PORT, else 8000)",
    )
    serve.add_argument(
        "--workers", metavar="N", type=number(1, 64), help="processes that serve requests (default: WORKERS, else 1)"
    )


def _migrate(commands: Any) -> None:
    migrate = command(
        commands,
        "migrate",
        "Bring the database schema up to date.\n\n"
        "It applies one migration after the other. What is applied already stays as it is.",
        examples=("task-api migrate", "task-api migrate status"),
        settings=_DATABASE,
    )
    migrate.add_argument(
        "action",
        nargs="?",
        choices=("apply", "status", "rollback"),
        default="apply",
        help="apply what is pending, list all, or take the newest back (default: apply)",
    )


def _purge(commands: Any) -> None:
    command(
        commands,
        "purge",
        "Remove what is past its time.\n\n"
        "Tasks after 30 days in the trash, traces of those that were deleted for good after 30 days, answers kept for\n"
        "an Idempotency-Key after 24 hours. A service that is used does so by itself.",
        examples=("task-api purge",),
        settings=f"{_DATABASE}, REQUEST_TIMEOUT_SECONDS",
    )


def _seed(commands: Any) -> None:
    seed = command(
        commands,
        "seed",
        "Fill the database with invented tasks.\n\n"
        "The users are alice, bob, carol and so on. Some of their tasks are completed, and all are of the past six\n"
        "months. The same seed makes the same tasks: a second run adds nothing, and one with larger numbers only what\n"
        "is missing. For development and tests: with ENVIRONMENT=production it refuses.",
        examples=("task-api seed", "task-api seed --users 100 --tasks 1000"),
        settings=f"{_DATABASE}, ENVIRONMENT, MAX_TASKS_PER_USER, REQUEST_TIMEOUT_SECONDS",
    )
    seed.add_argument("--users", metavar="N", type=number(1, MAX_USERS), default=3, help="how many users (default: 3)")
    seed.add_argument(
        "--tasks",
        metavar="M",
        type=number(1, MAX_TASKS),
        default=100,
        help="how many tasks each of them has (default: 100)",
    )
    seed.add_argument(
        "--seed",
        metavar="S",
        type=number(0, MAX_SEEDS),
        default=1,
        help="another number makes other tasks (default: 1)",
    )


def _export(commands: Any) -> None:
    export = command(
        commands,
        "export",
        "Write all tasks of a user to a file.\n\n"
        "Those in the trash are left out. The format is that of the file's name, or of --format: JSON lines (jsonl),\n"
        "CSV (csv) or iCalendar (ics). A file gets its name when it is complete.",
        examples=("task-api export --user alice --output tasks.csv", "task-api export --user alice | jq .title"),
        settings=f"{_DATABASE}, REQUEST_TIMEOUT_SECONDS",
    )
    export.add_argument("--user", metavar="USER", required=True, help="the id of the user")
    export.add_argument("--format", choices=_FORMATS, help="how to write it (default: as FILE is called, else jsonl)")
    output = export.add_argument("--output", metavar="FILE", default="-", help="where to (default: standard output)")
    output.complete = FILES  # type: ignore[attr-defined]


def _import(commands: Any) -> None:
    added = command(
        commands,
        "import",
        "Store the tasks of a file for a user.\n\n"
        "It takes what export writes, and more: see POST /api/tasks/import. A row with an id makes that task be as\n"
        "the row says, so that a file can be imported again. Bad rows are listed, and all others stored. After 10000\n"
        "bad ones it stops, and says where.",
        examples=("task-api import --user alice tasks.csv", "task-api import --user alice --format ics - < tasks"),
        settings=f"{_DATABASE}, MAX_TASKS_PER_USER, REQUEST_TIMEOUT_SECONDS",
    )
    added.set_defaults(command="import_tasks")  # `import` is a Python keyword
    added.add_argument("--user", metavar="USER", required=True, help="the id of the user")
    added.add_argument("--format", choices=_FORMATS, help="how it is written (default: as FILE is called)")
    file = added.add_argument("file", metavar="FILE", help="what to import; - is standard input")
    file.complete = FILES  # type: ignore[attr-defined]


def _token(commands: Any) -> None:
    token = command(
        commands,
        "token",
        "Print a bearer token, for development and tests.\n\n"
        "Any user id will do: an account begins with its first task. In production, and where an issuer makes the\n"
        "tokens, it refuses.",
        examples=("task-api token alice", "TOKEN=$(task-api token alice --ttl 7d)"),
        settings="JWT_SECRET, JWT_JWKS_URL, JWT_ISSUER, JWT_AUDIENCE, JWT_AUTHORIZED_PARTIES, DATA_DIR, ENVIRONMENT",
    )
    token.add_argument("user", metavar="USER", help="the user id that the token stands for")
    token.add_argument(
        "--ttl",
        metavar="TIME",
        type=_ttl_seconds,
        default="1h",
        help="how long it is good: 30s, 15m, 1h, 7d (default: 1h)",
    )


def _openapi(commands: Any) -> None:
    command(
        commands,
        "openapi",
        "Print the contract.\n\nIt is the same however the service is set up: OpenAPI 3.1, in JSON.",
        examples=("task-api openapi > openapi.json",),
        settings="none; it needs no database and no key",
    )


def _completion(commands: Any) -> None:
    completion = command(
        commands,
        "completion",
        f"Print what completes commands and options.\n\n{_SWITCHING_ON}",
        examples=("task-api completion bash",),
        settings="none",
    )
    completion.add_argument("shell", choices=("bash", "zsh"), help="the shell that is to complete")


def _ttl_seconds(text: str) -> int:
    match = _TTL.fullmatch(text)
    if not match:
        raise argparse.ArgumentTypeError("write a number and a unit: 30s, 15m, 1h, 7d")
    return int(match[1]) * _SECONDS[match[2]]
