"""Wall clocks that jump by hours while the service runs: the service's own, and the database's."""

from __future__ import annotations

import re
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from backend.identity.jwt import issue_token
from backend.rate_limits.store import counted_as
from tests.fixtures.calls.api import API, new_user
from tests.fixtures.calls.events import changes_of, events_of, stream
from tests.fixtures.calls.feed import Replica, living
from tests.fixtures.calls.task_files import exported, imported
from tests.fixtures.calls.tasks import Task, create, path_of, task_of
from tests.fixtures.identity.tokens import SECRET
from tests.fixtures.postgres.database import execute
from tests.fixtures.processes.process import Service, environment, served
from tests.fixtures.processes.wall_clock import WallClock
from tests.fixtures.running.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.requirement("FR-247")

HOUR = 3600
LIMIT = 30
TTL_SECONDS = 600


def client_of(service: Service, user_id: str, clock: WallClock, ttl_seconds: int = TTL_SECONDS) -> httpx.Client:
    """Return a client with a token issued now, by the clock of the service."""
    token = issue_token(SECRET, user_id, ttl_seconds=ttl_seconds, now=clock)
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.Client(base_url=service.address, headers=headers, trust_env=False, timeout=PATIENCE_SECONDS)


def clock_of(service: Service) -> float:
    """Read the time from a response."""
    answer = httpx.get(f"{service.address}/health/live", trust_env=False, timeout=PATIENCE_SECONDS)
    return parsedate_to_datetime(answer.headers["Date"]).timestamp()


def test_a_clock_that_jumps_stops_nothing(tmp_path: Path, database_url: str) -> None:
    clock, user = WallClock(tmp_path), new_user()
    env = environment(tmp_path / "data", DATABASE_URL=database_url, JWT_SECRET=SECRET, RATE_LIMIT=f"{LIMIT}/hour")
    with (
        served(env=env, cwd=tmp_path, command=clock.command) as service,
        client_of(service, user, clock, ttl_seconds=100 * HOUR) as follower,
        client_of(service, user, clock) as signed_in,
        stream(follower) as response,
    ):
        events = events_of(response)
        for hours in (0, 5, -5, 0):
            clock.set(hours * HOUR)
            until(lambda: abs(clock_of(service) - clock()) < HOUR)

            many = new_user()
            # The token expires by the current clock, whatever it showed when the token was first seen.
            assert signed_in.get("/api/me").status_code == (401 if hours > 0 else 200)
            with client_of(service, user, clock) as client, client_of(service, many, clock) as busy:
                made = create(client, f"{hours}")
                assert [event.change["id"] for event in changes_of(events, 1) if event.change] == [made["id"]]
                assert task_of(client.put(path_of(made), json={"title": "edited"}))["updated_at"] >= made["updated_at"]
                (edited,) = changes_of(events, 1)
                assert edited.change
                assert edited.change["title"] == "edited"

                statuses = [busy.get("/api/me") for _ in range(LIMIT + 1)]
                assert [answer.status_code for answer in statuses] == [200] * LIMIT + [429]
                assert 0 < int(statuses[-1].headers["Retry-After"]) <= 2 * HOUR
                until(lambda: _counted_at(database_url, many, clock()))  # noqa: B023 - called at once
    assert "Traceback" not in (log := "".join(file.read_text() for file in tmp_path.glob("serve-*.log")))
    assert not re.search(r"rate_limits_not_shared|request_failed|purge_failed", log)


def _counted_at(url: str, user_id: str, now: float) -> bool:
    """Return whether a user's requests were shared with other workers, in the window of this time."""
    sql = "SELECT extract(epoch FROM window_start) FROM rate_limits WHERE user_id = %s"
    return any(abs(float(second) - now) < HOUR for (second,) in execute(url, sql, counted_as(user_id)))


_LATER = """
UPDATE users SET created_at = created_at + interval '5 hours' WHERE id = %(user)s;
UPDATE tasks SET created_at = created_at + interval '5 hours', updated_at = updated_at + interval '5 hours',
    completed_at = completed_at + interval '5 hours', deleted_at = deleted_at + interval '5 hours'
    WHERE user_id = %(user)s;
UPDATE idempotency_keys SET created_at = created_at + interval '5 hours' WHERE user_id = %(user)s
"""


def _moments(task: Task) -> list[datetime]:
    return [datetime.fromisoformat(task[name]) for name in ("created_at", "updated_at")]


def test_a_database_whose_clock_is_set_back_keeps_the_order_of_changes(
    api: API, client: httpx.Client, user_id: str, database_url: str
) -> None:
    """Stored rows are moved five hours ahead, as if the clock had been five hours fast when they were written."""
    key = {"Idempotency-Key": "once"}
    keyed = client.post("/api/tasks", json={"title": "keyed"}, headers=key)
    tasks = [create(client, name, completed=name == "complete") for name in ("put", "complete", "trash", "batch")]
    assert client.delete(path_of(tasks[2])).status_code == 204
    _set_back(database_url, user_id)
    copy = Replica()
    while copy.pull(client, limit=2):
        pass
    before = {**copy.tasks}

    edited, reopened, _, batched = tasks
    answers: list[Any] = [
        client.put(path_of(edited), json={"title": "edited"}),
        client.patch(f"{path_of(reopened)}/complete", json={"completed": False}),
        client.post(f"{path_of(tasks[2])}/restore"),
        client.delete(path_of(edited)),
        client.post(f"{path_of(edited)}/restore"),
    ]
    operation = {"op": "update", "id": batched["id"], "data": {"title": "batched"}}
    assert client.post("/api/tasks/batch", json={"operations": [operation]}).status_code == 200
    assert [answer.status_code for answer in answers] == [200, 200, 200, 204, 200]

    while copy.pull(client, limit=2):
        pass
    assert copy.tasks == living(client)
    for task in copy.tasks.values():
        created_at, updated_at = _moments(task)
        assert created_at <= updated_at
        assert task["id"] not in before or _moments(before[task["id"]])[1] <= updated_at
    again = client.post("/api/tasks", json={"title": "keyed"}, headers=key)
    assert (again.headers["Idempotency-Replayed"], again.content) == ("true", keyed.content)
    assert imported(client, exported(client)) == {"unchanged": len(copy.tasks)}
    with api.client(new_user()) as other:
        assert imported(other, exported(client)) == {"created": len(copy.tasks)}


def _set_back(url: str, user_id: str) -> None:
    for statement in _LATER.split(";"):
        execute(url, statement.replace("%(user)s", "%s"), user_id)
