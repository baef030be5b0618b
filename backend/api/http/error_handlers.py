"""Turns what the framework and the lower layers raise into answers in the envelope."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import compile_path

from backend.api.http.envelope import error_response
from backend.errors import (
    PLAIN_WORDS,
    AccessTokenNotFound,
    Detail,
    InternalError,
    MethodNotAllowed,
    NotFound,
    TaskAPIError,
    TaskNotFound,
    UnsupportedMediaType,
    ValidationFailed,
)

_NOT_FOUND = {"task_id": TaskNotFound, "token_id": AccessTokenNotFound}  # by the parameter in the path


def add_error_handlers(app: FastAPI) -> None:
    """Let every error of every layer be answered in the envelope."""
    app.exception_handler(TaskAPIError)(_answer_error)
    app.exception_handler(RequestValidationError)(_answer_validation)
    app.exception_handler(HTTPException)(_answer_framework)


async def _answer_error(request: Request, error: TaskAPIError) -> Response:
    return error_response(error, request.state.request_id)


async def _answer_validation(request: Request, error: RequestValidationError) -> Response:
    return error_response(_refusal(error), request.state.request_id)


async def _answer_framework(request: Request, error: HTTPException) -> Response:
    """Answer what Starlette and FastAPI raise themselves: unknown paths, wrong methods."""
    match error.status_code:
        case 404:
            answer: TaskAPIError = NotFound()
        case 405:
            answer = MethodNotAllowed(headers={"Allow": ", ".join(_allowed_methods(request))})
        case _:
            answer = InternalError()
    return error_response(answer, request.state.request_id)


def _refusal(error: RequestValidationError) -> TaskAPIError:
    """Name what is wrong. A malformed id in the path counts last, like one that is looked for and not found."""
    problems = [problem for problem in error.errors() if problem["loc"][0] != "path"]
    if not problems:
        return _of_no_id(error)
    if problems[0]["loc"] == ("body",) and isinstance(error.body, bytes):
        return UnsupportedMediaType()
    return ValidationFailed(details=tuple(_detail(problem) for problem in problems))


def _of_no_id(error: RequestValidationError) -> NotFound:
    """Answer that nothing has an id that is none; nobody needs to look for it."""
    _, name = error.errors()[0]["loc"]
    return _NOT_FOUND[name]()


def _detail(problem: dict[str, Any]) -> Detail:
    """Say where and what, but never what was sent: pydantic's `input` and `ctx` stay behind."""
    place, *path = problem["loc"]
    names = [str(part) for part in path] if place == "body" and path else [place, *map(str, path)]
    code: str = problem["type"]
    return Detail(".".join(names), code, PLAIN_WORDS.get(code, problem["msg"]))


def _allowed_methods(request: Request) -> list[str]:
    """List every method of the path; the framework names only those of the first route that matches it.

    What the contract leaves out, the documentation pages and their assets, can only be read.
    """
    allowed: set[str] = set()
    paths = request.app.openapi()["paths"]
    # A path in full comes before a pattern that it fits: /api/tasks/batch is no task.
    for path in [request.url.path] if request.url.path in paths else paths:
        pattern, _, _ = compile_path(path)
        if pattern.match(request.url.path):
            allowed |= {method.upper() for method in paths[path]}
    allowed = allowed or {"GET"}
    return sorted(allowed | {"HEAD"} if "GET" in allowed else allowed)
