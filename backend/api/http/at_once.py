"""Calls the dependencies of a route in turn, as one dependency.

In each request the framework finds out anew what kind of function each dependency is, and how to read its header. That
was 15 to 22 % of all function calls of a get, list, create or toggle. There is no public way to let the framework only
document dependencies, but `Dependant`, its description of a route, is plain data.
"""

from __future__ import annotations

from dataclasses import replace
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_dependant


def at_once(route: Dependant) -> Dependant:
    """Return the route with one dependency, which calls all others in turn; unchanged if one of them does more.

    A dependency that yields does more, and one with parameters other than headers and the request.
    """
    needed, handler = route.dependencies, route.call
    if not needed or handler is None or not all(_is_simple(each) for each in needed):
        return route

    async def call_all(request: Request) -> dict[str | None, Any]:
        values = {each.name: await each.call(**_arguments(each, request)) for each in needed if each.call}
        values.pop(None, None)  # of those that only check the request
        return values

    @wraps(handler)
    async def handle(*, values: dict[str, Any], **others: Any) -> Any:
        return await handler(**values, **others)

    return replace(
        route, call=handle, dependencies=[get_dependant(path=route.path or "", call=call_all, name="values")]
    )


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
