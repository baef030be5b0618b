"""The output of `task-api completion`, tested by pressing Tab in real shells without user settings."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.processes.process import environment, run
from tests.fixtures.processes.terminal import Terminal, terminal
from tests.fixtures.running.needs import need
from tests.fixtures.running.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.requirement("FR-220")

# Started without settings files; a function replaces the command and shows its arguments.
STARTED = {
    "bash": (("bash", "--norc", "--noprofile", "-i"), ""),
    "zsh": (("zsh", "-f", "-i"), "autoload -Uz compinit && compinit -u -D; "),
}
SHOWS = "task-api() { printf '<%s>' \"$@\"; echo; }"
READY = "ready> "


def script(shell: str, folder: Path) -> Path:
    """Write the completion script for this shell to a file."""
    need(shell)
    done = run("completion", shell, env=environment(folder / "data"), cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    file = folder / f"completion.{shell}"
    file.write_text(done.stdout, encoding="utf-8")
    return file


@pytest.fixture(scope="module", params=STARTED)
def typing(request: pytest.FixtureRequest, folder: Path) -> Iterator[Terminal]:
    """An interactive shell where completion was switched on as the help says."""
    file = script(request.param, folder)
    command, first = STARTED[request.param]
    (folder / "tasks-to-import.csv").touch()
    with terminal(command, environment(folder / "data"), folder) as shell:
        shell.type(f"""{first}{SHOWS}; eval "$(cat {file})"; PS1='ready'"> "\n""")
        shell.read_until(READY)
        yield shell


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("task-api mig\t", ["migrate"]),
        ("task-api migrate st\t", ["migrate", "status"]),
        ("task-api migrate roll\t", ["migrate", "rollback"]),
        ("task-api serve --po\t9000", ["serve", "--port", "9000"]),
        ("task-api serve --port 9000 --wo\t2", ["serve", "--port", "9000", "--workers", "2"]),
        ("task-api token alice --t\t7d", ["token", "alice", "--ttl", "7d"]),
        ("task-api seed --us\t3 --ta\t5", ["seed", "--users", "3", "--tasks", "5"]),
        ("task-api comp\tz\t", ["completion", "zsh"]),
        ("task-api --ver\t", ["--version"]),
        ("task-api import --user alice tasks-to\t", ["import", "--user", "alice", "tasks-to-import.csv"]),
        ("task-api nothing-like-it\t", ["nothing-like-it"]),
    ],
)
def test_what_is_typed_is_completed(typing: Terminal, typed: str, completed: list[str]) -> None:
    typing.type(f"{typed}\n")

    shown = typing.read_until(f"<.*>[^<]*{READY}")
    assert re.findall(r"<([^<>]*)>", shown) == completed


def test_bash_offers_every_command_and_option(folder: Path) -> None:
    file = script("bash", folder)

    def offered(*words: str) -> set[str]:
        line = " ".join(f"'{word}'" for word in words)
        fill = (
            f"source {file}; [[ $(complete -p task-api) =~ -F\\ ([^ ]+) ]]; COMP_WORDS=(task-api {line}); "
            f'COMP_CWORD={len(words)}; "${{BASH_REMATCH[1]}}"; printf "%s\\n" "${{COMPREPLY[@]}}"'
        )
        done = subprocess.run(  # noqa: S603 - as written here
            ["bash", "--norc", "-c", fill],  # noqa: S607
            env=environment(folder / "data"), capture_output=True, text=True, check=True, timeout=PATIENCE_SECONDS,
        )  # fmt: skip
        assert done.stderr == ""
        return set(done.stdout.split())

    def helped(*words: str) -> str:
        return run(*words, "--help", env=environment(folder / "data"), cwd=folder).stdout

    commands = set(re.findall(r"^    ([a-z]+)(?: |$)", helped(), re.MULTILINE))
    assert {"serve", "migrate", "purge", "seed", "token", "openapi", "completion"} <= commands
    assert offered("") == commands
    for command in commands:
        assert offered(command, "--") == set(re.findall(r"(?<=[ ,])--[a-z-]+", helped(command).split("examples:")[0]))
