"""The help of task-api, its messages for mistyped commands, and its exit codes."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from backend import __version__
from backend.cli import main
from backend.commands import arguments as typed
from backend.config import Settings
from tests.fixtures.processes.process import TASK_API, environment, run

pytestmark = pytest.mark.requirement("FR-219")

COMMANDS = re.findall(r"^    ([a-z]+)(?: |$)", typed.parser().format_help(), re.MULTILINE)
SETTINGS = {name.upper(): field.default for name, field in Settings.model_fields.items()}


@pytest.fixture
def help_of(capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest) -> str:
    with pytest.raises(SystemExit, match="0"):
        main([request.param, "--help"])
    shown = capsys.readouterr()
    assert shown.err == ""
    return shown.out


def test_there_are_all_commands() -> None:
    modules = {path.stem for path in Path(typed.__file__).parent.glob("*.py") if "\ndef run(" in path.read_text()}
    chosen = {typed.read([name, *_needed(name)]).command for name in COMMANDS}
    assert chosen == modules


def _needed(command: str) -> list[str]:
    """Return the required arguments of a command, taken from its first example."""
    (example, *_) = re.findall(rf"^  (?:\w+=\$\()?task-api {command}\b(.*?)\)?$", _help(command), re.MULTILINE)
    return shlex.split(re.split(r" [<>|] ", example)[0])


def _help(command: str) -> str:
    words = dict.fromkeys(COMMANDS)
    assert command in words
    subparsers = next(action for action in typed.parser()._actions if isinstance(action.choices, dict))  # noqa: SLF001
    assert isinstance(subparsers.choices, dict)
    shown: str = subparsers.choices[command].format_help()
    return shown


@pytest.mark.parametrize("help_of", COMMANDS, indirect=True)
def test_each_command_explains_itself(help_of: str) -> None:
    usage, what, *_ = help_of.split("\n\n")

    assert usage.startswith("usage: task-api ")
    assert re.fullmatch(r"[A-Z].*\.", what)
    for option, explained in re.findall(r"^  (--[a-z]+)(.*(?:\n {10,}.*)*)", help_of, re.MULTILINE):
        assert "(default: " in explained or f" {option} " in usage, option  # optional ones are in brackets
    (examples,) = re.findall(r"\nexamples:\n((?:  .*\n)+)", help_of)
    for example in examples.splitlines():
        (words,) = re.findall(r"task-api ([^()<>|]+)", example)
        typed.read(shlex.split(words))  # the example parses
    (named,) = re.findall(r"^settings: (.+)$", help_of, re.MULTILINE)
    assert set(re.findall(r"\b[A-Z][A-Z_]+\b", named)) <= SETTINGS.keys()
    for setting, default in re.findall(r"\(default: ([A-Z_]+), else (.+?)\)", help_of):
        assert str(SETTINGS[setting]) == default
    assert "exit codes: 0 success, 1 error, 2 wrong arguments, 130 interrupted" in help_of


def test_without_a_command_it_shows_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert [name for name in COMMANDS if f"\n    {name}" not in shown.err] == []
    assert "example: task-api serve" in shown.err


def test_it_tells_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out == f"task-api {__version__}\n"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("serv", "Did you mean serve? Run: task-api --help"),
        ("tokn alice", "Did you mean token? Run: task-api --help"),
        ("--verison", "Did you mean --version? Run: task-api --help"),
        ("xyzzy", "). Run: task-api --help"),
        ("serve --prot 1", "Did you mean --port? Run: task-api serve --help"),
        ("serve --port=99999", "--port: must be a whole number from 0 to 65535. Run: task-api serve --help"),
        ("serve --port http", "--port: must be a whole number from 0 to 65535. Run: task-api serve --help"),
        ("serve --workers 0", "--workers: must be a whole number from 1 to 64. Run: task-api serve --help"),
        ("serve --workers", "--workers: expected one argument. Run: task-api serve --help"),
        ("serve 8000", "unrecognized arguments: 8000. Run: task-api serve --help"),
        ("migrate statsu", "Did you mean status? Run: task-api migrate --help"),
        ("purge --port 1", "unrecognized arguments: --port 1. Run: task-api purge --help"),
        ("seed --users 0", "--users: must be a whole number from 1 to 1000000. Run: task-api seed --help"),
        ("seed --user=many", "--users: must be a whole number from 1 to 1000000. Run: task-api seed --help"),
        ("seed --seed -1", "--seed: must be a whole number from 0 to 1000000000000000. Run: task-api seed --help"),
        ("seed --tasks 5e3", "--tasks: must be a whole number from 1 to 1000000000. Run: task-api seed --help"),
        ("token", "required: USER. Run: task-api token --help"),
        ("token alice bob", "unrecognized arguments: bob. Run: task-api token --help"),
        (
            "token alice --ttl 1y",
            "--ttl: must be a number and a unit, like 30s, 15m, 1h or 7d. Run: task-api token --help",
        ),
        ("completion fish", "invalid choice: 'fish' (choose from "),
    ],
)
def test_what_is_typed_wrongly_is_said_in_a_line(line: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(shlex.split(line))
    shown = capsys.readouterr()
    assert shown.out == ""
    (only,) = shown.err.splitlines()
    assert only.startswith("task-api: ")
    assert said in only


@pytest.mark.parametrize(
    ("line", "settings", "said"),
    [
        ("token ''", {}, "A user id must have 1 to 255 characters"),
        (f"token {'x' * 256}", {}, "A user id must have 1 to 255 characters"),
        ("token alice", {"JWT_SECRET": "short"}, "JWT_SECRET: must have at least 32 bytes. Make one with"),
        ("token alice", {"DATA_DIR": "/proc/nothing"}, "Set DATA_DIR to a folder of your own"),
        ("seed", {"DATA_DIR": "/proc/nothing"}, "Set DATA_DIR to a folder of your own"),
        ("seed", {"DATABASE_URL": "nonsense"}, "DATABASE_URL must look like postgresql://"),
        ("purge", {"DATABASE_URL": "nonsense"}, "DATABASE_URL must look like postgresql://"),
        ("migrate status", {"DATABASE_URL": "nonsense"}, "DATABASE_URL must look like postgresql://"),
    ],
)
def test_what_is_wrong_is_said_in_a_line_with_what_to_do(
    line: str, settings: dict[str, str], said: str, tmp_path: Path
) -> None:
    done = run(*shlex.split(line), env=environment(tmp_path / "data") | settings, cwd=tmp_path)

    assert (done.returncode, done.stdout) == (1, "")
    (only,) = done.stderr.splitlines()
    assert only.startswith("task-api: ")
    assert said in only


@pytest.mark.parametrize("line", ["openapi", "completion bash", "token alice", "--help"])
def test_a_reader_that_has_read_enough_is_no_error(line: str, tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as closed_pipe:
        done = subprocess.run(  # noqa: S603 - our own command
            [*TASK_API, *line.split()], stdout=closed_pipe, stderr=subprocess.PIPE, check=False, cwd=tmp_path,
            env=environment(tmp_path / "data", JWT_SECRET="s" * 32),
        )  # fmt: skip

    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_output_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(  # noqa: S603 - our own command
            [*TASK_API, "completion", "zsh"], stdout=full, stderr=subprocess.PIPE, check=False, cwd=tmp_path,
            env=environment(tmp_path / "data"),
        )  # fmt: skip

    assert (done.returncode, done.stderr) == (1, b"task-api: No space left on device\n")


def test_output_that_nobody_wants_is_no_error(tmp_path: Path) -> None:
    """A shell closes the output with >&-."""
    line = shlex.join([*TASK_API, "completion", "zsh"])
    done = subprocess.run(  # noqa: S603 - our own command
        ["sh", "-c", f"{line} >&-"],  # noqa: S607
        env=environment(tmp_path / "data"), cwd=tmp_path, capture_output=True, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (0, b"")


def test_a_file_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Root may read any file, so the test raises the system's error itself."""

    def refuse(_options: object) -> None:
        raise PermissionError(13, "Permission denied", str(tmp_path / ".env"))

    monkeypatch.setattr("backend.commands.openapi.run", refuse)
    monkeypatch.setattr("sys.stdout", None)

    assert main(["openapi"]) == 1
    assert capsys.readouterr().err == f"task-api: Permission denied: {tmp_path}/.env\n"


def test_an_interrupt_is_told_by_the_exit_code_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(typed, "read", interrupted)

    assert main(["openapi"]) == 130
    assert capsys.readouterr().err == ""
