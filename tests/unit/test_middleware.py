"""Cases that only a misbehaving server or application can trigger."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.api.http.request_state import request_state
from backend.api.middleware.authentication import Authentication
from backend.api.middleware.error_boundary import ErrorBoundary
from backend.api.middleware.head import HeadAsGet
from backend.api.middleware.limits import BodyLimit, HeadLimits
from backend.api.middleware.request_context import RequestContext
from backend.api.middleware.trailing_slash import TrailingSlash
from tests.fixtures.documents.contract import application
from tests.fixtures.telemetry.logs import events

HTTP: Scope = {
    "type": "http",
    "scheme": "http",
    "method": "GET",
    "path": "/",
    "headers": [],
    "state": {"request_id": "abc"},
}


class Server:
    """The server's side of ASGI, which records the messages it is sent."""

    def __init__(self) -> None:
        self.sent: list[Message] = []

    async def receive(self) -> Message:
        """Give an empty body."""
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(self, message: Message) -> None:
        """Record a message."""
        self.sent.append(message)


def run(app: Callable[[Scope, Receive, Send], Awaitable[None]], scope: Scope, server: Server) -> None:
    """Let an application handle one scope."""

    async def handle() -> None:
        await app(scope, server.receive, server.send)

    asyncio.run(handle())


async def breaks_off(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Send half a response and fail."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"half", "more_body": True})
    raise RuntimeError("a cause")


@pytest.mark.requirement("FR-051")
def test_a_defect_in_the_middle_of_an_answer_ends_the_connection(caplog: pytest.LogCaptureFixture) -> None:
    server = Server()
    app = RequestContext(ErrorBoundary(breaks_off), route_of=str, new_id=lambda: "abc")

    with pytest.raises(RuntimeError, match="a cause"):
        run(app, {**HTTP, "state": {}}, server)

    assert [message["type"] for message in server.sent] == ["http.response.start", "http.response.body"]
    (failed,) = events(caplog, "request_failed")
    assert failed["request_id"] == "abc"
    assert "RuntimeError: a cause" in failed["exception"]


@pytest.mark.requirement("FR-051")
def test_a_defect_before_an_answer_is_logged_and_answered() -> None:
    async def fails(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise RuntimeError("a cause")

    server = Server()
    run(ErrorBoundary(fails), HTTP, server)

    assert server.sent[0]["status"] == 500
    assert b"a cause" not in server.sent[1]["body"]
    assert b'"code":"INTERNAL_ERROR"' in server.sent[1]["body"]


@pytest.mark.requirement("FR-501")
@pytest.mark.parametrize(("noted", "logged"), [("/things/{id}", "/things/{id}"), (None, "looked up")])
def test_a_path_is_looked_up_only_if_no_route_has_noted_its_template(
    noted: str | None, logged: str, caplog: pytest.LogCaptureFixture
) -> None:
    looked_up = list[str]()

    async def route(scope: Scope, _receive: Receive, _send: Send) -> None:
        if noted:
            request_state(scope)["route"] = noted

    def route_of(path: str) -> str:
        looked_up.append(path)
        return "looked up"

    caplog.set_level(logging.INFO)
    run(RequestContext(route, route_of=route_of), {**HTTP, "state": {}}, Server())

    (line,) = events(caplog, "request")
    assert line["route"] == logged
    assert looked_up == ([] if noted else ["/"])


@pytest.mark.parametrize(
    "wrap",
    [
        TrailingSlash,
        lambda app: RequestContext(app, route_of=str),
        ErrorBoundary,
        lambda app: Authentication(app, application().state.authenticator, limits=None, uncounted=()),
        HeadLimits,
        lambda app: BodyLimit(app, max_bytes=1, max_import_bytes=1, timeout_seconds=1),
        HeadAsGet,
    ],
    ids=["TrailingSlash", "RequestContext", "ErrorBoundary", "Authentication", "HeadLimits", "BodyLimit", "HeadAsGet"],
)
def test_what_is_no_request_passes_untouched(wrap: Callable[[ASGIApp], ASGIApp]) -> None:
    seen: list[tuple[Scope, Receive, Send]] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append((scope, receive, send))

    server = Server()
    lifespan: Scope = {"type": "lifespan"}
    run(wrap(app), lifespan, server)

    assert seen == [(lifespan, server.receive, server.send)]
