"""The code of the release before, from the history, on the schema of this one: while it migrates and afterwards."""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from backend.config import Settings
from backend.database.migrations import runner as migrations
from backend.identity.jwt import issue_token
from tests.fixtures.calls.api import API, new_user, serve
from tests.fixtures.http.load import load_on
from tests.fixtures.identity.tokens import SECRET
from tests.fixtures.processes.process import REPOSITORY, Service, environment, served
from tests.fixtures.running.needs import need, skip_without
from tests.fixtures.running.waiting import PATIENCE_SECONDS

FIRST_OF_THIS_RELEASE = "migrations/0012.give-tasks-a-status.sql"


def git(*arguments: str) -> bytes:
    """Ask git about this repository."""
    need("git")
    done = subprocess.run(["git", *arguments], cwd=REPOSITORY, capture_output=True, check=False)  # noqa: S603, S607
    return done.stdout


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The code as it was before the first migration of this release."""
    added = git("log", "--diff-filter=A", "--format=%H", "--", FIRST_OF_THIS_RELEASE).decode().split()
    code = git("archive", f"{added[-1]}~" if added else "HEAD", "backend", "migrations")
    if not code:
        skip_without("the history of the repository (git fetch --unshallow)")
    folder = tmp_path_factory.mktemp("before")
    with tarfile.open(fileobj=io.BytesIO(code)) as archive:
        archive.extractall(folder, filter="data")
    assert not (folder / FIRST_OF_THIS_RELEASE).exists()
    return folder


@pytest.fixture
def url(empty_database_url: str, before: Path) -> str:
    """A database with the schema of the release before."""
    migrations.apply(empty_database_url, before / "migrations")
    return empty_database_url


@pytest.fixture
def old(before: Path, tmp_path: Path, url: str) -> Iterator[Service]:
    """The release before, as a process."""
    settings = {"DATABASE_URL": url, "JWT_SECRET": SECRET, "RATE_LIMIT_ENABLED": "false"}
    env = environment(tmp_path / "data", **settings)
    with served(env={**env, "PYTHONPATH": str(before)}, cwd=tmp_path) as service:
        yield service


def client_of(address: str, user_id: str) -> httpx.Client:
    headers = {"Authorization": f"Bearer {issue_token(SECRET, user_id, ttl_seconds=600)}"}
    return httpx.Client(base_url=address, headers=headers, trust_env=False, timeout=PATIENCE_SECONDS)


def sent(client: httpx.Client, method: str, path: str, body: Any = None) -> Any:
    """Send a request, and return the data of its answer."""
    response = client.request(method, path, json=body) if body is not None else client.request(method, path)
    assert response.is_success, response.text
    return response.json()["data"]


@pytest.mark.requirement("FR-277", "FR-282", "FR-288", "FR-294", "FR-341", "FR-351", "FR-358", "FR-366")
def test_it_goes_on_while_this_release_migrates(old: Service, url: str, before: Path) -> None:
    with load_on(old.address, new_user(), kept=2, new=1) as load:
        load.wait_for(20)
        applied = migrations.apply(url)
        assert applied == sorted(set(migrations.known()) - set(migrations.known(before / "migrations")))
        load.wait_for(50)
    assert load.lost() == []


@pytest.mark.requirement("FR-277", "FR-282", "FR-288", "FR-294", "FR-341", "FR-351", "FR-358", "FR-366")
def test_both_releases_understand_what_the_other_stores(old: Service, url: str, settings: Settings) -> None:
    migrations.apply(url)
    user_id = new_user()
    with (
        serve(settings.model_copy(update={"database_url": SecretStr(url)})) as api,
        api.client(user_id) as new,
        client_of(old.address, user_id) as former,
    ):
        _statuses_of_former(new, former)
        _creates_of_both(new, former)
        _dates_of_new(new, former)
        _priorities_of_new(new, former)
        _labels_of_new(new, former)
        _lists_of_new(new, former)
        _tokens_of_new(api, new, former)
        _subtasks_of_new(new, former)


def _statuses_of_former(new: httpx.Client, former: httpx.Client) -> None:
    made = sent(former, "POST", "/api/tasks", {"title": "a"})
    assert "status" not in made
    path = f"/api/tasks/{made['id']}"
    assert sent(new, "GET", path)["status"] == "todo"
    assert sent(new, "PATCH", path, {"status": "in_progress"})["completed"] is False

    sent(former, "PATCH", path, {"title": "b", "completed": False})
    assert sent(new, "GET", path)["status"] == "in_progress"
    sent(former, "PATCH", f"{path}/complete")
    done = sent(new, "GET", path)
    assert (done["status"], done["completed"]) == ("done", True)
    assert sent(new, "GET", "/api/tasks?status=done") == [done]
    assert sent(new, "GET", "/api/tasks?status=in_progress") == []


def _dates_of_new(new: httpx.Client, former: httpx.Client) -> None:
    dates = {"due_at": "2026-11-21T09:30:00+00:00", "timezone": "Europe/Berlin"}
    path = f"/api/tasks/{sent(new, 'POST', '/api/tasks', {'title': 'a', **dates})['id']}"

    sent(former, "PATCH", path, {"title": "b"})
    sent(former, "PATCH", f"{path}/complete")
    task = sent(new, "GET", path)
    assert {name: task[name] for name in dates} == dates
    assert task in sent(new, "GET", "/api/tasks?has_due=true")
    plain = sent(former, "POST", "/api/tasks", {"title": "c"})
    assert plain["id"] in {each["id"] for each in sent(new, "GET", "/api/tasks?has_due=false")}


def _priorities_of_new(new: httpx.Client, former: httpx.Client) -> None:
    path = f"/api/tasks/{sent(new, 'POST', '/api/tasks', {'title': 'a', 'priority': 'low'})['id']}"

    sent(former, "PATCH", path, {"title": "b"})
    sent(former, "PATCH", f"{path}/complete")
    assert sent(new, "GET", path)["priority"] == "low"
    assert sent(new, "GET", "/api/tasks?priority=low") == [sent(new, "GET", path)]
    plain = sent(former, "POST", "/api/tasks", {"title": "c"})
    found = sent(new, "GET", "/api/tasks?priority=none&sort=priority")
    assert {**plain, "priority": None}.items() <= next(each for each in found if each["id"] == plain["id"]).items()


def _subtasks_of_new(new: httpx.Client, former: httpx.Client) -> None:
    parent = sent(new, "POST", "/api/tasks", {"title": "a"})
    path = f"/api/tasks/{sent(new, 'POST', '/api/tasks', {'title': 'b', 'parent_id': parent['id']})['id']}"

    sent(former, "PATCH", path, {"title": "c"})
    sent(former, "PATCH", f"{path}/complete")
    sent(former, "PATCH", f"/api/tasks/{parent['id']}/complete")
    assert sent(new, "GET", f"/api/tasks/{parent['id']}/subtasks") == [sent(new, "GET", path)]
    assert sent(new, "GET", path)["title"] == "c"
    sent(new, "PATCH", path, {"completed": False})
    assert not sent(new, "GET", f"/api/tasks/{parent['id']}")["completed"]


def _labels_of_new(new: httpx.Client, former: httpx.Client) -> None:
    path = f"/api/tasks/{sent(new, 'POST', '/api/tasks', {'title': 'a', 'labels': ['Home', 'errand']})['id']}"

    sent(former, "PATCH", path, {"title": "b"})
    sent(former, "PATCH", f"{path}/complete")
    assert sent(new, "GET", path)["labels"] == ["Home", "errand"]
    plain = sent(former, "POST", "/api/tasks", {"title": "c"})
    assert sent(new, "GET", f"/api/tasks/{plain['id']}")["labels"] == []
    assert [task["title"] for task in sent(new, "GET", "/api/tasks?labels=home")] == ["b"]


def _lists_of_new(new: httpx.Client, former: httpx.Client) -> None:
    home = sent(new, "POST", "/api/lists", {"name": "Home"})["id"]
    path = f"/api/tasks/{sent(new, 'POST', '/api/tasks', {'title': 'a', 'list_id': home})['id']}"

    sent(former, "PATCH", path, {"title": "b"})
    sent(former, "PATCH", f"{path}/complete")
    assert sent(new, "GET", path)["list_id"] == home
    plain = sent(former, "POST", "/api/tasks", {"title": "c"})
    assert sent(new, "GET", f"/api/tasks/{plain['id']}")["list_id"] is None
    assert [task["title"] for task in sent(new, "GET", f"/api/tasks?list_id={home}")] == ["b"]
    last = sent(new, "POST", "/api/tasks", {"title": "d"})["id"]
    in_order = [task["id"] for task in sent(new, "GET", "/api/tasks?list_id=inbox&sort=position")]
    assert in_order[-2:] == [plain["id"], last]
    assert new.delete(f"/api/lists/{home}").status_code == 204
    assert former.get(path).status_code == 404
    assert sent(former, "POST", f"{path}/restore")["title"] == "b"
    assert sent(new, "GET", path)["list_id"] == home  # it does not know of lists, nor that this one is in the trash
    assert sent(new, "POST", f"/api/lists/{home}/restore")["name"] == "Home"


def _tokens_of_new(api: API, new: httpx.Client, former: httpx.Client) -> None:
    """The release before would let a token for one list do everything: it does not find it."""
    home = sent(new, "POST", "/api/lists", {"name": "Home"})["id"]
    wanted = {"name": "Guest", "scopes": ["tasks:read"], "expires_in_days": 1}
    token = sent(new, "POST", "/api/me/tokens", {**wanted, "list_id": home})["token"]
    with api.client(Authorization=f"Bearer {token}") as guest:
        assert sent(guest, "GET", "/api/tasks") == []
        refused = former.get("/api/tasks", headers={"Authorization": f"Bearer {token}"})
        assert refused.status_code == 401
    everywhere = sent(new, "POST", "/api/me/tokens", wanted)["token"]
    assert former.get("/api/tasks", headers={"Authorization": f"Bearer {everywhere}"}).status_code == 200

    path = f"/api/tasks/{sent(new, 'POST', '/api/tasks', {'title': 'a', 'list_id': home})['id']}"
    sent(new, "PATCH", path, {"list_id": None})
    assert former.delete(path, params={"permanent": "true"}).status_code == 204
    assert former.get("/api/changes").status_code == 200


def _creates_of_both(new: httpx.Client, former: httpx.Client) -> None:
    """A retried create finds its task in either release."""
    own = {"id": "0197c1f0-7a3b-7c4d-8e5f-6a7b8c9d0e1f", "title": "Buy milk"}
    made = sent(former, "POST", "/api/tasks", own)
    again = new.post("/api/tasks", json=own)
    assert (again.status_code, again.json()["data"]["revision"]) == (200, made["revision"])
    assert former.post("/api/tasks", json=own).status_code == 200
