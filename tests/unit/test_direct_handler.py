"""Requests that are handled directly: with the same arguments, order and errors as by the framework."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Annotated, Any

import httpx
import pytest
from fastapi import Depends, FastAPI, Header, Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

from backend.api.http.direct_handler import direct_handler
from backend.api.http.header_parameters import ABSENT
from backend.api.http.strict_json import StrictRequest
from backend.api.routes import DatabaseRoute
from backend.errors import BadRequest

LINES = ["a, b", "", "c"]


class DirectRoute(APIRoute):
    """A route whose requests are handled directly."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler."""
        handle = direct_handler(self.dependant) or super().get_route_handler()

        async def handle_strictly(request: Request) -> Response:
            return await handle(StrictRequest(request.scope, request.receive))

        return handle_strictly


class Service:
    """A dependency that is an object."""

    async def __call__(self, request: Request) -> str:
        """Return what it is asked with."""
        noted(request, "service")
        return request.method


def noted(request: Request, name: str) -> None:
    """Note that a dependency was called."""
    request.scope.setdefault("called", []).append(name)


async def checked(request: Request) -> None:
    """Refuse a request that asks for it."""
    noted(request, "checked")
    if "x-refused" in request.headers:
        raise BadRequest("refused")


async def read(request: Request, lines: Annotated[list[str], Header(alias="X-Lines")] = ABSENT) -> list[str]:
    """Return the lines of a header."""
    noted(request, "read")
    return lines or []


async def opened(request: Request) -> AsyncIterator[str]:
    """Yield, and note the end."""
    noted(request, "opened")
    yield "open"
    noted(request, "closed")


async def answer(
    request: Request,
    number: int,
    lines: Annotated[list[str], Depends(read)],
    service: Annotated[str, Depends(Service())],
    body: dict[str, int] | None = None,
) -> Response:
    """Answer with everything that a handler gets."""
    called = request.scope["called"]
    return JSONResponse({"number": number, "lines": lines, "service": service, "body": body, "called": called})


async def answer_open(request: Request, is_open: Annotated[str, Depends(opened)]) -> dict[str, Any]:
    """Answer with what a dependency has yielded."""
    return {"open": is_open, "called": request.scope["called"]}


def ask(kind: type[APIRoute], path: str, **options: Any) -> httpx.Response:
    """Send a request to an application with routes of this kind."""
    app = FastAPI()
    app.router.route_class = kind
    app.post("/numbers/{number}", dependencies=[Depends(checked)])(answer)
    app.post("/open", dependencies=[Depends(checked)])(answer_open)

    async def send() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
            return await client.post(path, **options)

    return asyncio.run(send())


@pytest.fixture(params=[APIRoute, DirectRoute], ids=["by the framework", "directly"])
def kind(request: pytest.FixtureRequest) -> type[APIRoute]:
    """Both kinds of routes: they must not differ."""
    kind: type[APIRoute] = request.param
    return kind


def test_a_handler_gets_the_value_of_each_dependency_that_it_names(kind: type[APIRoute]) -> None:
    headers = [("X-Lines", line) for line in LINES]

    assert ask(kind, "/numbers/5", headers=headers, json={"a": 1}).json() == {
        "number": 5,
        "lines": LINES,
        "service": "POST",
        "body": {"a": 1},
        "called": ["checked", "read", "service"],
    }


def test_a_header_that_is_not_sent_is_empty(kind: type[APIRoute]) -> None:
    assert ask(kind, "/numbers/5").json()["lines"] == []


def test_the_first_error_is_that_of_a_dependency(kind: type[APIRoute]) -> None:
    with pytest.raises(BadRequest, match="refused"):
        ask(kind, "/numbers/nonsense", headers={"X-Refused": "yes"})


def test_all_errors_of_path_and_body_are_reported_together(kind: type[APIRoute]) -> None:
    refused = ask(kind, "/numbers/nonsense", json={"a": "b"})

    assert refused.status_code == 422
    assert [detail["loc"] for detail in refused.json()["detail"]] == [["path", "number"], ["body", "a"]]


def test_dependencies_that_yield_are_left_to_the_framework(kind: type[APIRoute]) -> None:
    assert ask(kind, "/open").json() == {"open": "open", "called": ["checked", "opened"]}


async def answer_header(lines: Annotated[list[str], Header(alias="X-Lines")] = ABSENT) -> Response:
    """Ask for a header without a dependency."""
    return JSONResponse(lines)


async def answer_body(body: dict[str, int], is_open: Annotated[str, Depends(opened)]) -> Response:
    """Ask for a body, and for a dependency that yields."""
    return JSONResponse([body, is_open])


@pytest.mark.parametrize(("endpoint", "is_direct"), [(answer, True), (answer_open, False), (answer_header, False)])
def test_what_asks_for_more_is_left_to_the_framework(endpoint: Callable[..., Any], is_direct: bool) -> None:  # noqa: FBT001
    app = FastAPI()
    app.post("/numbers/{number}", dependencies=[Depends(checked)])(endpoint)
    (handler,) = [direct_handler(route.dependant) for route in app.routes if isinstance(route, APIRoute)]

    assert (handler is not None) is is_direct


def test_a_body_is_never_left_to_the_framework() -> None:
    with pytest.raises(TypeError, match="malformed body"):
        DatabaseRoute("/api/tasks", answer_body, methods=["POST"])
