"""Endpoints: what a handler gets of a request, which error comes first, and what is read of the framework for that."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Annotated, Any

import fastapi
import httpx
import pytest
from fastapi import Body, Cookie, Depends, Header, Query, Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, SecretStr

from backend.api.endpoint import Endpoint
from backend.api.http.header_parameters import ABSENT
from backend.api.main import create_app
from backend.api.state import app_state
from backend.config import Settings
from backend.errors import BadRequest
from backend.identity.jwt import issue_token
from tests.fixtures.calls.tasks import error_of
from tests.fixtures.identity.tokens import SECRET, USER

LINES = ["a, b", "", "c"]


class Number(BaseModel):
    """A body."""

    a: int


class Wanted(BaseModel):
    """A query."""

    size: int = 1


class Service:
    """A dependency that is an object."""

    def __call__(self, request: Request) -> list[str]:
        """Return what was called until now."""
        noted(request, "service")
        called: list[str] = request.scope["called"]
        return called


def noted(request: Request, name: str) -> None:
    """Note that a dependency was called."""
    request.scope.setdefault("called", []).append(name)


def checked(request: Request) -> None:
    """Refuse a request that asks for it."""
    noted(request, "checked")
    if "x-refused" in request.headers:
        raise BadRequest("refused")


def read(request: Request, lines: Annotated[list[str], Header(alias="X-Lines")] = ABSENT) -> list[str]:
    """Return the lines of a header."""
    noted(request, "read")
    return lines or []


Lines = Annotated[list[str], Depends(read)]
Called = Annotated[list[str], Depends(Service())]


def answer(number: int, lines: Lines, called: Called, query: Annotated[Wanted, Query()], body: Number) -> Response:
    """Answer with everything that a handler gets."""
    return JSONResponse(
        {"number": number, "lines": lines, "called": called, "size": query.size, "body": body.model_dump()}
    )


def answer_without(body: Annotated[Number, Body(default_factory=lambda: None)]) -> Response:
    """Answer with a body that need not be sent."""
    return JSONResponse(body and body.a)


def in_a_slot(request: Request) -> Response:
    """Answer who is in hand."""
    return JSONResponse(app_state(request).in_hand.taken)


async def without_slot(request: Request) -> Response:
    """Answer who is in hand."""
    return JSONResponse(app_state(request).in_hand.taken)


def ask(path: str, **options: Any) -> httpx.Response:
    """Send a request to an application with such routes."""
    app = create_app(Settings.model_construct(database_url=SecretStr("postgresql://"), jwt_secret=SecretStr(SECRET)))
    app.router.routes += [
        Endpoint("/api/numbers/{number}", answer, methods=["POST"], dependencies=[Depends(checked)]),
        *(Endpoint(f"/api/{each.__name__}", each, methods=["POST"]) for each in (answer_without, in_a_slot)),
        Endpoint("/api/without_slot", without_slot, methods=["POST"]),
    ]

    async def send() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
            client.headers["Authorization"] = f"Bearer {issue_token(SECRET, USER, ttl_seconds=60)}"
            return await client.post(path, **options)

    return asyncio.run(send())


def test_a_handler_gets_the_value_of_each_dependency_that_it_names() -> None:
    headers = [("X-Lines", line) for line in LINES]

    assert ask("/api/numbers/5?size=2", headers=headers, json={"a": 1}).json() == {
        "number": 5,
        "lines": LINES,
        "called": ["checked", "read", "service"],
        "size": 2,
        "body": {"a": 1},
    }


def test_a_header_that_is_not_sent_is_empty() -> None:
    assert ask("/api/numbers/5", json={"a": 1}).json()["lines"] == []


def test_the_first_error_is_that_of_a_dependency() -> None:
    refused = ask("/api/numbers/nonsense?size=nonsense", headers={"X-Refused": "yes"}, json={})

    assert error_of(refused, 400, "BAD_REQUEST")["message"] == "refused"


def test_the_query_is_judged_before_path_and_body() -> None:
    refused = ask("/api/numbers/nonsense?size=nonsense", json={})

    assert [detail["field"] for detail in error_of(refused, 422, "VALIDATION_ERROR")["details"]] == ["query.size"]


def test_the_body_is_judged_even_if_the_path_is_wrong() -> None:
    refused = ask("/api/numbers/nonsense", json={"a": "b"})

    assert [detail["field"] for detail in error_of(refused, 422, "VALIDATION_ERROR")["details"]] == ["a"]


def test_a_missing_body_is_told() -> None:
    (detail,) = error_of(ask("/api/numbers/5"), 422, "VALIDATION_ERROR")["details"]

    assert (detail["field"], detail["code"]) == ("body", "missing")


@pytest.mark.parametrize(("options", "said"), [({}, None), ({"json": {"a": 1}}, 1)])
def test_a_body_that_is_not_needed_is_the_default(options: dict[str, Any], said: int | None) -> None:
    assert ask("/api/answer_without", **options).json() == said


def test_a_handler_waits_for_the_database_in_a_slot_unless_it_takes_its_slots_itself() -> None:
    assert ask("/api/in_a_slot").json() == {USER: 1}
    assert ask("/api/without_slot").json() == {}


def yields() -> Iterator[str]:
    """Yield a value."""
    yield "open"


async def yields_later() -> AsyncIterator[str]:
    """Yield a value, without blocking."""
    yield "open"


async def waits() -> str:
    """Return a value, without blocking."""
    return "value"


def needs_others(lines: Lines) -> list[str]:
    """Need another dependency."""
    return lines


@pytest.mark.parametrize("dependency", [yields, yields_later, waits, needs_others])
def test_a_dependency_returns_its_value_at_once(dependency: Callable[..., Any]) -> None:
    with pytest.raises(TypeError, match=f"{dependency.__name__}.*(which no endpoint reads|has to return its value)"):
        Endpoint("/api/tasks", in_a_slot, methods=["POST"], dependencies=[Depends(dependency)])


def of_header(lines: Annotated[list[str], Header(alias="X-Lines")] = ABSENT) -> Response:
    """Ask for a header without a dependency."""
    return JSONResponse(lines)


def of_cookie(cookie: Annotated[str, Cookie()] = "") -> Response:
    """Ask for a cookie."""
    return JSONResponse(cookie)


@pytest.mark.parametrize("handler", [of_header, of_cookie])
def test_what_no_endpoint_reads_is_refused_when_the_route_is_made(handler: Callable[..., Response]) -> None:
    with pytest.raises(TypeError, match="which no endpoint reads"):
        Endpoint("/api/tasks", handler, methods=["POST"])


# What `backend/api/endpoint.py` and `backend/api/http/` read of the framework's public classes, by what has it.
READ = {
    "route": "dependant body_field endpoint methods path path_format response_class responses",
    "dependant": (
        "call name path scope use_cache request_param_name dependencies path_params query_params body_params "
        "header_params"
    ),
    "field": "name alias field_info default validate",
}


@pytest.mark.requirement("FR-502")
@pytest.mark.parametrize(("kind", "names"), READ.items())
def test_the_framework_describes_a_route_as_an_endpoint_reads_it(kind: str, names: str) -> None:
    route = APIRoute("/numbers/{number}", answer, methods=["POST"])
    described = {"route": route, "dependant": route.dependant, "field": route.body_field}[kind]

    missing = [name for name in names.split() if not hasattr(described, name)]

    assert missing == [], f"FastAPI {fastapi.__version__} describes a {kind} in another way: endpoints have to follow"


def test_the_framework_validates_a_body_or_a_part_of_a_path_as_an_endpoint_expects() -> None:
    route: Any = APIRoute("/numbers/{number}", answer, methods=["POST"])
    (number,) = route.dependant.path_params

    assert number.validate("5", {}, loc=("path", "number")) == (5, [])
    assert route.body_field.validate({"a": 1}, {}, loc=("body",)) == (Number(a=1), [])
    value, (problem,) = route.body_field.validate({"a": "b"}, {}, loc=("body",))
    assert (value, problem["type"], problem["loc"]) == (None, "int_parsing", ("body", "a"))
