"""docs/operations.md: its commands work as described, and its names and numbers match the code."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
from pydantic import SecretStr
from sqlalchemy import make_url

from backend.api.middleware import limits
from backend.api.streams import changes
from backend.config import Settings
from backend.database import connection_limiter
from backend.database.migrations import runner as migrations
from backend.server.state import DESCRIPTORS_OF_A_CONNECTION, SPARE_DESCRIPTORS
from tests.fixtures.calls.api import new_user, serve
from tests.fixtures.calls.tasks import create
from tests.fixtures.documents.operations import DOCUMENT, commands, sections
from tests.fixtures.postgres.database import execute
from tests.fixtures.postgres.migrating import FILES
from tests.fixtures.processes.deployment import Installation, installation, is_served
from tests.fixtures.processes.process import REPOSITORY

pytestmark = pytest.mark.requirement("FR-181")

TEXT = DOCUMENT.read_text(encoding="utf-8")
WORDS = " ".join(TEXT.split())
DEFAULTS = {name.upper(): field.default for name, field in Settings.model_fields.items()}
# Variables of other programs and of the shell.
OTHER_NAMES = {
    "CURRENT_USER",
    "SERVICE_PASSWORD",
    "NEW_PASSWORD",
    "USER_ID",
    "RESTORED_DIRECT_URL",
    "ON_ERROR_STOP",
    "SSL_CERT_FILE",
}
# On Neon, by the size of the compute.
MAX_CONNECTIONS = {0.25: 104, 0.5: 209, 1: 419, 2: 839, 4: 1678, 8: 3357}
RESERVED_BY_NEON = 7
SPARE = 10


def test_every_setting_that_it_names_exists_and_has_the_default_that_it_says() -> None:
    named = set(re.findall(r"\b[A-Z]+(?:_[A-Z0-9]+)+\b", TEXT)) - OTHER_NAMES
    said = re.findall(r"\b([A-Z]+(?:_[A-Z]+)+) \(([\d/a-z]+)\)", WORDS)

    assert named <= DEFAULTS.keys()
    assert {name for name, _ in said} >= {
        "DATABASE_POOL_SIZE",
        "REQUEST_TIMEOUT_SECONDS",
        "RATE_LIMIT",
        "MAX_BODY_BYTES",
    }
    assert [(name, value) for name, value in said if str(DEFAULTS[name]) != value] == []


def test_the_table_of_sizes_follows_from_the_formula() -> None:
    rows = [
        tuple(float(cell) for cell in line.strip("|").split("|"))
        for line in TEXT.splitlines()
        if re.match(r"\| [\d.]+ \|", line)
    ]
    size = DEFAULTS["DATABASE_POOL_SIZE"]

    assert f"(WORKERS + 1) \N{MULTIPLICATION SIGN} DATABASE_POOL_SIZE + {SPARE} ≤ connections" in WORDS
    assert [row[:2] for row in rows] == list(MAX_CONNECTIONS.items())
    for _, maximum, direct, direct_workers, pooled, pooled_workers in rows:
        assert direct == maximum - RESERVED_BY_NEON
        assert direct_workers == (direct - SPARE) // size - 1  # one extra runs while others are replaced
        assert pooled == maximum * 9 // 10
        assert pooled_workers == (pooled - SPARE) // size - 1


def test_other_numbers_are_those_of_the_code() -> None:
    lines = (REPOSITORY / "backend" / "services" / "purge.py").read_text(encoding="utf-8")

    assert f"| streams of changes | {changes.MAX_STREAMS}; {changes.MAX_STREAMS_OF_ONE_USER} of one user |" in WORDS
    assert (
        f"have all but {SPARE_DESCRIPTORS}, and {DESCRIPTORS_OF_A_CONNECTION} for each of DATABASE_POOL_SIZE" in WORDS
    )
    assert f"room for {limits.BODIES} bodies of MAX_BODY_BYTES" in WORDS
    assert f"| answers that clients do not take | {connection_limiter.MAX_UNREAD_BYTES // 1024**2} MiB;" in WORDS
    assert f"waits {migrations.MIGRATION_LOCK_SECONDS} s for another that migrates" in WORDS
    assert f"after {migrations.TABLE_LOCK_SECONDS} s, logs `migration_postponed`" in WORDS
    assert f"begins again {migrations.PAUSE_SECONDS} s later. After {migrations.MAX_ATTEMPTS} attempts" in WORDS
    for period in ("30 days", "24 hours"):
        assert period in WORDS
        assert period in lines


def test_every_block_for_a_shell_is_run_by_a_test() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    run = set(re.findall(r'commands\("([^"]+)"\)', source))
    fences = re.findall(r"^```(\w*)$", TEXT, re.MULTILINE)

    assert run == set(sections())
    assert set(fences) == {"sh", ""}
    assert fences.count("sh") == sum(len(commands(section)) for section in sections())


def test_it_is_short_enough_to_be_read() -> None:
    assert len(TEXT.splitlines()) <= 250


@pytest.fixture
def emptied(installed: Installation) -> Iterator[tuple[Installation, str]]:
    """An empty database of the owner, and its direct address."""
    execute(installed.server.url(), "CREATE DATABASE operations OWNER task_api_owner")
    yield installed, make_url(installed.owner_url).set(database="operations").render_as_string(hide_password=False)
    execute(installed.server.url(), "DROP DATABASE operations WITH (FORCE)")


def test_a_release_is_migrated_and_taken_back(emptied: tuple[Installation, str]) -> None:
    installed, url = emptied
    (release,), (rollback,) = commands("A release"), commands("Back again")

    before, _, after = installed.shell(release, DATABASE_URL=url).partition("applied ")
    assert before.split() == [word for name in FILES for word in ("pending", name)]
    assert after == ", ".join(FILES) + "\n"
    assert installed.shell(rollback, DATABASE_URL=url) == f"rolled back {FILES[-1]}\n"
    assert migrations.pending(url) == [FILES[-1]]


def test_a_new_secret_is_strong_enough(installed: Installation) -> None:
    secret = installed.shell(commands("Secrets")[0]).strip()

    Settings(jwt_secret=secret, _env_file=None)
    assert secret != installed.shell(commands("Secrets")[0]).strip()


def test_the_login_of_the_service_is_replaced_by_a_superuser_and_not_by_the_owner(settings: Settings) -> None:
    _, make, _, drop = commands("Secrets")
    with installation() as own:  # a separate one, because its first login is removed
        admin = {"DATABASE_DIRECT_URL": own.server.url(), "NEW_PASSWORD": "only-for-tests"}
        with pytest.raises(AssertionError, match="permission denied"):
            own.shell(make, **{**admin, "DATABASE_DIRECT_URL": own.owner_url})
        own.shell(make, **admin)
        second = make_url(own.service_url).set(username="task_api_service_2", password=admin["NEW_PASSWORD"])
        given = SecretStr(second.render_as_string(hide_password=False))
        with serve(settings.model_copy(update={"database_url": given})) as api, api.client(new_user()) as client:
            own.shell(drop, **admin)
            assert client.get("/health/ready").status_code == 200
            assert is_served(client)
        with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
            execute(own.service_url, "SELECT 1")


def test_what_goes_on_in_the_database_can_be_seen_and_what_is_past_its_time_removed(installed: Installation) -> None:
    connections, waiting, room = (
        installed.shell(block, DATABASE_DIRECT_URL=installed.owner_url) for block in commands("What to do when")
    )

    assert "task_api_owner" in connections
    assert "pg_blocking_pids" in waiting
    assert re.search(r"^ tasks +\| \d+ kB$", room, re.MULTILINE)
    assert room.splitlines()[-1].startswith("removed ")


def test_a_user_is_exported_and_erased(installed: Installation, settings: Settings) -> None:
    user = f"auth0|{new_user()} & co"  # issuers may use such names
    own = settings.model_copy(update={"database_url": SecretStr(installed.service_url)})
    with serve(own) as api, api.client(user) as client:
        task = create(client)
        token = client.headers["Authorization"].removeprefix("Bearer ")
        installed.shell(commands("A user's data")[0], ADDRESS=api.base_url, TOKEN=token, USER_ID=user)
        exported = (installed.folder / "export.jsonl").read_text(encoding="utf-8").splitlines()
        assert client.get("/api/tasks").json()["data"] == []

    assert task["id"] in "".join(exported[:-1])
    assert json.loads(exported[-1]) == {"type": "end", "data": {"lines": len(exported) - 1}}
    url = installed.owner_url  # the owner sees every row
    assert execute(url, "SELECT count(*) FROM tasks WHERE user_id = %s", user) == [(0,)]
    assert execute(url, "SELECT count(*) FROM users WHERE id = %s", user) == [(0,)]
