"""A service that shuts down ends its streams properly."""

from __future__ import annotations

import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from backend.identity.jwt import issue_token
from tests.fixtures.calls.api import new_user
from tests.fixtures.calls.events import events_of, stream
from tests.fixtures.calls.feed import sync_token
from tests.fixtures.identity.tokens import SECRET
from tests.fixtures.processes.process import environment, served
from tests.fixtures.running.waiting import PATIENCE_SECONDS


@pytest.mark.requirement("FR-149", "FR-064")
def test_the_end_of_the_service_ends_streams_and_waits_for_none(tmp_path: Path, database_url: str) -> None:
    env = environment(tmp_path / "data", DATABASE_URL=database_url, JWT_SECRET=SECRET)
    token = issue_token(SECRET, new_user(), ttl_seconds=600)
    headers = {"Authorization": f"Bearer {token}"}
    with (
        served(env=env, cwd=tmp_path) as service,
        httpx.Client(base_url=service.address, headers=headers, trust_env=False, timeout=PATIENCE_SECONDS) as client,
        ExitStack() as streams,
        ThreadPoolExecutor(3) as threads,
    ):
        responses = [streams.enter_context(stream(client)) for _ in range(3)]
        started = [events_of(response) for response in responses]
        assert [next(events).id for events in started] == [sync_token(0)] * 3
        rest = [threads.submit(list, events) for events in started]

        assert service.stop(signal.SIGTERM) == 0
        for each in rest:
            assert len(each.result()) == 1  # and the proper end, without which httpx raises an error
