"""Sends a request until it is answered for good: again after what passes, but no change is made twice."""

from __future__ import annotations

import email.utils
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timezone
from typing import Any, Optional, Union
from urllib.parse import quote, urlencode

from task_api_client._core.context import Context
from task_api_client._core.steps import Answer, Call, Lost, Open, Request, Send, Wait
from task_api_client.errors import BY_STATUS, NoAnswer, TaskApiError

TRIES = 5
LONGEST_SECONDS = 60  # in all: a limit per hour is something to tell people, not to wait for
PASSING = {502, 503, 504}  # the statuses after which the same request may succeed
TOO_MANY = 429  # changed nothing, so any request may be repeated


def json_of(content: object) -> bytes:
    """Write JSON; days and moments as the service reads them."""
    return json.dumps(content, default=_plain, ensure_ascii=False).encode()


def _plain(item: object) -> str:
    return item.isoformat() if isinstance(item, (date, datetime)) else str(item)


def path_of(*parts: str, query: Optional[Mapping[str, Any]] = None) -> str:
    """Return a path under /api, with what the query names."""
    path = "/".join(["/api", *(quote(str(part), safe="") for part in parts)])
    given = {name: _text(value) for name, value in (query or {}).items() if value is not None}
    return f"{path}?{urlencode(given)}" if given else path


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ",".join(map(_text, value))
    return _plain(value)


def change(method: str, path: str, body: object = None, if_match: Any = None) -> Request:
    """Return a request that changes something. The service carries out what has a key once, however often it comes."""
    headers = {"Idempotency-Key": str(uuid.uuid4())} if method == "POST" or path.endswith("/complete") else {}
    if if_match is not None:
        headers["If-Match"] = "*" if if_match == "*" else f'"{if_match.revision}"'
    if body is not None:
        headers["Content-Type"] = "application/json"
    content = None if body is None else json_of(body)
    return Request(method, path, content, headers, may_repeat=bool(headers.get("Idempotency-Key")) or _is_clear(body))


def _is_clear(body: object) -> bool:
    """Tell whether an edit means the same the second time: a status that contradicts `completed` may not."""
    fields = body if isinstance(body, dict) else {}
    status, completed = fields.get("status"), fields.get("completed")
    return status is None or completed is None or completed == (status == "done")


def attempt(
    context: Context, request: Request, token: Optional[str], *, is_stream: bool = False, unsure: bool = False
) -> Call[Answer]:
    """Send a request with this token until it is answered for good, and return its answer if that is a success.

    `unsure` says that it may have been carried out before. Raises TaskApiError.
    """
    kind = Open if is_stream else Send
    began, tries = context.timing.clock(), 1
    while True:
        result: Union[Answer, Lost] = yield kind(request, token)
        if isinstance(result, Answer) and result.is_success:
            return result
        problem = problem_of(result)
        problem.unsure = unsure = unsure or isinstance(result, Lost) or problem.status in PASSING
        seconds = _pause(context, problem, tries)
        is_over = tries == TRIES or context.timing.clock() - began + seconds > LONGEST_SECONDS
        if is_over or not _is_passing(problem, request):
            raise problem from (result.cause if isinstance(result, Lost) else None)
        yield Wait(seconds)
        tries += 1


def _is_passing(problem: TaskApiError, request: Request) -> bool:
    if problem.status == TOO_MANY:
        return True
    return request.may_repeat and (isinstance(problem, NoAnswer) or problem.status in PASSING)


def _pause(context: Context, problem: TaskApiError, tries: int) -> float:
    """Return how many seconds to wait, never quite the same, so that clients do not all come back at once."""
    chance = context.timing.random()
    if problem.retry_after is not None:
        return problem.retry_after + chance
    return float(min(8, 2 ** (tries - 2)) * (1 - chance / 4))


def problem_of(result: Union[Answer, Lost]) -> TaskApiError:
    """Return the error that says what is wrong."""
    if isinstance(result, Lost):
        return NoAnswer()
    problem = BY_STATUS.get(result.status, TaskApiError)(result.status, result.read(), result.headers)
    problem.retry_after = _seconds(result.headers.get("retry-after"))
    return problem


def _seconds(text: Optional[str]) -> Optional[float]:
    """Read a Retry-After: seconds, or a date (RFC 9110, section 10.2.3)."""
    if text is None:
        return None
    if text.strip().isdigit():
        return float(text)
    try:
        return max(0.0, (email.utils.parsedate_to_datetime(text) - datetime.now(timezone.utc)).total_seconds())
    except (TypeError, ValueError):
        return None


def get(path: str, **headers: str) -> Request:
    """Return a request that reads."""
    return Request("GET", path, headers=headers, may_repeat=True)


def without_repeat(request: Request) -> Request:
    """Return the request without a key, for calls that know none: it is not sent again when its answer was lost."""
    headers = {name: value for name, value in request.headers.items() if name != "Idempotency-Key"}
    return replace(request, headers=headers, may_repeat=False)
