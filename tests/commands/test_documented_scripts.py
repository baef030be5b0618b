"""The scripts of the guide, pasted into real shells: several pages, a lost response, and changes."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fixtures.calls.feed import sync_token
from tests.fixtures.calls.tasks import revision_of
from tests.fixtures.documents.guide_blocks import GUIDE, setting_up, shell_parts
from tests.fixtures.processes import shell
from tests.fixtures.processes.process import Service, environment, run
from tests.fixtures.processes.shell import installed_service
from tests.fixtures.running.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.requirement("FR-218")

ASK, GIVE_TOKEN, PAGES, CREATE, FOLLOW = (block.text for block in shell_parts(GUIDE / "scripts.md"))
TASKS = 2100  # three pages
SHELLS = ("bash", "dash", "zsh")

Paste = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def service(folder: Path) -> Iterator[Service]:
    with installed_service(folder) as service:
        seeded = run("seed", "--users", "1", "--tasks", str(TASKS), env=environment(folder / "data"), cwd=folder)
        assert seeded.returncode == 0, seeded.stderr
        yield service


@pytest.fixture
def paste(service: Service, folder: Path) -> Iterator[Paste]:
    """A function that runs a block after those that it needs; the files it writes are deleted after the test."""

    def run_block(block: str, name: str = "bash", address: str | None = None) -> subprocess.CompletedProcess[str]:
        return shell.run_lines(f"FILES='{folder}'\n{setting_up()}{ASK}{block}", service, folder, name, address)

    yield run_block
    for file in folder.glob("*.json*"):
        file.unlink()


@pytest.fixture(scope="module")
def alice(service: Service, folder: Path) -> Iterator[httpx.Client]:
    token = run("token", "alice", env=environment(folder / "data"), cwd=folder).stdout.strip()
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=service.address, headers=headers, trust_env=False, timeout=PATIENCE_SECONDS) as client:
        yield client


def living(client: httpx.Client) -> dict[str, Any]:
    """Read all tasks with a call that has no pages."""
    lines = map(json.loads, client.get("/api/me/export").iter_lines())
    tasks = [line["data"] for line in lines if line["type"] == "task"]
    return {
        task["id"]: {name: value for name, value in task.items() if name not in {"deleted_at", "request_hash", "uid"}}
        for task in tasks
        if task["deleted_at"] is None
    }


@pytest.mark.parametrize("name", SHELLS)
def test_all_pages_are_read_to_the_end(paste: Paste, alice: httpx.Client, folder: Path, name: str) -> None:
    done = paste(PAGES, name)

    assert (done.returncode, done.stderr) == (0, "")
    listed = [json.loads(line) for line in (folder / "tasks.jsonl").read_text(encoding="utf-8").splitlines()]
    tasks = living(alice)
    assert listed == sorted(tasks.values(), key=lambda task: (task["created_at"], task["id"]))
    assert len(listed) >= TASKS
    assert done.stdout.splitlines() == [task["title"] for task in listed if not task["completed"]]


def test_a_page_that_is_refused_fails_the_script_and_is_shown(paste: Paste, folder: Path) -> None:
    done = paste("TOKEN=nonsense\n" + PAGES)

    assert done.returncode == 1
    assert json.loads(done.stderr)["code"] == "UNAUTHORIZED"
    assert (folder / "tasks.jsonl").read_text() == done.stdout == ""


@contextmanager
def first_answer_lost(address: str) -> Iterator[str]:
    """Give an address that forwards to the service but loses the response to the first request."""
    requests: list[bytes] = []

    class Gateway(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            requests.append(body)
            headers = {name: value for name, value in self.headers.items() if name != "Host"}
            answer = httpx.post(
                f"{address}{self.path}", content=body, headers=headers, trust_env=False, timeout=PATIENCE_SECONDS
            )
            if len(requests) > 1:
                self.send_response(answer.status_code)
                for header, value in answer.headers.items():
                    self.send_header(header, value)
                self.end_headers()
                self.wfile.write(answer.content)

        def log_message(self, *_arguments: object) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Gateway) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("name", SHELLS)
def test_a_create_is_retried_and_makes_one_task(service: Service, paste: Paste, alice: httpx.Client, name: str) -> None:
    before = living(alice)

    with first_answer_lost(service.address) as address:
        done = paste(CREATE.replace("water-", f"water-in-{name}-"), name, address)

    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("curl: (52)")  # the response was lost; curl then tried again
    (created,) = set(living(alice)) - set(before)
    assert living(alice)[created]["title"] == "Water the plants"
    assert done.stdout.lower().splitlines() == [created, "idempotency-replayed: true"]


def copied(folder: Path) -> dict[str, Any]:
    copy: dict[str, Any] = json.loads((folder / "copy.json").read_text(encoding="utf-8"))
    return copy


@pytest.mark.parametrize("name", SHELLS)
def test_a_copy_follows_the_changes_from_where_it_was(
    paste: Paste, alice: httpx.Client, folder: Path, name: str
) -> None:
    first = paste(FOLLOW, name)
    assert (first.returncode, first.stderr) == (0, "")
    assert copied(folder)["tasks"] == living(alice)
    parents = {task["parent_id"] for task in living(alice).values()}
    edited, trashed, deleted = [each for each in living(alice) if each not in parents][:3]
    alice.patch(f"/api/tasks/{edited}", json={"title": f"“Edited” \\n in {name}"}).raise_for_status()
    alice.delete(f"/api/tasks/{trashed}").raise_for_status()
    alice.delete(f"/api/tasks/{deleted}?permanent=true").raise_for_status()
    created = alice.post("/api/tasks", json={"title": "New"}).raise_for_status().json()["data"]["id"]

    second = paste(FOLLOW, name)

    assert (second.returncode, second.stderr) == (0, "")
    answer = json.loads((folder / "answer.json").read_text(encoding="utf-8"))
    assert {change["id"] for change in answer["data"]} == {edited, trashed, deleted, created}
    assert copied(folder)["tasks"] == living(alice)
    assert copied(folder)["since"] == sync_token(revision_of(alice))


@pytest.mark.parametrize(
    ("since", "code"),
    [(sync_token(1_000_000), "GONE"), (1, "VALIDATION_ERROR")],
    ids=["ahead", "a number of an earlier version"],
)
def test_a_copy_that_cannot_be_continued_is_made_anew(
    paste: Paste, alice: httpx.Client, folder: Path, since: object, code: str
) -> None:
    (folder / "copy.json").write_text(json.dumps({"since": since, "tasks": {"gone": {"id": "gone"}}}))

    done = paste(FOLLOW)

    assert done.returncode == 0
    assert json.loads(done.stderr)["code"] == code
    assert copied(folder)["tasks"] == living(alice)


def test_a_copy_stays_as_it_is_when_it_cannot_be_brought_up_to_date(paste: Paste, folder: Path) -> None:
    paste(FOLLOW)
    before = copied(folder)

    done = paste("TOKEN=nonsense\n" + FOLLOW)

    assert done.returncode == 1
    assert copied(folder) == before
