"""The resources of a change stream, how many streams are allowed, and when a stream ends."""

from __future__ import annotations

import gc
import logging
import time
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest
from pydantic import SecretStr

from backend.api.streams.changes import MAX_LOOKS, MAX_STREAMS_OF_ONE_USER, PAGE_BYTES, Feed, Followed, Stream
from backend.config import Settings
from tests.fixtures.calls.api import API, new_user, serve
from tests.fixtures.calls.erasure import erase
from tests.fixtures.calls.events import STREAM, changes_of, events_of, stream
from tests.fixtures.calls.feed import sync_token
from tests.fixtures.calls.tasks import create, error_of
from tests.fixtures.http.connection import connection_to, head
from tests.fixtures.http.deadlines import hurried
from tests.fixtures.identity.verifying import Clock
from tests.fixtures.postgres.background import let_in
from tests.fixtures.postgres.database import execute
from tests.fixtures.postgres.proxy import counting_proxy
from tests.fixtures.running.waiting import until
from tests.fixtures.telemetry.logs import events

SHORT, NEVER = 0.02, 3600.0
CLIENT_TIMEOUT_SECONDS = 0.4


@pytest.fixture
def live(settings: Settings) -> Iterator[API]:
    """A service of this test alone with frequently checking streams, one connection and two concurrent requests."""
    small = {"database_pool_size": 1, "max_concurrent_requests": 2}
    with serve(settings.model_copy(update=small)) as running:
        running.app.state.feed.poll_seconds = SHORT
        yield running


@pytest.fixture
def follower(live: API, user_id: str) -> Iterator[httpx.Client]:
    """A client of that service."""
    with live.client(user_id) as client:
        yield client


def is_empty(api: API) -> bool:
    """Return whether nothing of any stream is left."""
    feed = api.app.state.feed
    if feed.open:
        return False
    gc.collect()
    return not any(isinstance(each, Stream) and each.feed is feed for each in gc.get_objects())


@pytest.mark.requirement("FR-149", "FR-150")
def test_streams_that_wait_hold_nothing_that_others_need(live: API, follower: httpx.Client) -> None:
    pool = live.app.state.sessions.engine.pool
    with ExitStack() as streams:
        for _ in range(MAX_STREAMS_OF_ONE_USER):
            next(events_of(streams.enter_context(stream(follower))))
        live.app.state.feed.poll_seconds = NEVER

        for number in range(10):
            create(follower, str(number))
        until(lambda: pool.checkedout() == 0)


@pytest.mark.requirement("FR-150")
def test_a_user_may_have_so_many_streams(live: API, follower: httpx.Client) -> None:
    live.app.state.feed.slots.max_of_one_user = 2
    with stream(follower), live.client(new_user()) as other:
        with stream(follower):
            refused = follower.get(STREAM)
            assert "streams" in error_of(refused, 429, "RATE_LIMITED")["message"]
            assert refused.headers["Retry-After"] == "30"
            with stream(other) as response:
                assert response.status_code == 200
        until(lambda: [len(followed.signals) for followed in live.app.state.feed.open.values()] == [1])
        with stream(follower) as response:
            assert response.status_code == 200


@pytest.mark.requirement("FR-500")
def test_a_malformed_request_is_told_what_is_wrong_with_it_even_without_a_free_slot(
    live: API, follower: httpx.Client
) -> None:
    live.app.state.feed.slots.max_of_one_user = live.app.state.exports.slots.max_of_one_user = 0
    live.app.state.imports.slots.max_of_one_user = 0

    error_of(follower.get(STREAM, params={"since": "x"}), 422, "VALIDATION_ERROR")
    error_of(follower.get("/api/tasks/export", params={"format": "x"}), 422, "VALIDATION_ERROR")
    error_of(follower.post("/api/tasks/import", headers={"Idempotency-Key": "x" * 256}), 415, "UNSUPPORTED_MEDIA_TYPE")
    for path in (STREAM, "/api/tasks/export", "/api/me/export"):
        error_of(follower.get(path), 429, "RATE_LIMITED")


