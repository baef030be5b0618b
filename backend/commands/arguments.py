"""The command line of `task-api`, and its help. Imports nothing that only some commands need."""

from __future__ import annotations

import argparse
import difflib
import re
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from backend import __version__
from backend.commands.program import program
from backend.identity.email_address import read_email

MAX_USERS, MAX_TASKS, MAX_SEEDS = 1_000_000, 10**9, 10**15

_TTL = re.compile(r"([1-9][0-9]{0,5})([smhd])", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)
# Finds the first unknown word in a message of argparse.
_UNKNOWN = re.compile(r"(?:invalid choice: '|unrecognized arguments: )([^\s'=]+)")

_FORMATS = ("jsonl", "csv", "ics")
_EXIT_CODES = "exit codes: 0 success, 1 error, 2 wrong arguments, 130 interrupted"
_DATABASE = "DATABASE_URL, DATABASE_DIRECT_URL, DATA_DIR"
# The value of `complete` for arguments that name a file. The words are shtab's, which is not imported here.
FILES = {"bash": "_shtab_compgen_files", "zsh": "_files"}

_ENABLING = """To enable it, add a line and open a new terminal:

  ~/.bashrc                       eval "$(task-api completion bash)"
  ~/.zshrc, after its compinit    eval "$(task-api completion zsh)"

task-api is in .venv/bin: add that to PATH, or write .venv/bin/task-api in the line."""


class Parser(argparse.ArgumentParser):
    """Reports a mistake in one line: what is wrong, what was probably meant, and how to get help."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and exit with 2."""
        meant = ""
        if unknown := _UNKNOWN.search(message):
            known = re.findall(r"[a-z-]+", message[unknown.end() :] + self.format_usage())
            meant = "".join(f" Did you mean {word}?" for word in difflib.get_close_matches(unknown[1], known, n=1))
        self.exit(2, f"task-api: {message}.{meant} Run: {self._called()} --help\n")

    def _called(self) -> str:
        """Return this command as it can be typed here."""
        return f"{program()}{self.prog.removeprefix('task-api')}"


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
    for add in (_serve, _migrate, _purge, _seed, _export, _import, _token, _users, _openapi, _completion):
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
            raise argparse.ArgumentTypeError(f"must be a whole number from {minimum} to {maximum}")
        return int(text)

    return read_number


def _serve(commands: Any) -> None:
    serve = command(
        commands,
        "serve",
        "Serve the API.\n\n"
        "It runs until you stop it, for example with Ctrl-C; the exit code is then 0. Without DATABASE_URL it runs an\n"
        "embedded Postgres in DATA_DIR. In development it updates the schema, and prints a token to start with.",
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
        "Update the database schema.\n\nIt applies the pending migrations in order, and leaves the applied ones alone.",
        examples=("task-api migrate", "task-api migrate status"),
        settings=_DATABASE,
    )
    migrate.add_argument(
        "action",
        nargs="?",
        choices=("apply", "status", "rollback"),
        default="apply",
        help="apply the pending ones, list all, or roll back the newest (default: apply)",
    )


def _purge(commands: Any) -> None:
    command(
        commands,
        "purge",
        "Remove expired data.\n\n"
        "It removes tasks after 30 days in the trash, records of permanently deleted tasks after 30 days, personal\n"
        "access tokens 30 days after their expiry, and answers stored under an Idempotency-Key after 24 hours. A\n"
        "service in use does this automatically.",
        examples=("task-api purge",),
        settings=f"{_DATABASE}, REQUEST_TIMEOUT_SECONDS",
    )


def _seed(commands: Any) -> None:
    seed = command(
        commands,
        "seed",
        "Fill the database with sample tasks.\n\n"
        "The users are alice, bob, carol and so on. Their tasks are from the past six months, and some are completed.\n"
        "The same seed makes the same tasks: a second run adds nothing, and one with larger numbers adds only what is\n"
        "missing. It is for development and tests, and does not run with ENVIRONMENT=production.",
        examples=("task-api seed", "task-api seed --users 100 --tasks 1000"),
        settings=f"{_DATABASE}, ENVIRONMENT, MAX_TASKS_PER_USER, REQUEST_TIMEOUT_SECONDS",
    )
    seed.add_argument("--users", metavar="N", type=number(1, MAX_USERS), default=3, help="number of users (default: 3)")
    seed.add_argument(
        "--tasks",
        metavar="M",
        type=number(1, MAX_TASKS),
        default=100,
        help="number of tasks for each user (default: 100)",
    )
    seed.add_argument(
        "--seed",
        metavar="S",
        type=number(0, MAX_SEEDS),
        default=1,
        help="a different number makes different tasks (default: 1)",
    )


