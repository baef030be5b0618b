"""Change streams: what they send, from which point on, and that the author of a change does not matter."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import pytest

from backend.api.streams.changes import PAGE_CHANGES
from backend.config import Settings
from backend.models.values.sync_token import SyncToken
from tests.fixtures.calls.api import API, new_user, serve
from tests.fixtures.calls.events import STREAM, Event, changes_of, events_of, stream
from tests.fixtures.calls.feed import purge, sync_token
from tests.fixtures.calls.tasks import MISSING_ID, Task, create, error_of, path_of, read

NEVER, SHORT = 3600.0, 0.02  # seconds until a stream looks without being told


@pytest.fixture(scope="module")
def live(settings: Settings) -> Iterator[API]:
    """A service whose streams look only when told to, and otherwise not within this test."""
    with serve(settings) as running:
        running.app.state.feed.poll_seconds = NEVER
        yield running


@pytest.fixture
def writer(live: API, user_id: str) -> Iterator[httpx.Client]:
    """A client of that service."""
    with live.client(user_id) as client:
        yield client


@pytest.mark.requirement("FR-148", "FR-145")
def test_a_stream_is_the_feed_as_events(client: httpx.Client) -> None:
    tasks = [create(client, str(number), description="a\r\nb\nid: 9\u2028c\u2029d\u0085e") for number in range(3)]
    client.delete(path_of(tasks[0]))

    response = client.get(STREAM)

    assert response.headers["Content-Type"].startswith("text/event-stream")
    assert response.text.startswith(f"id: {sync_token(0)}\nretry: 2000\n\n")
    events = list(events_of(response))
    feed = client.get("/api/changes").json()["data"]
    assert events == [Event(sync_token(0), None), *(Event(sync_token(change["revision"]), change) for change in feed)]


@pytest.mark.requirement("FR-148")
@pytest.mark.parametrize(
    ("since", "last_event_id", "ids"),
    [(None, None, [0, 1, 2, 3]), (1, None, [1, 2, 3]), (1, 2, [2, 3]), (3, 0, [0, 1, 2, 3]), (None, 3, [3, 3])],
)
def test_a_stream_resumes_after_the_last_event(
    client: httpx.Client, since: int | None, last_event_id: int | None, ids: list[int]
) -> None:
    for number in range(3):
        create(client, str(number))

    given = [None if each is None else sync_token(each) for each in (since, last_event_id)]
    with stream(client, *given) as response:
        assert [event.id for event in events_of(response)] == [sync_token(each) for each in ids]


@pytest.mark.requirement("FR-148", "FR-147")
def test_a_stream_leaves_its_client_where_the_feed_is(
    client: httpx.Client, api: API, database_url: str, user_id: str
) -> None:
    create(client, "a")
    client.delete(path_of(create(client, "b")))
    assert purge(api, database_url, user_id)

    start, change, end = events_of(client.get(STREAM))

    in_full_sync = str(SyncToken(1, full_sync_after=3))
    assert (start.id, change.id, end) == (sync_token(0), in_full_sync, Event(sync_token(3), None))
    with stream(client, last_event_id=change.id) as response:
        assert [event.id for event in events_of(response)] == [in_full_sync, sync_token(3)]
    with stream(client, last_event_id=sync_token(1)) as response:
        response.read()
        error_of(response, 410, "GONE")


@pytest.mark.requirement("FR-442")
@pytest.mark.parametrize("given", [{"since": "now"}, {"last_event_id": "now"}])
def test_a_stream_of_what_changes_from_now_on_can_be_resumed(writer: httpx.Client, given: dict[str, str]) -> None:
    create(writer, "before")

    with stream(writer, **given) as response:
        events = events_of(response)
        assert next(events) == Event(sync_token(1), None)
        after = create(writer, "after")
        assert changes_of(events, 1) == [Event(sync_token(2), after)]


@pytest.mark.requirement("FR-148", "FR-147")
def test_what_is_wrong_is_said_before_the_stream_begins(client: httpx.Client) -> None:
    create(client)

    error_of(client.get(STREAM, params={"since": sync_token(2)}), 410, "GONE")
    error_of(client.get(STREAM, headers={"Last-Event-ID": sync_token(2)}), 410, "GONE")
    details = error_of(client.get(STREAM, params={"since": "x"}), 422, "VALIDATION_ERROR")["details"]
    assert [detail["field"] for detail in details] == ["query.since"]
    for headers in ([("Last-Event-ID", "x")], [("Last-Event-ID", "1")], [("Last-Event-ID", sync_token(1))] * 2):
        (detail,) = error_of(client.get(STREAM, headers=headers), 400, "BAD_REQUEST")["details"]
        assert (detail["field"], detail["code"]) == ("header.Last-Event-ID", "sync_token_invalid")
        assert "leave it out to start again" in detail["message"]


@pytest.mark.requirement("FR-148")
def test_head_answers_without_a_stream(writer: httpx.Client) -> None:
    response = writer.head(STREAM)

    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["Content-Type"].startswith("text/event-stream")
    assert writer.head(STREAM, params={"since": sync_token(9)}).status_code == 410


@pytest.mark.requirement("FR-148")
def test_more_than_a_page_comes_at_once(writer: httpx.Client) -> None:
    number = 2 * PAGE_CHANGES + 1
    for first in range(0, number, 50):
        operations = [{"op": "create", "data": {"title": "a"}} for _ in range(first, min(first + 50, number))]
        assert writer.post("/api/tasks/batch", json={"operations": operations}).status_code == 200

    with stream(writer) as response:
        assert [event.id for event in changes_of(events_of(response), number)] == [
            sync_token(each + 1) for each in range(number)
        ]


CHANGES: dict[str, Callable[[httpx.Client, Task], object]] = {
    "create": lambda client, _: create(client, "b"),
    "put": lambda client, task: client.put(path_of(task), json={"title": "b"}),
    "patch": lambda client, task: client.patch(path_of(task), json={"title": "b"}),
    "complete": lambda client, task: client.patch(f"{path_of(task)}/complete"),
    "delete": lambda client, task: client.delete(path_of(task)),
    "remove": lambda client, task: client.delete(path_of(task), params={"permanent": "true"}),
    "batch": lambda client, task: client.post(
        "/api/tasks/batch", json={"operations": [{"op": "complete", "id": task["id"]}]}
    ),
    "with a key": lambda client, _: client.post("/api/tasks", json={"title": "b"}, headers={"Idempotency-Key": "1"}),
}


@pytest.mark.requirement("FR-148")
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_that_this_worker_made_is_sent_at_once(
    writer: httpx.Client, change: Callable[[httpx.Client, Task], object]
) -> None:
    task = create(writer)
    with stream(writer, since=sync_token(1)) as one, stream(writer, since=sync_token(1)) as two:
        change(writer, task)

        (event,) = changes_of(events_of(one), 1)
        assert event.change == writer.get("/api/changes", params={"since": sync_token(1)}).json()["data"][0]
        assert changes_of(events_of(two), 1) == [event]


@pytest.mark.requirement("FR-148")
def test_a_stream_goes_on_from_change_to_change(writer: httpx.Client) -> None:
    with stream(writer) as response:
        events = events_of(response)
        assert next(events) == Event(sync_token(0), None)
        assert next(events) == Event(sync_token(0), None)
        for number in range(1, 6):
            task = create(writer, str(number))
            assert next(events) == Event(sync_token(number), task)
            writer.get(path_of(task))
            writer.put(f"/api/tasks/{MISSING_ID}", json={"title": "b"})


@pytest.mark.requirement("FR-148")
def test_changes_of_another_host_arrive(live: API, settings: Settings, user_id: str) -> None:
    with serve(settings) as other, other.client(user_id) as follower, live.client(user_id) as writer:
        other.app.state.feed.poll_seconds = SHORT
        with stream(follower) as response:
            events = (event for event in events_of(response) if event.change)
            for number in range(3):
                task = create(writer, str(number))
                assert next(events).change == task
                writer.delete(path_of(task), params={"permanent": "true"})
                assert next(events).change == {"id": task["id"], "deleted": True, "revision": 2 * number + 2}


@pytest.mark.requirement("FR-148", "FR-001")
def test_a_stream_shows_nothing_of_other_users(live: API, writer: httpx.Client) -> None:
    with live.client(new_user()) as stranger, stream(writer) as response:
        create(stranger, "foreign")
        live.app.state.feed.wake(new_user())
        task = create(writer, "own")

        assert [event.change for event in changes_of(events_of(response), 1)] == [task]
        assert read(writer, task) == task


@pytest.mark.requirement("FR-148")
def test_what_other_workers_do_is_looked_for_within_seconds(api: API) -> None:
    assert 0 < api.app.state.feed.poll_seconds <= 2
