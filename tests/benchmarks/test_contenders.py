"""The contenders respond as the service does: a contender that returned less would be faster."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from backend.database.embedded.postgres import VERSION
from tests.benchmarks import load, workloads
from tests.benchmarks.load import token_for
from tests.benchmarks.running import contender, postgres
from tests.benchmarks.workloads import ALWAYS_NEW, CALLS, CONTENDERS, SERVICE, Request, Workload
from tests.fixtures.calls.api import API
from tests.fixtures.calls.listing import pages
from tests.fixtures.running.needs import needing, needing_node

NOW = datetime.fromisoformat("2025-02-01T00:00:00Z")  # anything newer was not in the initial data
FRESH = "123456789012"  # makes titles unique


@pytest.fixture(scope="module")
def loaded_url() -> Iterator[str]:
    with postgres(VERSION) as server:
        yield server.url()


def request_of(workload: Workload, number: int) -> Request:
    return next(each for each in workload.requests if each.user_id.endswith(f"-{number}"))


def asked(address: str, request: Request) -> httpx.Response:
    body = None if request.body is None else request.body.replace(ALWAYS_NEW, FRESH)
    headers = {"Authorization": f"Bearer {token_for(request.user_id)}"} | (
        {"Content-Type": "application/json"} if body else {}
    )
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


def answers(address: str, number: int) -> dict[str, tuple[Any, ...]]:
    found = {}
    for workload in CALLS:
        response = asked(address, request_of(workload, number))
        has_location, body = "Location" in response.headers, response.json()
        tag = response.headers["ETag"] if isinstance(body["data"], dict) else ""  # each makes that of a page in its way
        found[workload.name] = (response.status_code, tag, has_location, comparable(body))
    return found


@needing_node("fastify")
@pytest.mark.requirement("FR-190", "FR-191", "FR-510")
@pytest.mark.parametrize("workers", [1, 2])
def test_all_answer_with_the_same_json_and_end_when_they_are_told_to(
    loaded_url: str, tmp_path: Path, workers: int
) -> None:
    found, running = {}, []
    for number, name in enumerate(CONTENDERS, start=1):
        with contender(name, loaded_url, tmp_path, workers) as started:
            assert started.address.startswith("http://127.0.0.1:")
            found[name] = answers(started.address, number)
            running.append(started)

    statuses = {name: answer[0] for name, answer in found[SERVICE].items()}
    assert statuses == {workload.name: 201 if workload is workloads.CREATE else 200 for workload in CALLS}
    assert len(found[SERVICE][workloads.LIST.name][3]["data"]) == workloads.LIST_LIMIT
    for name in CONTENDERS:
        assert found[name] == found[SERVICE]
    assert [started.left_over() for started in running] == [[]] * len(CONTENDERS)


@needing("wrk")
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
