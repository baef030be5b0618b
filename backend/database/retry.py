"""What is done once more when the connection to the database is lost on the way: every method of a service says."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import structlog

from backend.database.deadline import current_budget
from backend.database.session import Interrupted
from backend.errors import ServiceUnavailable, TaskAPIError

logger = structlog.get_logger(__name__)

READ_TRIES = 5  # of what only reads; more, and a statement that takes the server down would be sent again and again

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


def reads(method: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
    """Mark a method that only reads: it is repeated, and what it then finds is the answer."""
    return _repeating(method, is_safe=True, is_read=True)


def repeatable(method: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
    """Mark a change that, done twice, is the same as done once: it is repeated once.

    When that is refused, what the first try did may be the reason. Nobody can tell: it raises what the first try met.
    """
    return _repeating(method, is_safe=True, is_read=False)


def once_only(method: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
    """Mark a change that must not be done twice: it is repeated only if it cannot have been done."""
    return _repeating(method, is_safe=False, is_read=False)


def _repeating(method: Callable[_Arguments, _Result], *, is_safe: bool, is_read: bool) -> Callable[_Arguments, _Result]:
    @wraps(method)
    def run(*arguments: _Arguments.args, **options: _Arguments.kwargs) -> _Result:
        lost: Interrupted | None = None
        tries_left = READ_TRIES if is_read else 2
        while True:
            tries_left -= 1
            try:
                return method(*arguments, **options)
            except Interrupted as error:
                is_harmless = is_safe or not error.may_be_done
                if not (tries_left and is_harmless and current_budget().remaining_seconds() > 0):
                    raise
                lost = error
            except ServiceUnavailable:
                raise
            except TaskAPIError:
                if lost is not None and lost.may_be_done and not is_read:
                    raise lost from None
                raise
            logger.info("work_repeated", work=method.__qualname__)

    return run
