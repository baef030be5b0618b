"""Lets code that waits be written plainly, and not hold up the event loop that it runs on.

A greenlet is a call that can be left in the middle: where it waits, the loop goes on with something else, and comes
back to it. Compared with a thread it changes hands only there, and costs next to nothing.
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
    """Make a coroutine function of one that waits by `wait_for`."""

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
    """Switch in a call of its own: what measures Python's calls notices only then that another greenlet goes on."""
    return switch(*arguments, **options)


def is_in_greenlet() -> bool:
    """Tell whether what runs now may wait by `wait_for`, and must wait in no other way."""
    return isinstance(getcurrent(), _Call)


def wait_for(awaitable: Awaitable[_Result]) -> _Result:
    """Wait for something of the event loop; returns and raises what it does."""
    loop = getcurrent().parent
    assert loop is not None  # noqa: S101 - only a call that runs on one may wait
    result: _Result = loop.switch(awaitable)
    return result
