"""Makes two methods of every call: one returns the result, and the second is awaited."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncGenerator, Coroutine, Generator
from typing import TYPE_CHECKING, Any, Callable, TypeVar

from task_api_client._async_driver import AsyncDriver
from task_api_client._core.context import Context
from task_api_client._core.steps import Call, Loop
from task_api_client._driver import Driver

if TYPE_CHECKING:
    from typing_extensions import Concatenate, ParamSpec

    P = ParamSpec("P")
T = TypeVar("T")
Method = TypeVar("Method", bound=Callable[..., Any])


class Calls:
    """A group of calls that return their results."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver


class AsyncCalls:
    """A group of calls that are awaited."""

    def __init__(self, driver: AsyncDriver) -> None:
        self._driver = driver


def call(steps: Callable[Concatenate[Context, P], Call[T]]) -> Callable[Concatenate[Any, P], T]:
    """Return the method that makes this call."""

    def method(self: Calls, /, *given: Any, **named: Any) -> T:
        return self._driver.run(steps(self._driver.context, *given, **named))

    return _like(steps, method)


def loop(steps: Callable[Concatenate[Context, P], Loop[T]]) -> Callable[Concatenate[Any, P], Generator[T, None, None]]:
    """Return the method that loops over what this call gives."""

    def method(self: Calls, /, *given: Any, **named: Any) -> Generator[T, None, None]:
        return self._driver.loop(steps(self._driver.context, *given, **named))

    return _like(steps, method)


def async_call(
    steps: Callable[Concatenate[Context, P], Call[T]],
) -> Callable[Concatenate[Any, P], Coroutine[Any, Any, T]]:
    """Return the method that makes this call with `await`."""

    async def method(self: AsyncCalls, /, *given: Any, **named: Any) -> T:
        return await self._driver.run(steps(self._driver.context, *given, **named))

    return _like(steps, method)


def async_loop(
    steps: Callable[Concatenate[Context, P], Loop[T]],
) -> Callable[Concatenate[Any, P], AsyncGenerator[T, None]]:
    """Return the method that loops over what this call gives with `async for`."""

    def method(self: AsyncCalls, /, *given: Any, **named: Any) -> AsyncGenerator[T, None]:
        return self._driver.loop(steps(self._driver.context, *given, **named))

    return _like(steps, method)


def _like(steps: Callable[..., Any], method: Method) -> Method:
    """Give a method the description and the parameters of its call, for help() and editors."""
    functools.update_wrapper(method, steps)
    first, *others = inspect.signature(steps).parameters.values()
    method.__signature__ = inspect.Signature([first.replace(name="self", annotation=first.empty), *others])  # type: ignore[attr-defined]
    return method
