"""Erasing an account: afterwards, no row in any table names the user."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from pydantic import SecretStr

from backend.config import Settings
from backend.rate_limits.store import counted_as
from tests.fixtures.calls.api import API, new_user, serve
from tests.fixtures.calls.erasure import erase
from tests.fixtures.calls.exports import export, leave_something_everywhere, stored_of, tables_of_users
from tests.fixtures.calls.keys import new_key
from tests.fixtures.calls.sign_in import give_sign_in
from tests.fixtures.calls.tasks import path_of, task_of
from tests.fixtures.http.rates import begin_in_one_day, is_refused, synced, wait_until_synced
from tests.fixtures.running.waiting import until

pytestmark = pytest.mark.requirement("FR-185")

WRITERS = 3
ERASURES = 15
LIMIT = 40


def test_no_table_holds_a_row_of_who_was_erased(
    client: httpx.Client, stranger: httpx.Client, user_id: str, database_url: str
) -> None:
    leave_something_everywhere(client, "mine")
    give_sign_in(database_url, user_id, "Anna")
    leave_something_everywhere(stranger, "theirs")
    before = {table for table, rows in stored_of(database_url, user_id).items() if rows}
    theirs = export(stranger)
    # A new table with users' data has to be filled above, and emptied by erasing.
    assert before == tables_of_users(database_url).keys() - {"rate_limits"}

    assert erase(client).status_code == 204

    assert not any(stored_of(database_url, user_id).values())
    assert export(stranger) == theirs


def test_counts_of_requests_name_nobody_and_outlast_the_account(settings: Settings, own_url: str) -> None:
    begin_in_one_day()
    user_id = new_user()
    changes = {"database_url": SecretStr(own_url), "rate_limit": f"{LIMIT}/day"}
    with serve(settings.model_copy(update=changes)) as running, running.client(user_id) as client:
        statuses = [erase(client).status_code for _ in range(LIMIT - 1)]
        wait_until_synced(own_url, user_id, LIMIT - 1)
        last, over = erase(client), erase(client)

        assert {*statuses, last.status_code} == {204}
        assert is_refused(over)  # erasing does not reset the rate limit
        wait_until_synced(own_url, user_id, LIMIT)

    assert synced(own_url, user_id) == LIMIT
    assert [row["user_id"] for row in stored_of(own_url, counted_as(user_id))["rate_limits"]] == [counted_as(user_id)]
    assert not any(stored_of(own_url, user_id).values())


def test_what_is_written_meanwhile_is_erased_or_begins_a_new_account(api: API, user_id: str, database_url: str) -> None:
    ended, made = threading.Event(), list[str]()

    def write() -> None:
        with api.client(user_id) as client:
            while not ended.is_set():
                task = task_of(client.post("/api/tasks", json={"title": "Task"}, headers=new_key()), 201)
                made.append(task["id"])
                removed = client.delete(path_of(task), params={"permanent": str(len(made) % 2 == 0).lower()})
                assert removed.status_code in {204, 404}

    with ThreadPoolExecutor(WRITERS) as threads, api.client(user_id) as client:
        writers = [threads.submit(write) for _ in range(WRITERS)]
        try:
            for _ in range(ERASURES):
                before = len(made)
                until(lambda: len(made) > before + WRITERS)  # noqa: B023 - within its round
                erased = set(made)  # the requests answered so far
                assert erase(client).status_code == 204
        finally:
            ended.set()
        for writer in writers:
            writer.result()
        found = export(client)
        ids = {row["id"] for kind in ("task", "removed_task") for row in found[kind]}
        assert ids < set(made)
        assert erased
        assert not ids & erased
        assert found["account"][0]["task_count"] == len(found["task"])
        assert erase(client).status_code == 204

    assert not any(stored_of(database_url, user_id).values())
