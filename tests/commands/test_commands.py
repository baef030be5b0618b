"""task-api migrate, token and openapi."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from base64 import urlsafe_b64decode
from pathlib import Path

import pytest

from backend.cli import main
from backend.config import Settings
from backend.database.migrations import runner as migrations
from tests.fixtures.calls.api import API
from tests.fixtures.identity.tokens import SECRET
from tests.fixtures.identity.verifying import Clock
from tests.fixtures.postgres.migrating import FILES
from tests.fixtures.processes.process import TASK_API, environment, run

PENDING = "".join(f"pending {name}\n" for name in FILES)


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to run commands in, without any settings from the environment."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    return tmp_path


@pytest.mark.requirement("FR-061")
def test_migrations_are_applied_listed_and_taken_back(
    workplace: Path,
    empty_database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("DATABASE_URL", empty_database_url)

    def printed(*arguments: str) -> str:
        assert main(["migrate", *arguments]) == 0
        return capsys.readouterr().out

    assert printed("status") == PENDING
    assert printed() == f"applied {', '.join(FILES)}\n"
    assert printed("apply") == "nothing to apply: the schema is up to date\n"
    assert printed("status") == "".join(f"applied {name}\n" for name in FILES)
    for newest in reversed(FILES[1:]):
        assert printed("rollback") == f"rolled back {newest}\n"
    assert printed("status") == PENDING.replace("pending", "applied", 1)
    assert printed("rollback") == f"rolled back {FILES[0]}\n"
    assert printed("rollback") == "nothing to roll back: no migration is applied\n"
    assert list(workplace.iterdir()) == []


@pytest.mark.requirement("FR-061")
def test_the_direct_address_is_preferred_for_migrations(
    workplace: Path, empty_database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert workplace.exists()
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@pooler.invalid/nothing")
    monkeypatch.setenv("DATABASE_DIRECT_URL", empty_database_url)

    assert main(["migrate"]) == 0
    assert capsys.readouterr().out == f"applied {', '.join(FILES)}\n"
    assert migrations.pending(empty_database_url) == []


@pytest.mark.requirement("FR-061")
def test_migrate_works_on_the_embedded_database_too(tmp_path: Path) -> None:
    env = environment(tmp_path / "data")
    assert run("migrate", env=env, cwd=tmp_path).returncode == 0

    done = run("migrate", "status", env=env, cwd=tmp_path)

    assert done.stdout == PENDING.replace("pending", "applied")


@pytest.mark.requirement("FR-065")
def test_a_printed_token_is_accepted_for_its_user_and_time(
    workplace: Path, api: API, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert workplace.exists()
    monkeypatch.setenv("JWT_SECRET", SECRET)

    assert main(["token", "alice", "--ttl", "2s"]) == 0
    token = capsys.readouterr().out.strip()
    claims = json.loads(urlsafe_b64decode(token.split(".")[1] + "=="))
    assert claims["exp"] == claims["iat"] + 2
    clock = Clock(claims["exp"] - 0.001)
    monkeypatch.setattr(api.app.state.authenticator._verifier._other, "_now", clock)  # type: ignore[attr-defined]  # noqa: SLF001
    with api.client(Authorization=f"Bearer {token}") as client:
        assert client.get("/api/me").json()["data"]["id"] == "alice"
        clock.now = claims["exp"]
        assert client.get("/api/me").status_code == 401


@pytest.mark.requirement("FR-065", "FR-068")
def test_the_development_secret_is_made_once_and_is_the_owners_alone(
    workplace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["token", "alice"]) == 0
    assert f"made {workplace}/.data/jwt-secret" in capsys.readouterr().err
    secret = workplace / ".data" / "jwt-secret"
    made = secret.read_text()
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert main(["token", "alice", "--ttl", "7d"]) == 0
    assert secret.read_text() == made
    printed = capsys.readouterr()
    assert printed.err == ""
    assert made not in printed.out


@pytest.mark.requirement("FR-065")
@pytest.mark.parametrize(
    "settings",
    [
        {"ENVIRONMENT": "production", "DATABASE_URL": "postgresql://h/d", "JWT_SECRET": SECRET},
        {"JWT_JWKS_URL": "https://issuer.example.com/jwks"},
    ],
)
def test_tokens_are_not_made_where_an_issuer_makes_them(
    workplace: Path, settings: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)

    assert main(["token", "alice"]) == 1
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err == (
        "task-api: this command makes tokens for development only. In production and with JWT_JWKS_URL, get them from "
        "your issuer\n"
    )
    assert list(workplace.iterdir()) == []


@pytest.mark.requirement("FR-065")
@pytest.mark.parametrize("ttl", ["", "0s", "1", "h", "1y", "-1h", "1.5h", "9999999s", "\u0661h"])
def test_a_malformed_ttl_is_refused(workplace: Path, ttl: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["token", "alice", f"--ttl={ttl}"])
    assert "must be a number and a unit, like 30s, 15m, 1h or 7d" in capsys.readouterr().err
    assert list(workplace.iterdir()) == []


@pytest.mark.requirement("FR-066")
def test_the_contract_is_printed_without_a_database_or_a_key(
    workplace: Path, api: API, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ENVIRONMENT", "production")

    assert main(["openapi"]) == 0
    assert json.loads(capsys.readouterr().out) == api.app.openapi()
    assert list(workplace.iterdir()) == []


@pytest.mark.requirement("FR-067")
def test_a_command_is_needed(workplace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert workplace.exists()
    assert main([]) == 2
    assert "usage: task-api" in capsys.readouterr().err


@pytest.mark.requirement("FR-067")
def test_a_data_dir_that_cannot_be_written_is_said(
    workplace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (workplace / "file").write_text("")
    monkeypatch.setenv("DATA_DIR", str(workplace / "file" / "data"))

    assert main(["migrate"]) == 1
    assert capsys.readouterr().err.startswith("task-api: DATA_DIR")


@pytest.mark.requirement("FR-066")
def test_a_reader_that_has_read_enough_is_no_error(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as closed_pipe:
        done = subprocess.run(  # noqa: S603 - our own command
            [*TASK_API, "openapi"], stdout=closed_pipe, stderr=subprocess.PIPE, env=environment(tmp_path), check=False
        )

    assert (done.returncode, done.stderr) == (0, b"")
