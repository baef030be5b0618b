"""Random operations as single calls and in batches: the responses and the stored data are the same."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.fixtures.calls.api import API, new_user
from tests.fixtures.calls.batches import CHOSEN_ID, Json, run_batch, run_each
from tests.fixtures.calls.tasks import revision_of

IDS = [CHOSEN_ID.replace("5", digit) for digit in "123"]
MAX_AT_ONCE = 7

TITLES = st.sampled_from(["Milk", " Milk ", "Bread"])
FLAGS = st.booleans()
TEXTS: dict[str, st.SearchStrategy[Any]] = {"description": st.sampled_from([None, "", "Two"]), "completed": FLAGS}
TEXTS |= {"due_date": st.sampled_from([None, "2026-11-21"]), "start_date": st.sampled_from([None, "2026-11-22"])}
TEXTS |= {"priority": st.sampled_from([None, "high", "medium", "low"])}
TEXTS |= {"due_at": st.sampled_from([None, "2026-11-21T09:30:00Z"]), "timezone": st.sampled_from([None, "Asia/Tokyo"])}
TEXTS |= {"labels": st.lists(st.sampled_from(["Home", "HOME", "errand", "tax"]), max_size=3)}
NEW = st.fixed_dictionaries({"title": TITLES}, optional={"id": st.sampled_from(IDS), **TEXTS})
CONDITIONS = st.integers(1, 9) | st.sampled_from(["*", "3", '"4"', 'W/"5"', '"1", "2", "3"', '"not-ours"'])
ON_ONE = {"id": st.sampled_from(IDS)}
OPERATIONS = st.one_of(
    st.fixed_dictionaries({"op": st.just("create"), "data": NEW}),
    *(
        st.fixed_dictionaries({"op": st.just(name), **ON_ONE, **data}, optional={"if_match": CONDITIONS, **optional})
        for name, data, optional in (
            ("update", {"data": st.fixed_dictionaries({}, optional={"title": TITLES, **TEXTS})}, {}),
            ("complete", {}, {"data": st.fixed_dictionaries({"completed": FLAGS})}),
            ("delete", {}, {}),
            ("restore", {}, {}),
        )
    ),
)


def call(client: httpx.Client, asked: Json) -> Json:
    """Run an operation as a single call; returns its result in the form of a batch result."""
    condition = asked.get("if_match")
    headers = {} if condition is None else {"If-Match": condition if str(condition)[0] in '*"W' else f'"{condition}"'}
    address = f"/api/tasks/{asked.get('id')}"
    match asked["op"]:
        case "create":
            response = client.post("/api/tasks", json=asked["data"])
        case "update":
            response = client.patch(address, json=asked["data"], headers=headers)
        case "complete":
            body = asked.get("data", {"completed": True})
            response = client.patch(f"{address}/complete", json=body, headers=headers)
        case "delete":
            response = client.delete(address, headers=headers)
        case "restore":
            response = client.post(f"{address}/restore", headers=headers)
    return {"status": response.status_code, **(response.json() if response.content else {})}


def seen(task: Json) -> Json:
    """Return what is the same for every user: drops times and generated ids."""
    kept = {name: task[name] for name in ("title", "description", "completed", "labels", "revision")}
    return {**kept, "is_done": task["completed_at"] is not None, "id": task["id"] if task["id"] in IDS else "made"}


def compared(result: Json) -> Any:
    """Return the comparable part of a result."""
    error = result.get("error", {})
    # Only a header, which proxies make weak, is explained.
    told = (detail for detail in error.get("details", ()) if detail["code"] != "weak_tag")
    details = [(detail["field"], detail["code"]) for detail in told]
    return result["status"], error.get("code"), details, seen(result["data"]) if "data" in result else None


def stored(client: httpx.Client) -> Any:
    """Return the comparable part of everything that a user has."""
    lists = [client.get("/api/tasks", params=query).json()["data"] for query in ({}, {"deleted": "true"})]
    return revision_of(client), [sorted(map(seen, tasks), key=lambda task: task["revision"]) for tasks in lists]


@pytest.mark.requirement("FR-140", "FR-142", "FR-143", "FR-141")
@settings(max_examples=8, derandomize=True, database=None, deadline=None, phases=[Phase.generate])
@given(st.lists(OPERATIONS, min_size=15, max_size=30), st.lists(st.integers(1, MAX_AT_ONCE), min_size=30, max_size=30))
def test_batches_do_what_the_calls_do(api: API, operations: list[Json], sizes: list[int]) -> None:
    with api.client(new_user()) as principal, api.client(new_user()) as each, api.client(new_user()) as whole:
        called = [call(principal, asked) for asked in operations]

        in_batches: list[Json] = []
        for size in sizes:
            if part := operations[len(in_batches) : len(in_batches) + size]:
                in_batches += run_each(each, *part)

        assert list(map(compared, in_batches)) == list(map(compared, called))
        assert stored(each) == stored(principal)
        good = [(asked, result) for asked, result in zip(operations, called, strict=True) if "error" not in result]
        if good:  # failed operations did nothing, so that the rest is a batch that succeeds
            results = run_batch(whole, *(asked for asked, _ in good))
            assert list(map(compared, results)) == [compared(result) for _, result in good]
        assert stored(whole) == stored(principal)
