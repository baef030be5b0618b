"""What goes wrong. Every error of this package is a TaskApiError."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

from task_api_client._core.reading import read
from task_api_client.values import Detail, List, Task

NOT_ANSWERED = 0


class TaskApiError(Exception):
    """A call has failed: `status`, `code` and `details` say why, and `request_id` finds it in the service's logs."""

    def __init__(self, status: int, body: Any = None, headers: Optional[Mapping[str, str]] = None) -> None:
        found = body.get("error") if isinstance(body, dict) else None
        error = found if isinstance(found, dict) else {}  # a proxy in between does not know our errors
        super().__init__(error.get("message") or f"The service answered {status}.")
        self.status = status
        self.code: str = error.get("code", "UNKNOWN")
        self.details = [read(Detail, detail) for detail in error.get("details", [])]
        self.request_id: Optional[str] = error.get("request_id") or (headers or {}).get("x-request-id")
        self.retry_after: Optional[float] = None  # seconds
        self.unsure = False  # whether an earlier try of the same call may have been carried out


class NoAnswer(TaskApiError):
    """No answer came: a change may have been made or not."""

    def __init__(self) -> None:
        message = "No answer came. A change may have been made or not."
        super().__init__(NOT_ANSWERED, {"error": {"code": "NO_ANSWER", "message": message}})
        self.unsure = True


class Unauthorized(TaskApiError):
    """401: the token is missing, wrong or expired, or the session has ended."""


class NotFound(TaskApiError):
    """404."""


class Conflict(TaskApiError):
    """409."""


class PreconditionFailed(TaskApiError):
    """412: what was to be changed has changed meanwhile. `task` or `list` is as it is now."""

    def __init__(self, status: int, body: Any = None, headers: Optional[Mapping[str, str]] = None) -> None:
        super().__init__(status, body, headers)
        data = body.get("data") if isinstance(body, dict) else None
        is_task = isinstance(data, dict) and "title" in data
        self.task: Optional[Task] = read(Task, data) if data and is_task else None
        self.list: Optional[List] = read(List, data) if data and not is_task else None


class RateLimited(TaskApiError):
    """429: too many requests; `retry_after` is how many seconds to wait."""


BY_STATUS: dict[int, type[TaskApiError]] = {
    401: Unauthorized,
    404: NotFound,
    409: Conflict,
    412: PreconditionFailed,
    429: RateLimited,
}
