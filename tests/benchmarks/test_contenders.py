"""The contenders respond as the service does: a contender that returned less would be faster."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.benchmarks import data, load, workloads
from tests.benchmarks.load import token_for
from tests.benchmarks.results import BARE, CONVENTIONAL, FLOOR, SERVICE
from tests.benchmarks.running import Running, contender, service
from tests.benchmarks.workloads import ALWAYS_NEW, Request, Workload
from tests.fixtures.calls.api import API
from tests.fixtures.calls.listing import pages
from tests.fixtures.postgres.database import scratch_database
from tests.fixtures.postgres.partitions import migrate

NOW = datetime.fromisoformat("2025-02-01T00:00:00Z")  # anything newer was not in the initial data
LIKE_THE_SERVICE = (CONVENTIONAL, FLOOR)
FRESH = "123456789012"  # makes titles unique
SINGLE = [workload for workload in workloads.ALL if workload is not workloads.MIX]


@pytest.fixture(scope="module")
def loaded_url(server_url: str) -> Iterator[str]:
    """A database with tasks of a few users."""
    with scratch_database(server_url) as url:
        migrate(url)
        data.load(url, users=3, long_users=3)
        yield url


def starter(name: str) -> Callable[[str, Path], AbstractContextManager[Running]]:
    return service if name == SERVICE else partial(contender, name)


def request_of(workload: Workload, number: int) -> Request:
    """Return the workload's first request of this user."""
    return next(each for each in workload.requests if each.user_id.endswith(f"-{number}"))


def asked(address: str, request: Request) -> httpx.Response:
    body = None if request.body is None else request.body.replace(ALWAYS_NEW, FRESH)
    headers = {"Authorization": f"Bearer {token_for(request.user_id)}", "Content-Type": "application/json"}
    headers = headers if body else {"Authorization": headers["Authorization"]}
    url = f"{address}{request.path}"
    return httpx.request(request.method, url, content=body, headers=headers, trust_env=False, timeout=30)


def comparable(value: Any, name: str = "") -> Any:
    """Remove the parts of a response that differ between users, and times that cannot be predicted."""
    if isinstance(value, dict):
        return {key: comparable(each, key) for key, each in value.items()}
    if isinstance(value, list):
        return [comparable(each) for each in value]
    if name in {"id", "user_id", "next_cursor", "since", "position"} and value is not None:
        return name
    if name.endswith("_at") and value is not None:
        moment = datetime.fromisoformat(value)
        return "now" if moment > NOW else moment
    return value


def answers(address: str, number: int) -> dict[str, tuple[int, str, bool, Any]]:
    """Send one request of each workload as this user, one after the other."""
    found = {}
    for workload in SINGLE:
        response = asked(address, request_of(workload, number))
        has_location, body = "Location" in response.headers, response.json()
        tag = response.headers["ETag"] if isinstance(body["data"], dict) else ""  # each makes that of a page in its way
        found[workload.name] = (response.status_code, tag, has_location, body)
    return found


def compared(found: dict[str, tuple[int, str, bool, Any]]) -> dict[str, Any]:
    return {name: (*rest, comparable(json)) for name, (*rest, json) in found.items()}


@pytest.mark.requirement("FR-190", "FR-191")
def test_all_answer_with_the_same_json_and_end_when_they_are_told_to(loaded_url: str, tmp_path: Path) -> None:
    found, running = {}, []
    for number, name in enumerate((SERVICE, *LIKE_THE_SERVICE), start=1):
        with starter(name)(loaded_url, tmp_path) as started:
            assert started.address.startswith("http://127.0.0.1:")
            found[name] = answers(started.address, number)
            running.append(started)

    statuses = {name: answer[0] for name, answer in found[SERVICE].items()}
    assert statuses == {workload.name: 201 if workload is workloads.CREATE else 200 for workload in SINGLE}
    sizes = [len(found[SERVICE][each.name][3]["data"]) for each in (workloads.LIST_50, workloads.LIST_1000)]
    assert sizes == [50, 1000]
    for name in LIKE_THE_SERVICE:
        assert compared(found[name]) == compared(found[SERVICE])
    with contender(BARE, loaded_url, tmp_path) as started:
        running.append(started)
        bare = asked(started.address, request_of(workloads.GET, 1))  # the one task that it knows
    assert (bare.status_code, bare.headers["ETag"], False, bare.json()) == found[SERVICE][workloads.GET.name]
    assert [started.service.left_over() for started in running] == [[]] * 4


def test_an_answer_that_differs_is_noticed() -> None:
    task = {"id": "a", "created_at": "2025-01-01T00:00:01+00:00", "completed": False}

    assert comparable({"data": [task]}) == comparable({"data": [{**task, "id": "b"}]})
    for change in ({"id": None}, {"created_at": "2025-01-01T00:00:02Z"}, {"completed": True}, {"more": 1}):
        assert comparable({"data": [task]}) != comparable({"data": [{**task, **change}]})


@pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed")
@pytest.mark.requirement("FR-192")
def test_each_request_is_sent_in_turn_and_an_answer_that_is_no_success_is_a_failure(api: API, user_id: str) -> None:
    create = Request("POST", "/api/tasks", user_id, f'{{"title": "{ALWAYS_NEW}"}}')
    measured = load.run(api.base_url, Workload("", "", (create, Request("GET", "/api/none", user_id))), 2, 1)

    with api.client(user_id) as client:
        titles = [task["title"] for page in pages(client) for task in page]
    assert 0 < measured.p50_ms <= measured.p99_ms
    assert abs(measured.failures - measured.requests / 2) <= 2
    assert abs(len(titles) - measured.requests / 2) <= 4  # the last request of each connection may finish after the end
    assert len(set(titles)) == len(titles)
