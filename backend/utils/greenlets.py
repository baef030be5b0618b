"""Lets ordinary synchronous code wait without blocking the event loop that it runs on.

A greenlet is a call that can be suspended: while it waits, the loop does other work, and then resumes it. Unlike a
thread, it switches only there, and costs next to nothing.
"""

from __future__ import annotations

import contextvars
import sys
from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from greenlet import getcurrent, greenlet

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


class _Call(greenlet):  # type: ignore[misc]
    """A call that an event loop waits for."""


def in_greenlet(function: Callable[_Arguments, _Result]) -> Callable[_Arguments, Coroutine[Any, Any, _Result]]:
    """Turn a function that waits with `wait_for` into a coroutine function."""

    @wraps(function)
    async def run(*arguments: _Arguments.args, **options: _Arguments.kwargs) -> _Result:
        call = _Call(function)
        call.gr_context = contextvars.copy_context()
        given = _switch(call.switch, *arguments, **options)
        while not call.dead:
            try:
                result = await given
            except BaseException:  # noqa: BLE001 - it is raised where it is waited for
                given = _switch(call.throw, *sys.exc_info())
            else:
                given = _switch(call.switch, result)
        returned: _Result = given
        return returned

    return run


def _switch(switch: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """Switch in a separate call: only then do tools that trace Python calls notice the switch."""
    return switch(*arguments, **options)


def is_in_greenlet() -> bool:
    """Return whether the running code may wait with `wait_for`, and must not wait in any other way."""
    return isinstance(getcurrent(), _Call)


def wait_for(awaitable: Awaitable[_Result]) -> _Result:
    """Wait for an awaitable on the event loop; returns its result, or raises its error."""
    loop = getcurrent().parent
    assert loop is not None  # noqa: S101 - only a call that runs on one may wait
    result: _Result = loop.switch(awaitable)
    return result
