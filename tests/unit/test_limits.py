"""Behaviour of body limits that our test clients cannot trigger."""

from __future__ import annotations

import asyncio

import pytest
from starlette.types import Message, Receive, Scope, Send

from backend.api.middleware.limits import BodyLimit

TIMEOUT_SECONDS = 0.01


@pytest.mark.requirement("FR-098")
def test_an_application_that_listens_for_the_end_of_the_connection_is_not_timed_out() -> None:
    messages: list[Message] = [{"type": "http.request", "body": b"a"}, {"type": "http.disconnect"}]
    heard: list[Message] = []

    async def receive() -> Message:
        if heard:
            await asyncio.sleep(TIMEOUT_SECONDS * 5)
        return messages[len(heard)]

    async def send(_message: Message) -> None:
        pass

    async def listens(_scope: Scope, receive: Receive, _send: Send) -> None:
        heard.append(await receive())
        heard.append(await receive())

    limit = BodyLimit(listens, max_bytes=1, max_import_bytes=1, timeout_seconds=TIMEOUT_SECONDS)
    asyncio.run(limit({"type": "http", "method": "POST", "path": "/", "headers": [], "state": {}}, receive, send))

    assert heard == messages
