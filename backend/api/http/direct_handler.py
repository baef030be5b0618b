"""Handles a request by what the framework knows of its route, without what the framework does in each request.

In each request the framework finds out anew what kind of function each dependency is, how to read its header, whether
the body is a form, and whether the endpoint streams. That was 14 to 22 % of all function calls of a get, create or
toggle. There is no public way to let the framework only document a route, but `Dependant`, its description, is plain
data, and path and body are still read by its own functions.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Coroutine
from dataclasses import fields
from inspect import iscoroutinefunction
from typing import Any

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import request_body_to_args, request_params_to_args
from fastapi.exceptions import RequestValidationError
from pydantic_core import PydanticUndefined

from backend.api.http.strict_json import StrictRequest

Handler = Callable[[StrictRequest], Coroutine[Any, Any, Response]]

_OF_ALL = {"call", "name", "path", "scope", "use_cache", "request_param_name"}
_OF_ENDPOINT = _OF_ALL | {"dependencies", "path_params", "body_params"}
_OF_DEPENDENCY = _OF_ALL | {"header_params"}


def direct_handler(route: Dependant) -> Handler | None:
    """Return what handles requests to a route; None if that is left to the framework.

    The handler parses the body and calls the dependencies in turn: the first error among these is the answer. Then it
    reads path and body, whose errors are told together, and calls the endpoint, which returns a response. The framework
    is needed where an endpoint or a dependency yields, or asks for more than the two lists above allow.
    """
    needed = route.dependencies
    if not _asks_only_for(_OF_ENDPOINT, route) or not all(_asks_only_for(_OF_DEPENDENCY, each) for each in needed):
        return None

    async def handle(request: StrictRequest) -> Response:
        body = await _parsed(request) if route.body_params else None
        values: dict[str, Any] = {}
        for each in needed:
            value = await each.call(**_arguments(each, request))  # type: ignore[misc]  # none of them is None
            if each.name is not None:  # else it only checks the request
                values[each.name] = value
        read, errors = request_params_to_args(route.path_params, request.path_params)
        values |= read
        if route.body_params:
            read, more = await request_body_to_args(route.body_params, body, embed_body_fields=False)
            values |= read
            errors += more
        if errors:
            raise RequestValidationError(errors, body=None if body is PydanticUndefined else body)
        if route.request_param_name is not None:
            values[route.request_param_name] = request
        response: Response = await route.call(**values)  # type: ignore[misc]
        return response

    return handle


async def _parsed(request: StrictRequest) -> Any:
    """Return the body as the framework validates it: as bytes if it is not JSON."""
    body = await request.body()
    if not body:
        return PydanticUndefined
    return await request.json() if request.is_json else body


def _is_coroutine_function(call: Any) -> bool:
    return iscoroutinefunction(call) or iscoroutinefunction(type(call).__call__)


def _asks_only_for(allowed: Collection[str], described: Dependant) -> bool:
    others = (field.name for field in fields(Dependant) if field.name not in allowed)
    return _is_coroutine_function(described.call) and not any(getattr(described, name) for name in others)


def _arguments(dependency: Dependant, request: Request) -> dict[str, Any]:
    """Return the arguments of a dependency: the lines of its headers, and the request if it takes it."""
    arguments: dict[str, Any] = {each.name: request.headers.getlist(each.alias) for each in dependency.header_params}
    if dependency.request_param_name is not None:
        arguments[dependency.request_param_name] = request
    return arguments
