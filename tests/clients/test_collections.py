"""The contract in programs that send requests: what they import works, as they import it."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.fixtures.calls.api import API
from tests.fixtures.calls.task_files import imported, lines_of
from tests.fixtures.calls.tasks import create, do_what_is_undone
from tests.fixtures.documents.contract import Json, Operation, operations
from tests.fixtures.node.clients import NODE_PROGRAMS, NODE_TESTS, needs_node, run, write_contract
from tests.fixtures.node.collections import STREAM, Run, bruno, imported_into_bruno, newman, statuses
from tests.fixtures.node.drop_in import EXAMPLES, token_of

WALK = EXAMPLES / "bruno"
# The example of a refresh token is nobody's, and the user of these calls signs in elsewhere.
REFUSED = {"refresh": 401, "change_password": 404}
UNDONE = {"undo_request": 409}  # what is undone once is not as its request left it

pytestmark = needs_node


def name_of(operation: Operation) -> str:
    """Return the name that both programs give the request."""
    return str(operation.document["summary"])


def refused(run: Run, **expected: int) -> Run:
    """Return the requests that were not answered as they should be, and those that were not sent."""
    wrong = {}
    for operation in operations().values():
        if (name := name_of(operation)) == STREAM:
            continue
        good = {200, 201, 204} | ({404} if operation.is_about_one else set())
        status = run.get(name, 0)
        if status not in ({expected[operation.id]} if operation.id in expected else good):
            wrong[name] = status
    return wrong


@pytest.mark.requirement("FR-326")
def test_each_request_that_postman_makes_works(api: API, client: httpx.Client, user_id: str, tmp_path: Path) -> None:
    kept = create(client)

    do_what_is_undone(client)
    for again in ({}, UNDONE):  # a body that works once only would be no example
        run = newman(tmp_path, api.base_url, token_of(user_id))
        assert refused(run, **REFUSED, **again, erase_account=422, issue_token=400) == {}
        assert len(run) == len(operations()) - 1

    assert client.get(f"/api/tasks/{kept['id']}").json()["data"] == kept


@pytest.mark.requirement("FR-326")
def test_each_request_that_bruno_makes_works(api: API, client: httpx.Client, user_id: str, tmp_path: Path) -> None:
    kept = create(client)
    collection = imported_into_bruno(tmp_path)
    given = ["--env-var", f"baseUrl={api.base_url}", "--env-var", f"token={token_of(user_id)}"]

    do_what_is_undone(client)
    for again in ({}, UNDONE):
        run = statuses(bruno(collection, tmp_path / "report.json", *given))
        assert refused(run, **REFUSED, **again, erase_account=422, import_tasks=415) == {}
        assert len(run) == len(operations()) - 1

    assert client.get(f"/api/tasks/{kept['id']}").json()["data"] == kept


@pytest.mark.requirement("FR-325")
def test_bruno_shows_where_the_address_belongs(tmp_path: Path) -> None:
    (environment,) = (imported_into_bruno(tmp_path) / "environments").iterdir()

    assert "name: baseUrl" in environment.read_text(encoding="utf-8")


@pytest.mark.requirement("FR-327")
def test_redocly_says_nothing(tmp_path: Path) -> None:
    rules, contract = NODE_TESTS / "redocly.yaml", write_contract(tmp_path)
    arguments: list[str | Path] = ["lint", "--config", rules, "--format=json", contract]

    offline = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}
    said = run(NODE_PROGRAMS / "redocly", *arguments, folder=tmp_path, may_fail=False, **offline)

    report = json.loads(said[said.index("{") : said.rindex("}") + 1])
    assert report["totals"] == {"errors": 0, "warnings": 0, "ignored": 0}


@pytest.fixture
def walk(api: API, user_id: str, tmp_path: Path) -> Callable[[], list[Json]]:
    """Runs the collection, as its documentation says."""
    copy = Path(shutil.copytree(WALK, tmp_path / "walk"))
    given = ["--env", "local", "--env-var", f"baseUrl={api.base_url}", "--env-var", f"token={token_of(user_id)}"]
    return lambda: bruno(copy, tmp_path / "report.json", *given)


def all_of(client: httpx.Client) -> list[Json]:
    """Read what the user has, with the trash; but not how many changes there were."""
    paths = ["/api/tasks", "/api/tasks?deleted=true", "/api/labels", "/api/me/tokens"]
    paths += ["/api/lists", "/api/lists?archived=true", "/api/lists?deleted=true"]
    account = client.get("/api/me").json()["data"]
    return [*(client.get(path).json()["data"] for path in paths), {**account, "revision": None}]


def failures(results: list[Json]) -> dict[str, list[Json]]:
    """Return what failed, by the name of the request."""
    failed = {}
    for each in results:
        checks = [*each["assertionResults"], *each["testResults"]]
        bad = [check for check in checks if check["status"] != "pass"]
        if bad or each["error"] or not checks:
            failed[Path(each["test"]["filename"]).stem] = [*bad, {"error": each["error"], "status": each["response"]}]
    return failed


@pytest.mark.requirement("FR-328")
@pytest.mark.parametrize("changes", [1, 2001], ids=["few changes", "more than two pages of changes"])
def test_the_walk_is_green_again_and_again_and_leaves_all_as_it_was(
    walk: Callable[[], list[Json]], client: httpx.Client, changes: int
) -> None:
    imported(client, lines_of({"title": f"Mine {number}", "labels": ["mine"]} for number in range(changes)))
    client.delete(f"/api/tasks/{create(client, 'In my trash')['id']}")
    before = all_of(client)

    for _ in range(2):
        results = walk()
        assert failures(results) == {}
        assert {f"{name}.bru" for name in statuses(results)} == {path.name for path in WALK.glob("[0-9]*.bru")}

    assert all_of(client) == before


@pytest.mark.requirement("FR-328")
def test_each_request_says_what_it_shows() -> None:
    requests = [path.read_text(encoding="utf-8") for path in sorted(WALK.glob("[0-9]*.bru"))]

    assert requests
    for resource in ("tasks", "labels", "lists", "me/tokens", "changes"):
        assert any(f"/api/{resource}" in text for text in requests), resource
    for number, text in enumerate(requests, start=1):
        assert f"  seq: {number}\n" in text
        assert re.search(r"^docs \{\n  [A-Z].+[.]\n\}$", text, re.MULTILINE), text
        assert "{{baseUrl}}/" in text
    local = (WALK / "environments" / "local.bru").read_text(encoding="utf-8")
    assert "vars:secret [\n  token\n]" in local