def _export(commands: Any) -> None:
    export = command(
        commands,
        "export",
        "Export the tasks of a user to a file.\n\n"
        "Tasks in the trash are left out. The format depends on the file's name or on --format: JSON lines (jsonl),\n"
        "CSV (csv) or iCalendar (ics). The file gets its name only when it is complete.",
        examples=("task-api export --user alice --output tasks.csv", "task-api export --user alice | jq .title"),
        settings=f"{_DATABASE}, REQUEST_TIMEOUT_SECONDS",
    )
    export.add_argument("--user", metavar="USER", required=True, help="id of the user")
    export.add_argument("--format", choices=_FORMATS, help="format of the file (default: from its name, else jsonl)")
    output = export.add_argument("--output", metavar="FILE", default="-", help="file to write (default: stdout)")
    output.complete = FILES  # type: ignore[attr-defined]


def _import(commands: Any) -> None:
    added = command(
        commands,
        "import",
        "Import tasks from a file for a user.\n\n"
        "It reads what export writes, and JSON arrays: see POST /api/tasks/import. A row with an id sets that task\n"
        "to what the row says. A row without one makes a task once, however often you import the file. Bad rows are\n"
        "listed, and all others are stored. After 10000 bad rows it stops and says where.",
        examples=("task-api import --user alice tasks.csv", "task-api import --user alice --format ics - < tasks"),
        settings=f"{_DATABASE}, MAX_TASKS_PER_USER, REQUEST_TIMEOUT_SECONDS",
    )
    added.set_defaults(command="import_tasks")  # `import` is a Python keyword
    added.add_argument("--user", metavar="USER", required=True, help="id of the user")
    added.add_argument("--format", choices=(*_FORMATS, "json"), help="format of the file (default: from its name)")
    added.add_argument(
        "--key", metavar="KEY", help="under another one, rows without ids make tasks once more (default: none)"
    )
    file = added.add_argument("file", metavar="FILE", help="file to import; - is standard input")
    file.complete = FILES  # type: ignore[attr-defined]


def _token(commands: Any) -> None:
    token = command(
        commands,
        "token",
        "Print a bearer token, for development and tests.\n\n"
        "Any user id works: an account begins with its first task. It does not run in production, or with\n"
        "JWT_JWKS_URL: then the issuer makes the tokens.",
        examples=("task-api token alice", "TOKEN=$(task-api token alice --ttl 7d)"),
        settings="JWT_SECRET, JWT_JWKS_URL, JWT_ISSUER, JWT_AUDIENCE, JWT_AUTHORIZED_PARTIES, DATA_DIR, ENVIRONMENT",
    )
    token.add_argument("user", metavar="USER", help="user id in the token")
    token.add_argument(
        "--ttl",
        metavar="TIME",
        type=_ttl_seconds,
        default="1h",
        help="how long it is valid: 30s, 15m, 1h, 7d (default: 1h)",
    )


def _users(commands: Any) -> None:
    users = command(
        commands,
        "users",
        "Help those who sign in with a password.\n\n"
        "`set-password` gives somebody a new password, and ends all their sessions. It asks for the password at the\n"
        "terminal, or reads the first line of standard input. `invite` prints an invitation, with which this address\n"
        "can register while SIGN_UP=false.",
        examples=(
            "task-api users set-password anna@example.com",
            "task-api users set-password anna@example.com < password.txt",
            "task-api users invite anna@example.com --days 3",
        ),
        settings=f"{_DATABASE}, SIGN_IN, SIGN_IN_SECRET, PASSWORD_MIN_LENGTH, REQUEST_TIMEOUT_SECONDS",
    )
    users.add_argument("action", choices=("set-password", "invite"), help="what to do")
    users.add_argument("email", metavar="EMAIL", type=_email, help="the address, in any case")
    users.add_argument(
        "--days", metavar="N", type=number(1, 365), default=7, help="how long an invitation is good (default: 7)"
    )
    users.add_argument("--json", action="store_true", help="print a JSON object (default: a line of text)")


def _openapi(commands: Any) -> None:
    command(
        commands,
        "openapi",
        "Print the OpenAPI document of the API.\n\nIt is OpenAPI 3.1 in JSON, and the same with all settings.",
        examples=("task-api openapi > openapi.json",),
        settings="none; it needs no database and no key",
    )


def _completion(commands: Any) -> None:
    completion = command(
        commands,
        "completion",
        f"Print a script that completes commands and options in your shell.\n\n{_ENABLING}",
        examples=("task-api completion bash",),
        settings="none",
    )
    completion.add_argument("shell", choices=("bash", "zsh"), help="your shell")


def _ttl_seconds(text: str) -> int:
    match = _TTL.fullmatch(text)
    if not match:
        raise argparse.ArgumentTypeError("must be a number and a unit, like 30s, 15m, 1h or 7d")
    return int(match[1]) * _SECONDS[match[2]]


def _email(text: str) -> str:
    try:
        return read_email(text)
    except ValueError:
        raise argparse.ArgumentTypeError("must be an address like anna@example.com") from None
