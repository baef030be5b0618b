"""Retries after a lost database connection: every service method declares whether it may be retried."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import structlog

from backend.database.deadline import current_work
from backend.database.errors import Interrupted
from backend.errors import ServiceUnavailable, TaskAPIError

logger = structlog.get_logger(__name__)

READ_TRIES = 5  # of reads; with more, a statement that crashes the server would be sent too often

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


def reads(method: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
    """Mark a method that only reads: it is retried, and the result of the retry counts."""
    return _retrying(method, is_safe=True, is_read=True)


def repeatable(method: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
    """Mark a change that has the same result when done twice: it is retried once.

    If the retry is refused, the first try may be the reason. That is unknowable, so the first try's error is raised.
    """
    return _retrying(method, is_safe=True, is_read=False)


def once_only(method: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
    """Mark a change that must not be done twice: it is retried only if it cannot have been done."""
    return _retrying(method, is_safe=False, is_read=False)


def _retrying(method: Callable[_Arguments, _Result], *, is_safe: bool, is_read: bool) -> Callable[_Arguments, _Result]:
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
                if not (tries_left and is_harmless and current_work().remaining_seconds() > 0):
                    raise
                lost = error
            except ServiceUnavailable:
                raise
            except TaskAPIError:
                if lost is not None and lost.may_be_done and not is_read:
                    raise lost from None
                raise
            logger.info("work_retried", work=method.__qualname__)

    return run
