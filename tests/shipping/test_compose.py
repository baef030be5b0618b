"""compose.yaml: its content, and the same roles, pooler and environment with locally installed programs."""

from __future__ import annotations

import ipaddress
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from sqlalchemy import make_url

from backend.config import Settings
from tests.fixtures.calls.api import new_user
from tests.fixtures.documents.operations import commands
from tests.fixtures.postgres.database import execute
from tests.fixtures.postgres.pooler import Pooler
from tests.fixtures.processes.deployment import (
    DEPLOY,
    Installation,
    is_served,
    read_variables,
    seconds_to_end,
    user_client,
)
from tests.fixtures.processes.process import REPOSITORY, served
from tests.fixtures.processes.servers import free_port, lesser_user, own
from tests.fixtures.running.needs import need, skip_without
from tests.fixtures.running.programs import find

yaml = pytest.importorskip("yaml")
COMPOSE = yaml.safe_load((REPOSITORY / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = ["api", "migrate", "pgbouncer"]

pytestmark = pytest.mark.requirement("FR-178")


def _compose_program() -> list[str] | None:
    """Find the Docker plugin, or the standalone program that preceded it."""
    for command in (["docker", "compose"], ["docker-compose"]):
        if find(command[0]) and not subprocess.run([*command, "version"], capture_output=True).returncode:  # noqa: S603, PLW1510
            return command
    return None


def test_the_file_is_valid(installed: Installation) -> None:
    command = _compose_program()
    if command is None:
        skip_without("docker-compose")
    for name in ("compose.yaml", "Dockerfile"):
        shutil.copy(REPOSITORY / name, installed.folder)

    done = subprocess.run([*command, "config"], cwd=installed.folder, capture_output=True, text=True, check=False)  # noqa: S603

    assert done.returncode == 0, done.stderr
    effective = yaml.safe_load(done.stdout)["services"]
    assert set(effective) == {"postgres", *OURS}
    secret = read_variables(installed.folder / "deploy" / "secrets" / "api.env")["JWT_SECRET"]
    assert effective["api"]["environment"]["JWT_SECRET"] == secret


@pytest.mark.parametrize("name", OURS)
def test_a_service_of_ours_may_do_next_to_nothing(name: str) -> None:
    service = SERVICES[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert service["pids_limit"]
    assert "privileged" not in service


def test_migrations_come_first_on_the_direct_address_and_requests_go_through_the_pooler(
    installed: Installation,
) -> None:
    secrets = installed.folder / "deploy" / "secrets"
    migrate, api = (make_url(read_variables(secrets / f"{name}.env")["DATABASE_URL"]) for name in ("migrate", "api"))

    assert SERVICES["api"]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
    assert SERVICES["migrate"]["depends_on"]["postgres"]["condition"] == "service_healthy"
    assert SERVICES["migrate"]["command"] == ["migrate"]
    assert (migrate.host, migrate.port, migrate.username) == ("postgres", 5432, "task_api_owner")
    assert (api.host, api.port, api.username) == ("pgbouncer", 6432, "task_api_service")
    for name in ("migrate", "api"):
        assert SERVICES[name]["env_file"] == f"deploy/secrets/{name}.env"


def test_only_the_service_is_reached_from_outside_and_only_by_this_machine() -> None:
    ports = {name: service.get("ports", []) for name, service in SERVICES.items()}
    (network,) = COMPOSE["networks"]["default"]["ipam"]["config"]

    assert ports == {"postgres": [], "pgbouncer": [], "migrate": [], "api": ["127.0.0.1:8000:8000"]}
    assert ipaddress.ip_address(network["gateway"]) in ipaddress.ip_network(network["subnet"])
    assert SERVICES["api"]["environment"]["TRUSTED_PROXIES"] == network["gateway"]


def test_settings_and_times_agree_with_the_code() -> None:
    fields = {name.upper(): field.default for name, field in Settings.model_fields.items()}
    environment = SERVICES["api"]["environment"]
    grace = int(SERVICES["api"]["stop_grace_period"].removesuffix("s"))
    pooler = (DEPLOY / "pgbouncer.ini").read_text(encoding="utf-8")
    clients = int(re.findall(r"^max_client_conn = (\d+)$", pooler, re.MULTILINE)[0])
    servers = int(re.findall(r"^default_pool_size = (\d+)$", pooler, re.MULTILINE)[0])

    assert environment.keys() <= fields.keys()
    assert grace > seconds_to_end() > fields["REQUEST_TIMEOUT_SECONDS"] + 2
    assert (environment["WORKERS"] + 1) * environment["DATABASE_POOL_SIZE"] <= servers < clients
    assert re.findall(r"^query_wait_timeout = (\d+)$", pooler, re.MULTILINE) == ["15"]
    assert fields["REQUEST_TIMEOUT_SECONDS"] < 15


def test_no_secret_is_in_a_file_that_is_kept(installed: Installation) -> None:
    folder = installed.folder / "deploy" / "secrets"
    passwords = {url.password for url in (make_url(installed.owner_url), make_url(installed.service_url))}

    assert folder.stat().st_mode & 0o077 == 0
    assert "deploy/secrets/" in (REPOSITORY / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert len(passwords) == 2
    assert all(password and len(password) == 64 for password in passwords)
    kept = [REPOSITORY / "compose.yaml", *(path for path in DEPLOY.iterdir() if path.is_file())]
    assert not [path for path in kept if re.search(r"[0-9a-f]{32}", path.read_text(encoding="utf-8"))]


def test_the_login_of_the_service_may_do_only_what_requests_may(installed: Installation) -> None:
    user = new_user()
    execute(installed.owner_url, "INSERT INTO users (id) VALUES (%s)", user)

    assert execute(installed.service_url, "SELECT count(*) FROM users") == [(0,)]
    for refused in (
        "CREATE TABLE mine ()",
        "DROP TABLE tasks",
        "ALTER TABLE tasks DISABLE ROW LEVEL SECURITY",
        "INSERT INTO users (id) VALUES ('stolen')",
        "SET ROLE task_api_owner",
        "CREATE ROLE mine",
        "DELETE FROM _yoyo_migration",
    ):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            execute(installed.service_url, refused)


@pytest.fixture(scope="module")
def pooler(installed: Installation) -> Iterator[Pooler]:
    """PgBouncer as configured for compose.yaml, except for paths and addresses."""
    need("pgbouncer")
    folder = installed.folder / "pgbouncer"
    folder.mkdir()
    port = free_port()
    replacements = {
        "host=postgres port=5432": f"host=127.0.0.1 port={installed.server.port}",
        "listen_addr = 0.0.0.0": "listen_addr = 127.0.0.1",
        "listen_port = 6432": f"listen_port = {port}",
        "/run/secrets/pgbouncer_users": str(folder / "users"),
    }
    text = (DEPLOY / "pgbouncer.ini").read_text(encoding="utf-8")
    for old, new in replacements.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    (folder / "pgbouncer.ini").write_text(text)
    shutil.copy(installed.folder / "deploy" / "secrets" / "pgbouncer-users", folder / "users")
    installed.folder.chmod(0o755)  # for the user that PgBouncer runs as when we are root
    own(folder, lesser_user())
    pooler = Pooler(folder, make_url(installed.service_url).set(port=port), lesser_user())
    pooler.start()
    try:
        yield pooler
    finally:
        pooler.stop()
        shutil.rmtree(folder)  # `installed` outlives it, and a process of parallel tests may come back to this file


@pytest.mark.requirement("FR-153")
def test_the_service_runs_in_production_behind_the_pooler(
    installed: Installation, pooler: Pooler, tmp_path: Path
) -> None:
    environment = {name: str(value) for name, value in SERVICES["api"]["environment"].items()}
    settings = installed.production(**{**environment, "DATABASE_URL": pooler.url, "WORKERS": "1"})

    with served(env=settings, cwd=tmp_path) as service, user_client(service.address, new_user()) as client:
        assert client.get("/health/ready").json() == {"data": {"status": "ok"}}
        assert is_served(client)
        batch = [{"op": "create", "data": {"title": "In one transaction"}}]
        assert client.post("/api/tasks/batch", json={"operations": batch, "atomic": True}).status_code == 200


@pytest.mark.requirement("FR-181")
def test_a_second_login_is_let_through_once_the_pooler_is_told(installed: Installation, pooler: Pooler) -> None:
    _, make, tell, _ = commands("Secrets")
    password = "only-for-tests"  # noqa: S105 - it protects nothing
    second = make_url(pooler.url).set(username="task_api_service_2", password=password)
    url = second.render_as_string(hide_password=False)
    installed.shell(make, DATABASE_DIRECT_URL=installed.server.url(), NEW_PASSWORD=password)
    try:
        with pytest.raises(psycopg2.OperationalError, match="authentication failed"):
            execute(url, "SELECT 1")
        installed.shell(tell, NEW_PASSWORD=password)
        secrets = installed.folder / "deploy" / "secrets"
        shutil.copy(secrets / "pgbouncer-users", installed.folder / "pgbouncer" / "users")
        pooler.reload()
        _wait_until_let_in(url)
        for each in (url, pooler.url):
            assert execute(each, "SELECT count(*) FROM tasks") == [(0,)]  # without a user, no rows are visible
    finally:
        execute(installed.server.url(), "DROP ROLE task_api_service_2")  # other tests share `installed`


def _wait_until_let_in(url: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            execute(url, "SELECT 1")
        except psycopg2.OperationalError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return
