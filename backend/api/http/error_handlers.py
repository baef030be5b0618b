"""Turns exceptions of the framework and the lower layers into error envelopes."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import compile_path

from backend.api.http.envelope import error_response
from backend.api.http.refusals import refusal
from backend.api.http.request_state import request_id_of
from backend.errors import InternalError, MethodNotAllowed, NotFound, TaskAPIError


def add_error_handlers(app: FastAPI) -> None:
    """Answer the errors of every layer in the envelope."""
    app.exception_handler(TaskAPIError)(_answer_error)
    app.exception_handler(RequestValidationError)(_answer_validation)
    app.exception_handler(HTTPException)(_answer_framework)


async def _answer_error(request: Request, error: TaskAPIError) -> Response:
    return error_response(error, request_id_of(request))


async def _answer_validation(request: Request, error: RequestValidationError) -> Response:
    return error_response(refusal(error, request.scope["route"]), request_id_of(request))


async def _answer_framework(request: Request, error: HTTPException) -> Response:
    """Answer exceptions of Starlette and FastAPI: unknown paths, wrong methods."""
    match error.status_code:
        case 404:
            answer: TaskAPIError = NotFound()
        case 405:
            answer = MethodNotAllowed(headers={"Allow": ", ".join(_allowed_methods(request))})
        case _:
            answer = InternalError()
    return error_response(answer, request_id_of(request))


def _allowed_methods(request: Request) -> list[str]:
    """Return every method of the path; the framework names only those of the first matching route.

    Paths outside the contract (documentation pages and their assets) are read-only.
    """
    allowed: set[str] = set()
    paths = request.app.openapi()["paths"]
    # A literal path wins over a matching pattern: /api/tasks/batch is not a task.
    for path in [request.url.path] if request.url.path in paths else paths:
        pattern, _, _ = compile_path(path)
        if pattern.match(request.url.path):
            allowed |= {method.upper() for method in paths[path]}
    allowed = allowed or {"GET"}
    return sorted(allowed | {"HEAD"} if "GET" in allowed else allowed)
