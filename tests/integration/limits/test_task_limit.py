"""A user can have exactly as many tasks as allowed, however the requests arrive; and the count is right."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from backend.config import Settings
from backend.database.engine import Engine
from backend.database.migrations import runner as migrations
from backend.errors import Conflict
from backend.models.task import TaskCreate
from backend.services.tasks.rules import TooManyTasks
from tests.fixtures.calls.api import API, new_user, serve
from tests.fixtures.calls.erasure import erase
from tests.fixtures.calls.tasks import create, error_of, everything_of, path_of, read, revision_of
from tests.fixtures.postgres.database import execute
from tests.fixtures.postgres.proxy import counting_proxy
from tests.fixtures.postgres.tenant_statements import tasks_of

LIMIT = 10
AT_ONCE = 50
COUNTED = "SELECT task_count, (SELECT count(*) FROM tasks WHERE user_id = users.id) FROM users WHERE id = %s"


@pytest.fixture(scope="module")
def small(settings: Settings) -> Iterator[API]:
    """The service with a low task limit."""
    with serve(settings.model_copy(update={"max_tasks_per_user": LIMIT})) as running:
        yield running


@pytest.fixture
def small_client(small: API, user_id: str) -> Iterator[httpx.Client]:
    with small.client(user_id) as client:
        yield client


def counted(database_url: str, user_id: str) -> int:
    """Return a user's stored task count, after checking that it equals the number of tasks."""
    ((said, stored),) = execute(database_url, COUNTED, user_id)
    assert said == stored
    return int(said)


def _is_full(response: httpx.Response) -> None:
    error = error_of(response, 409, "CONFLICT")
    assert error["message"] == TooManyTasks.message
    assert [detail["code"] for detail in error["details"]] == ["too_many_tasks"]


@pytest.mark.requirement("FR-096")
def test_the_last_task_fits_and_the_next_changes_nothing(
    small: API, small_client: httpx.Client, user_id: str, database_url: str
) -> None:
    made = [create(small_client, str(number)) for number in range(LIMIT)]
    before = everything_of(small_client)
    assert counted(database_url, user_id) == len(before[0]["data"]) == LIMIT

    for _ in range(2):
        _is_full(small_client.post("/api/tasks", json={"title": "one more"}))
        _is_full(small_client.post("/api/tasks", json={"title": "one more", "id": str(uuid.uuid4())}))
    assert everything_of(small_client) == before
    assert counted(database_url, user_id) == LIMIT
    with small.client(new_user()) as other:  # who has the whole limit available
        create(other)
    assert small_client.put(path_of(made[0]), json={"title": "changed"}).json()["data"]["revision"] == LIMIT + 1


@pytest.mark.requirement("FR-096")
def test_deleted_tasks_count_until_the_account_is_erased(
    small_client: httpx.Client, user_id: str, database_url: str
) -> None:
    for number in range(LIMIT):
        assert small_client.delete(path_of(create(small_client, str(number)))).status_code == 204
    _is_full(small_client.post("/api/tasks", json={"title": "one more"}))
    assert revision_of(small_client) == 2 * LIMIT

    assert erase(small_client).status_code == 204
    assert execute(database_url, COUNTED, user_id) == []
    assert create(small_client)["revision"] == 1
    assert counted(database_url, user_id) == 1


@pytest.mark.requirement("FR-096")
def test_many_at_once_fill_the_account_exactly(small: API, user_id: str, database_url: str) -> None:
    with small.client(user_id) as client, ThreadPoolExecutor(AT_ONCE) as threads:
        sent = [threads.submit(client.post, "/api/tasks", json={"title": str(number)}) for number in range(AT_ONCE)]
        answers = [request.result() for request in sent]

        refused = [answer for answer in answers if answer.status_code != 201]
        assert len(refused) == AT_ONCE - LIMIT
        for answer in refused:
            _is_full(answer)
        assert revision_of(client) == counted(database_url, user_id) == LIMIT


@pytest.mark.requirement("FR-096")
def test_the_count_is_right_after_all_sorts_of_calls(client: httpx.Client, user_id: str, database_url: str) -> None:
    first, second, third = [create(client, str(number)) for number in range(3)]
    for body in ({"title": "again", "id": first["id"]}, {"title": "again", "id": second["id"]}):
        error = error_of(client.post("/api/tasks", json=body), 409, "CONFLICT")
        assert error["details"] == []
    assert client.delete(path_of(second)).status_code == 204
    assert client.delete(path_of(second)).status_code == 404
    assert client.post("/api/tasks", json={"title": "gone", "id": second["id"]}).status_code == 409
    assert client.put(path_of(third), json={"title": "changed"}).status_code == 200
    assert client.patch(f"{path_of(third)}/complete").status_code == 200
    assert client.post("/api/tasks", json={"title": ""}).status_code == 422

    assert counted(database_url, user_id) == 3
    assert revision_of(client) == 6
    assert "task_count" not in client.get("/api/me").text
    assert read(client, first) == first


@pytest.mark.requirement("FR-096", "FR-038")
def test_a_refusal_takes_no_more_round_trips(database_url: str, user_id: str) -> None:
    with counting_proxy(database_url) as proxy:
        engine = Engine(proxy.url, pool_size=1, timeout_seconds=60)
        roomy = tasks_of(engine, user_id)
        full = type(roomy)(roomy.sessions, user_id, max_tasks=1)
        task = full.create(TaskCreate(title="a"))
        for tasks, refusal, new in [
            (full, TooManyTasks, TaskCreate(title="b")),
            (roomy, Conflict, TaskCreate(title="b", id=task.id)),
        ]:
            before = proxy.round_trips
            with pytest.raises(refusal):
                tasks.create(new)
            assert proxy.round_trips - before == 2
        engine.dispose()


@pytest.mark.requirement("FR-096", "FR-070")
def test_the_migration_counts_what_is_there_already(
    settings: Settings, empty_database_url: str, directory: Path, user_id: str
) -> None:
    for file in migrations.MIGRATIONS.iterdir():
        if not file.name.startswith(("0004.", "0018.", "0020.")):  # each of these needs what the one before makes
            shutil.copy(file, directory)
    migrations.apply(empty_database_url, directory)
    execute(
        empty_database_url,
        """
        INSERT INTO users (id, revision) VALUES ('full', 9), ('empty', 1), (%s, 3);
        INSERT INTO tasks (user_id, id, title, revision, deleted_at)
            SELECT 'full', gen_random_uuid(), 'a', n, CASE WHEN n > 4 THEN now() END FROM generate_series(1, 9) AS n
            UNION ALL SELECT %s, gen_random_uuid(), 'a', n, NULL FROM generate_series(1, 3) AS n
        """,
        user_id,
        user_id,
    )
    shutil.copy(migrations.MIGRATIONS / "0004.count-tasks.sql", directory)

    assert migrations.apply(empty_database_url, directory) == ["0004.count-tasks"]

    counts = "SELECT id, task_count FROM users"
    assert dict(execute(empty_database_url, counts)) == {"full": 9, "empty": 0, user_id: 3}
    changes = {"database_url": SecretStr(empty_database_url), "max_tasks_per_user": 4}
    with serve(settings.model_copy(update=changes)) as running, running.client(user_id) as client:
        create(client)
        _is_full(client.post("/api/tasks", json={"title": "one more"}))
