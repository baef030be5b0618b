"""What the contract says of an operation follows from the signature of its handler."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import pytest
from fastapi import Body, Path, Response
from fastapi.routing import APIRoute

from backend.api.deps import IfMatch, IfNoneMatch, Once, OnlyNew, Tasks
from backend.api.openapi.operations import errors
from backend.api.routers.lists import LISTS
from backend.api.routers.router import Router
from backend.api.routers.tasks import TASKS
from backend.errors import Conflict
from backend.models.fields import CanonicalUUID
from backend.models.task import TaskCreate

pytestmark = pytest.mark.requirement("FR-495")

ALWAYS = {401, 403, 422, 429, 500, 503}
TaskId = Annotated[CanonicalUUID, Path()]
NewTask = Annotated[TaskCreate, Body(openapi_examples={"short": {"value": {"title": "Buy tea"}}})]


def nothing(tasks: Tasks) -> Response:
    """Take nothing but the service."""
    raise NotImplementedError


def by_id(tasks: Tasks, task_id: TaskId) -> Response:
    """Take an id."""
    raise NotImplementedError


def if_changed(tasks: Tasks, known: IfNoneMatch) -> Response:
    """Take the version that the client has."""
    raise NotImplementedError


def if_unchanged(tasks: Tasks, expected: IfMatch) -> Response:
    """Take the version that the client expects."""
    raise NotImplementedError


def only_new(tasks: Tasks, data: NewTask, new: OnlyNew, once: Once) -> Response:
    """Take a new task."""
    raise NotImplementedError


def documented(
    handler: Callable[..., Any], responses: dict[int | str, dict[str, Any]], path: str = ""
) -> dict[Any, Any]:
    """Return the answers of a route with this handler."""
    router = Router("/api/things", "things", TASKS)
    router.add_api_route(path, handler, methods=["POST"], responses=responses)
    (route,) = router.routes
    assert isinstance(route, APIRoute)
    return route.responses


@pytest.mark.parametrize(
    ("handler", "more"),
    [
        (nothing, set()),
        (if_changed, {304, 400}),
        (if_unchanged, {400, 412, 428}),
        (only_new, {400, 408, 412, 413, 415}),
    ],
)
def test_refusals_follow_from_what_a_handler_takes(handler: Callable[..., Any], more: set[int]) -> None:
    assert set(documented(handler, TASKS.read)) == ALWAYS | more | {200}


def test_what_has_an_id_may_be_missing_unless_the_call_makes_it() -> None:
    assert set(documented(by_id, TASKS.read, "/{task_id}")) == ALWAYS | {200, 404}
    assert set(documented(by_id, TASKS.made, "/{task_id}")) == ALWAYS | {201}


def test_an_answer_shows_what_the_example_sends_and_what_a_new_one_has() -> None:
    answers = documented(only_new, TASKS.made)
    example = answers[201]["content"]["application/json"]["example"]["data"]

    assert {name: example[name] for name in ("title", "labels", "revision")} == {
        "title": "Buy tea",
        "labels": [],
        "revision": 1,
    }
    assert {"ETag", "Location", "Idempotency-Replayed"} <= answers[201]["headers"].keys()


def test_what_a_handler_says_itself_counts() -> None:
    own = errors(Conflict) | {404: {"description": "Gone fishing"}}

    answers = documented(by_id, LISTS.read | own, "/{task_id}")

    assert answers[404] == own[404]
    assert answers[409] == own[409]