@pytest.mark.requirement("FR-150")
def test_a_worker_may_have_so_many_streams(live: API, follower: httpx.Client) -> None:
    live.app.state.feed.slots.max_slots = 2
    with stream(follower), stream(follower), live.client(new_user()) as other:
        refused = other.get(STREAM)
        error_of(refused, 503, "SERVICE_UNAVAILABLE")
        assert refused.headers["Retry-After"] == "30"
        assert other.get("/api/tasks").status_code == 200


@pytest.mark.requirement("FR-150")
def test_a_stream_that_is_refused_holds_no_slot(live: API, follower: httpx.Client) -> None:
    for params in ({"since": sync_token(9)}, {"since": "x"}, {"x": "1"}):
        assert follower.get(STREAM, params=params).status_code in {410, 422}

    until(lambda: is_empty(live))


@pytest.mark.requirement("FR-253", "FR-148")
def test_what_one_stream_of_a_user_finds_all_of_them_send(
    follower: httpx.Client, user_id: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks, woken = [False], list[Followed]()
    monkeypatch.setattr(Feed, "is_time", lambda *_: looks.pop() if len(looks) > 1 else looks[0])

    def note(followed: Followed) -> None:  # and wakes no stream, which then finds out a little later
        woken.append(followed)

    monkeypatch.setattr(Followed, "wake", note)
    with ExitStack() as streams:
        open_ = [events_of(streams.enter_context(stream(follower))) for _ in range(MAX_STREAMS_OF_ONE_USER)]
        assert [next(events).id for events in open_] == [sync_token(0)] * len(open_)
        execute(database_url, _ONE_CHANGE, user_id, user_id)
        looks.append(True)  # for one of them, once

        assert [changes_of(events, 1)[0].id for events in open_] == [sync_token(1)] * len(open_)
    assert len(woken) == 1


@pytest.mark.requirement("FR-253")
def test_with_many_users_each_is_looked_for_less_often(live: API) -> None:
    feed, one = live.app.state.feed, Followed()
    feed.poll_seconds = 1.0
    assert [feed.is_time(one, now) for now in (100.0, 100.0, 100.9, 101.0, 101.5)] == [True, False, False, True, False]

    feed.open.update({str(number): Followed() for number in range(4 * MAX_LOOKS)})
    assert [feed.is_time(one, now) for now in (102.0, 104.9, 105.0)] == [False, False, True]
    feed.open.clear()


@pytest.mark.requirement("FR-149")
def test_a_stream_is_kept_alive_by_comments(live: API, follower: httpx.Client) -> None:
    live.app.state.feed.keep_alive_seconds = SHORT
    with stream(follower) as response:
        lines = response.iter_lines()
        assert [next(line for line in lines if line.startswith(":")) for _ in range(3)] == [": ping"] * 3


@pytest.mark.requirement("FR-149")
def test_a_stream_ends_with_its_token(live: API, follower: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    live.app.state.feed.keep_alive_seconds = SHORT
    clock = Clock(time.time())
    monkeypatch.setattr(live.app.state.authenticator._verifier._other, "_now", clock)  # type: ignore[attr-defined]  # noqa: SLF001
    create(follower)
    with stream(follower) as response:
        lines = response.iter_lines()
        assert next(line for line in lines if line.startswith(":")) == ": ping"
        clock.now += 3600
        assert {*lines} <= {"", ": ping"}
    assert follower.get(STREAM).status_code == 401


@pytest.mark.requirement("FR-149")
@pytest.mark.parametrize("poll_seconds", [SHORT, NEVER])
def test_nothing_is_left_of_a_stream_whose_client_has_left(
    live: API, follower: httpx.Client, poll_seconds: float
) -> None:
    live.app.state.feed.poll_seconds = poll_seconds
    create(follower)
    with stream(follower) as one, stream(follower) as two:
        open_ = [events_of(one), events_of(two)]
        assert [len(changes_of(events, 1)) for events in open_] == [1, 1]
        assert not is_empty(live)

    until(lambda: is_empty(live))


@pytest.mark.requirement("FR-149")
def test_a_client_that_ends_its_side_is_told_the_end(live: API, user_id: str) -> None:
    with connection_to(live) as connection:
        connection.send(head(user_id, f"GET {STREAM}"))
        until(lambda: bool(live.app.state.feed.open))
        connection.end()
        received = connection.read_all()

    assert received.endswith(b"\r\n0\r\n\r\n")
    until(lambda: is_empty(live))


@pytest.mark.requirement("FR-149", "FR-098")
def test_a_client_that_does_not_send_its_body_gets_no_stream(settings: Settings, user_id: str) -> None:
    hasty = settings.model_copy(update={"client_timeout_seconds": CLIENT_TIMEOUT_SECONDS})
    with serve(hasty) as running, connection_to(running) as connection:
        connection.send(head(user_id, f"GET {STREAM}", Content_Length="5") + b"ab")
        error_of(connection.answer(), 408, "REQUEST_TIMEOUT")

        until(lambda: is_empty(running))


@pytest.mark.requirement("FR-149", "FR-098")
def test_a_client_that_does_not_read_is_not_read_for(settings: Settings, database_url: str, user_id: str) -> None:
    execute(
        database_url,
        """
        INSERT INTO users (id, revision, task_count) VALUES (%s, 600, 600);
        INSERT INTO tasks (user_id, id, title, description, revision)
        SELECT %s, gen_random_uuid(), 'long', repeat('😀', 10000), number FROM generate_series(1, 600) AS number
        """,
        user_id, user_id,
    )  # fmt: skip
    pages = 600 * 40_000 // PAGE_BYTES  # more than the system buffers for a connection
    with counting_proxy(database_url) as proxy:
        changes = {"database_url": SecretStr(proxy.url), "client_timeout_seconds": CLIENT_TIMEOUT_SECONDS}
        with serve(settings.model_copy(update=changes)) as running, connection_to(running, 64 * 1024) as connection:
            connection.send(head(user_id, f"GET {STREAM}"))
            until(lambda: bool(running.app.state.feed.open))
            until(lambda: is_empty(running))

            assert 0 < proxy.round_trips < pages / 2


_ONE_CHANGE = """
INSERT INTO users (id, revision, task_count) VALUES (%s, 1, 1);
INSERT INTO tasks (user_id, id, title, revision) VALUES (%s, gen_random_uuid(), 'a', 1)
"""


@pytest.mark.requirement("FR-149")
def test_a_stream_outlives_the_absence_of_the_database(
    settings: Settings, own_url: str, user_id: str, caplog: pytest.LogCaptureFixture
) -> None:
    own = {"database_url": SecretStr(own_url)}
    with serve(settings.model_copy(update=own)) as running, running.client(user_id) as client:
        running.app.state.feed.poll_seconds = SHORT
        with stream(client) as response, caplog.at_level(logging.DEBUG, "backend.database"):
            with hurried(running):
                let_in(own_url, allowed=False)
                until(lambda: len(events(caplog, "database_unavailable")) > 1)  # the stream's query fails
            let_in(own_url, allowed=True)
            execute(own_url, _ONE_CHANGE, user_id, user_id)

            assert [event.id for event in changes_of(events_of(response), 1)] == [sync_token(1)]
    said = {record.levelname for record in caplog.records if record.name == "backend.database.session"}
    assert said == {"DEBUG"}
    assert len(events(caplog, "database_away")) == 1


@pytest.mark.requirement("FR-149", "FR-107")
def test_a_defect_breaks_the_stream_off(
    settings: Settings, own_url: str, user_id: str, caplog: pytest.LogCaptureFixture
) -> None:
    own = settings.model_copy(update={"database_url": SecretStr(own_url)})
    with serve(own) as running, running.client(user_id) as client:
        running.app.state.feed.poll_seconds = SHORT
        with stream(client) as response:
            execute(own_url, "ALTER TABLE tasks RENAME TO elsewhere")
            with pytest.raises(httpx.RemoteProtocolError):
                list(events_of(response))
        until(lambda: not running.app.state.feed.open)
    (failed,) = events(caplog, "request_failed")
    assert failed["request_id"] == response.headers["X-Request-Id"]


@pytest.mark.requirement("FR-147", "FR-149")
def test_a_stream_that_cannot_be_continued_ends(live: API, follower: httpx.Client) -> None:
    create(follower)
    with stream(follower) as response:
        events = events_of(response)
        assert [next(events).id for _ in range(2)] == [sync_token(0), sync_token(1)]
        assert erase(follower).status_code == 204

        assert list(events) == []
    error_of(follower.get(STREAM, headers={"Last-Event-ID": sync_token(1)}), 410, "GONE")
    until(lambda: is_empty(live))
