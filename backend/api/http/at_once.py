"""Calls the dependencies of a route in turn, before the framework does the rest.

In each request the framework finds out anew what kind of function each dependency is, and how to read its header. That
was 15 to 22 % of all function calls of a get, list, create or toggle. There is no public way to let the framework only
document dependencies, but `Dependant`, its description of a route, is plain data.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any

from fastapi import Request
from fastapi.dependencies.models import Dependant

Call = Callable[[Request], Coroutine[Any, Any, None]]

_VALUES = "task_api.dependencies"  # where in the scope of a request the values are
_REQUEST = "_request"  # what a handler is given in addition, if it does not ask for the request


def at_once(route: Dependant) -> tuple[Dependant, Call]:
    """Return the route without dependencies, and what calls them all, to be awaited before the framework is.

    The route is unchanged if a dependency does more: one that yields, or has parameters other than headers and the
    request.
    """
    needed, handler = route.dependencies, route.call
    if not needed or handler is None or not all(_is_simple(each) for each in needed):
        return route, _nothing
    name = route.request_param_name or _REQUEST

    async def call_all(request: Request) -> None:
        values = {each.name: await each.call(**_arguments(each, request)) for each in needed if each.call}
        values.pop(None, None)  # of those that only check the request
        request.scope[_VALUES] = values

    @wraps(handler)
    async def handle(**given: Any) -> Any:
        request = given.pop(_REQUEST) if name == _REQUEST else given[name]
        return await handler(**request.scope[_VALUES], **given)

    return replace(route, call=handle, dependencies=[], request_param_name=name), call_all


async def _nothing(_request: Request) -> None:
    """Leave the dependencies to the framework."""


def _is_simple(dependency: Dependant) -> bool:
    call = dependency.call
    others = (dependency.dependencies, dependency.path_params, dependency.query_params, dependency.cookie_params)
    return not any(others) and (iscoroutinefunction(call) or iscoroutinefunction(type(call).__call__))


def _arguments(dependency: Dependant, request: Request) -> dict[str, Any]:
    """Return the arguments of a dependency: the lines of its headers, and the request if it takes it."""
    arguments: dict[str, Any] = {each.name: request.headers.getlist(each.alias) for each in dependency.header_params}
    if dependency.request_param_name is not None:
        arguments[dependency.request_param_name] = request
    return arguments
