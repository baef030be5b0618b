"""Concurrent batches and calls of one user: no edit is lost, and every change has its own number."""

from __future__ import annotations

import httpx
import pytest

from tests.fixtures.calls.api import API
from tests.fixtures.calls.batches import (
    CHOSEN_ID,
    creation,
    operation,
    results_of,
    run_batch,
    run_each,
    send_batch,
    update,
)
from tests.fixtures.calls.erasure import erase
from tests.fixtures.calls.tasks import create, path_of, read, revision_of, task_of
from tests.fixtures.http.parallel import in_parallel

THREADS = 4
ROUNDS = 4


@pytest.mark.requirement("FR-144", "FR-037", "FR-113")
def test_batches_and_calls_at_once_lose_no_edit_and_use_each_number_once(
    api: API, client: httpx.Client, user_id: str
) -> None:
    shared = create(client, "0")

    def count_in_batches(client: httpx.Client) -> list[int]:
        """Increment the number in the title, along with other changes, and retry until no other writer was faster."""
        numbers: list[int] = []
        while len(numbers) < ROUNDS * 3:
            task = read(client, shared)
            counted = update(task, if_match=task["revision"], title=str(int(task["title"]) + 1))
            response = send_batch(client, creation("a", id=CHOSEN_ID), creation("b"), counted, creation("c"))
            assert response.status_code in {200, 412}
            if response.status_code == 200:
                numbers += [result["data"]["revision"] for result in results_of(response)[1:]]
        return numbers

    def count_in_calls(client: httpx.Client) -> list[int]:
        numbers: list[int] = []
        while len(numbers) < ROUNDS:
            task = read(client, shared)
            condition = {"If-Match": f'"{task["revision"]}"'}
            response = client.put(path_of(task), json={"title": str(int(task["title"]) + 1)}, headers=condition)
            assert response.status_code in {200, 412}
            if response.status_code == 200:
                numbers.append(task_of(response)["revision"])
        return numbers

    found = in_parallel(api, user_id, *[count_in_batches, count_in_calls] * (THREADS // 2))

    numbers = [number for each in found for number in each]
    assert len(numbers) == len(set(numbers))
    assert read(client, shared)["title"] == str(THREADS * ROUNDS)
    assert revision_of(client) == 2 + len(numbers)  # one task under the chosen id, and the shared one
    assert len(client.get("/api/tasks").json()["data"]) == 2 + ROUNDS * THREADS


@pytest.mark.requirement("FR-144", "FR-037")
def test_the_first_batches_of_a_user_may_come_at_once(api: API, client: httpx.Client, user_id: str) -> None:
    def run(client: httpx.Client) -> list[int]:
        return [result["data"]["revision"] for result in run_batch(client, creation("a"), creation("b"))]

    numbers = in_parallel(api, user_id, *[run] * THREADS)

    assert sorted(number for each in numbers for number in each) == list(range(1, 2 * THREADS + 1))
    assert all(second == first + 1 for first, second in numbers)
    assert revision_of(client) == 2 * THREADS


@pytest.mark.requirement("FR-144", "FR-040")
def test_erasing_among_batches_leaves_whole_accounts(api: API, client: httpx.Client, user_id: str) -> None:
    def run(client: httpx.Client) -> set[int]:
        results = [run_each(client, creation("a", id=CHOSEN_ID), operation("complete", CHOSEN_ID)) for _ in range(10)]
        return {result["status"] for each in results for result in each}

    def erase_often(client: httpx.Client) -> set[int]:
        return {erase(client).status_code for _ in range(10)}

    found = in_parallel(api, user_id, run, run, erase_often)

    assert set().union(*found) == {200, 201, 204}
    run_batch(client, creation("a", id=CHOSEN_ID), operation("complete", CHOSEN_ID))
    (task,) = client.get("/api/tasks").json()["data"]
    assert (task["completed"], task["revision"]) == (True, revision_of(client))
