"""task-api purge."""

from __future__ import annotations

import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from backend.cli import main
from backend.commands.serve import DEVELOPMENT_USER
from backend.config import Settings
from backend.database.embedded.postgres import EmbeddedPostgres
from tests.fixtures.postgres.expired import Hoarder, Left, age
from tests.fixtures.processes.process import environment, run, served
from tests.fixtures.running.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.requirement("FR-138")

NOTHING = "removed 0 tasks, 0 lists, 0 tombstones, 0 keys, 0 tokens, 0 sessions, 0 events\n"


def purge(url: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the command on that database."""
    return run("purge", env=environment(folder / "data", DATABASE_URL=url), cwd=folder)


def test_it_says_what_it_removed(own_url: str, tmp_path: Path) -> None:
    hoarder = Hoarder.with_rows(own_url, tasks=3, lists=2, tombstones=1, keys=12, tokens=2, events=5)

    done, again = purge(own_url, tmp_path), purge(own_url, tmp_path)

    assert (done.returncode, done.stdout, done.stderr) == (
        0,
        "removed 3 tasks, 2 lists, 1 tombstone, 12 keys, 2 tokens, 0 sessions, 5 events\n",
        "",
    )
    assert (again.returncode, again.stdout) == (0, NOTHING)
    assert hoarder.left() == Left(0, 0, 0, 0, 0, task_count=0, revision=6, purged_revision=6)


def test_two_at_once_share_the_work(own_url: str, tmp_path: Path) -> None:
    for _ in range(10):
        Hoarder.with_rows(own_url, tasks=5, lists=4, tombstones=2, keys=3, tokens=1)

    with ThreadPoolExecutor(2) as threads:
        both = list(threads.map(purge, [own_url] * 2, [tmp_path] * 2))

    assert [done.returncode for done in both] == [0, 0]
    counts = [[int(number) for number in re.findall(r"\d+", done.stdout)] for done in both]
    assert [sum(kind) for kind in zip(*counts, strict=True)] == [50, 40, 20, 30, 10, 0, 0]


def test_it_works_on_the_embedded_database_beside_the_service(tmp_path: Path) -> None:
    env = environment(tmp_path / "data")
    with served(env=env, cwd=tmp_path) as service, EmbeddedPostgres(tmp_path / "data") as url:
        headers = {"Authorization": f"Bearer {service.token}"}
        with httpx.Client(
            base_url=service.address, headers=headers, trust_env=False, timeout=PATIENCE_SECONDS
        ) as client:
            tasks = [client.post("/api/tasks", json={"title": title}).json()["data"] for title in ("Milk", "Bread")]
            assert client.delete(f"/api/tasks/{tasks[0]['id']}").status_code == 204
            age(url, DEVELOPMENT_USER, 31)

            assert run("purge", env=env, cwd=tmp_path).stdout == NOTHING.replace("0 tasks", "1 task")

            assert client.get("/api/tasks").json()["data"] == [tasks[1]]


def test_an_outdated_schema_is_said(empty_database_url: str, tmp_path: Path) -> None:
    done = purge(empty_database_url, tmp_path)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("task-api: the database schema is outdated: 0001.create-users is not applied ")
    assert done.stderr.endswith("). Run: task-api migrate\n")


def test_a_database_that_is_away_is_said(tmp_path: Path) -> None:
    away = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing", "REQUEST_TIMEOUT_SECONDS": "0.2"}
    done = run("purge", env=environment(tmp_path / "data", **away), cwd=tmp_path)

    assert (done.returncode, done.stdout) == (1, "")
    assert "\ntask-api: The database cannot be reached" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.requirement("FR-219", "FR-230")
@pytest.mark.parametrize("line", ["purge", "export --user alice", "import --user alice tasks.csv", "migrate status"])
def test_what_needs_a_database_makes_none(
    tmp_path: Path, line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "tasks.csv").write_text("title\n")
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))

    assert main(line.split()) == 1

    printed = capsys.readouterr()
    assert printed.out == ""
    assert f"there is no database in {tmp_path / 'data'}. Run this in the folder of the service" in printed.err
    assert not (tmp_path / "data").exists()
