"""Turns exceptions of the framework and the lower layers into error envelopes."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.responses import Response

from backend.api.http.oauth import answer_of
from backend.api.http.other_services import same_here
from backend.api.http.preconditions import explain_weak_tags
from backend.api.http.refusals import refusal
from backend.api.http.request_state import request_id_of
from backend.errors import InternalError, MethodNotAllowed, NotFound, PreconditionFailed, TaskAPIError
from backend.utils.similar_paths import similar_path


def add_error_handlers(app: FastAPI) -> None:
    """Answer the errors of every layer in the envelope."""
    app.exception_handler(TaskAPIError)(_answer_error)
    app.exception_handler(RequestValidationError)(_answer_validation)
    app.exception_handler(HTTPException)(_answer_framework)


async def _answer_error(request: Request, error: TaskAPIError) -> Response:
    if isinstance(error, PreconditionFailed):
        explain_weak_tags(error, request)
    return answer_of(error, request.scope, request_id_of(request))


async def _answer_validation(request: Request, error: RequestValidationError) -> Response:
    said = same_here(request.url.path)  # of an address that is none of ours, whatever else is wrong with the request
    answer = NotFound(said) if said else refusal(error, request.scope["route"])
    return answer_of(answer, request.scope, request_id_of(request))


async def _answer_framework(request: Request, error: HTTPException) -> Response:
    """Answer exceptions of Starlette and FastAPI: unknown paths, wrong methods."""
    match error.status_code:
        case 404:
            answer: TaskAPIError = NotFound(_nearly(request))
        case 405:
            answer = MethodNotAllowed(headers={"Allow": ", ".join(_allowed_methods(request))})
        case _:
            answer = InternalError()
    return answer_of(answer, request.scope, request_id_of(request))


def _nearly(request: Request) -> str | None:
    """Name the address that was probably meant, if there is one. All of them are public."""
    if said := same_here(request.url.path):
        return said
    routes = iter_route_contexts(request.app.routes)
    meant = similar_path(request.url.path, (route.path_format for route in routes if route.path_format))
    return f"Not found; did you mean {meant}?" if meant else None


def _allowed_methods(request: Request) -> list[str]:
    """Return every method of the path; the framework knows only the first matching route."""
    allowed: set[str] = set()
    for route in iter_route_contexts(request.app.routes):
        if route.path_regex and route.path_regex.match(request.url.path):
            allowed |= route.methods or {"GET"}  # folders of files have no methods
    return sorted(allowed | {"HEAD"} if "GET" in allowed else allowed)
