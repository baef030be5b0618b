"""Errors, each with a code and a status. Independent of any framework; the API turns them into answers.

What only one resource can say is in the `rules.py` of that resource.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_HARMLESS = re.compile(r"[\w .\[\]-]{1,100}", re.ASCII)  # a client may have chosen the name of the field


@dataclass(frozen=True, slots=True)
class Detail:
    """One bad field: its location (`title`, `query.limit`), a code for programs and a sentence for people."""

    field: str
    code: str
    message: str

    @property
    def sentence(self) -> str:
        """Return what is wrong, beginning with the field, unless the message names it already."""
        is_named = self.code == "extra_forbidden" or not _HARMLESS.fullmatch(self.field)
        text = self.message if is_named else f"{self.field}: {self.message}"
        return text if text.endswith(("?", ".")) else f"{text}."


NO_PARAMETERS = "This call has no query parameters: leave them out"


class TaskAPIError(Exception):
    """An error that a client is told about. Subclasses fix the code, the HTTP status and the default message."""

    code = "INTERNAL_ERROR"
    status = 500
    message = "Something went wrong on our side. Try again; if it happens again, report the request id."

    def __init__(
        self,
        message: str | None = None,
        *,
        details: tuple[Detail, ...] = (),
        headers: dict[str, str] | None = None,
        data: str | None = None,
    ) -> None:
        super().__init__(message or self.message)
        self.message = message or self.message
        self.details = details
        self.headers = headers or {}
        self.data = data  # JSON sent next to the error


class InternalError(TaskAPIError):
    """A defect of ours. Reveals nothing; the details are in the log."""


class BadRequest(TaskAPIError):
    """The request refers to something that this service did not issue, or has a malformed header."""

    code = "BAD_REQUEST"
    status = 400
    message = "The request could not be understood."


class Unauthorized(TaskAPIError):
    """The token is missing or invalid. The header says which, as RFC 6750 section 3 requires."""

    code = "UNAUTHORIZED"
    status = 401
    message = "The request has no token. Send one in the header Authorization: Bearer TOKEN."
    malformed = (
        "The Authorization header has no bearer token. Send the header once: the word Bearer, a space and the token."
    )

    def __init__(self, message: str | None = None, *, invalid_token: bool = False) -> None:
        message = message or (self.malformed if invalid_token else None)
        challenge = 'Bearer error="invalid_token"' if invalid_token else "Bearer"
        super().__init__(message, headers={"WWW-Authenticate": challenge})


class Forbidden(TaskAPIError):
    """The token is valid, but not for this. The header names the missing scope (RFC 6750, section 3.1)."""

    code = "FORBIDDEN"
    status = 403
    message = "A personal access token cannot do this. Send the session JWT that you get when you sign in."

    def __init__(self, scope: str | None = None, *, details: tuple[Detail, ...] = ()) -> None:
        message = f"Your personal access token lacks the scope {scope}. Create one that has it." if scope else None
        named = f', scope="{scope}"' if scope else ""
        headers = {"WWW-Authenticate": f'Bearer error="insufficient_scope"{named}'}
        super().__init__(message, details=details, headers=headers)


class OutsideList(Forbidden):
    """The token is limited to one list, and this is outside of it."""

    message = "Your personal access token is limited to one list, and cannot do this."


class NotFound(TaskAPIError):
    """It does not exist, or belongs to another user: the answer is the same for both."""

    code = "NOT_FOUND"
    status = 404
    message = "There is nothing at this path. See /docs for all paths."


class MethodNotAllowed(TaskAPIError):
    """The path exists, the method does not. `Allow` lists those that do."""

    code = "METHOD_NOT_ALLOWED"
    status = 405
    message = "This path does not support this method. The Allow header lists those that it supports."


class RequestTimeout(TaskAPIError):
    """The client took too long to send its request. The connection is closed: more of that request may follow."""

    code = "REQUEST_TIMEOUT"
    status = 408
    message = "The request did not arrive in time. Send it again."

    def __init__(self) -> None:
        super().__init__(headers={"Connection": "close"})


class Conflict(TaskAPIError):
    """The request contradicts what is stored."""

    code = "CONFLICT"
    status = 409
    message = "You already have a task with this id, perhaps in the trash. Choose another id."


class NoRoom(Conflict):
    """More tasks or lists than may move would have to make room for one."""

    message = (
        "There is no room at this place: more than a thousand beside it have equal positions, or ones that are as long "
        "as can be. Move the task to another place, or some of those there first."
    )

    def __init__(self) -> None:
        super().__init__(details=(Detail("body", "no_room", self.message),))


class TooManySubtasks(Conflict):
    """More tasks would be below one, or around those that a request names, than there may be."""

    message = "There may be 1,000 tasks below one task, and 10,000 around those of one request. Send or move fewer."

    def __init__(self) -> None:
        super().__init__(details=(Detail("body", "too_many_subtasks", self.message),))


class TooManyChanges(Conflict):
    """A request would change more than it may, counting each change of the same task."""

    message = "A request may make 10,000 changes, counting tasks that go along. Send fewer operations at a time."

    def __init__(self) -> None:
        super().__init__(details=(Detail("body", "too_many_changes", self.message),))


class Gone(TaskAPIError):
    """The sync token cannot be continued from: changes after it were purged, or its revision never existed."""

    code = "GONE"
    status = 410
    message = "The changes after this sync token are not available. Discard your copy, and start again without since."


class PreconditionFailed(TaskAPIError):
    """The task is not as the client last saw it. The answer has its current state, so no further read is needed."""

    code = "PRECONDITION_FAILED"
    status = 412
    message = "The task is not in the state that your request expects, so nothing was changed. See data for its state."

    def __init__(self, current: str, revision: int, *, details: tuple[Detail, ...] = ()) -> None:
        super().__init__(headers={"ETag": f'"{revision}"'}, data=current, details=details)


class PayloadTooLarge(TaskAPIError):
    """The body is larger than the limit."""

    code = "PAYLOAD_TOO_LARGE"
    status = 413
    message = "The request body is too large. Send less at a time."


class AddressTooLong(TaskAPIError):
    """The path and the query together are longer than the limit."""

    code = "URI_TOO_LONG"
    status = 414
    message = "The URL is too long. Send fewer or shorter parameters."


class UnsupportedMediaType(TaskAPIError):
    """The body is not declared as JSON."""

    code = "UNSUPPORTED_MEDIA_TYPE"
    status = 415
    message = "The body is not declared as JSON. Send JSON with the header Content-Type: application/json."


class ValidationFailed(TaskAPIError):
    """The body or the query was read, but something in it is not acceptable. `details` names it."""

    code = "VALIDATION_ERROR"
    status = 422
    message = "The request has invalid or unknown fields; see details."


class PreconditionRequired(TaskAPIError):
    """In this deployment, every change of a task or a list must name the state that it expects (RFC 6585)."""

    code = "PRECONDITION_REQUIRED"
    status = 428
    message = "Send the ETag of the task or list in the If-Match header, or * to change it whatever its state."


class NotConfirmed(ValidationFailed):
    """The request would erase the account, but does not confirm it."""

    message = (
        "Nothing was erased. To erase your account and everything in it permanently, confirm with your user id: "
        "DELETE /api/me?confirm=ID. GET /api/me returns the id."
    )

    def __init__(self, unknown_parameters: Iterable[Detail] = ()) -> None:
        not_confirmed = Detail("query.confirm", "not_confirmed", "Must be your own user id")
        super().__init__(details=(not_confirmed, *unknown_parameters))


class KeyReused(ValidationFailed):
    """The Idempotency-Key was already used for another request."""

    message = "This Idempotency-Key was already used for another request. Use a new key for each new request."

    def __init__(self) -> None:
        super().__init__(details=(Detail("header.Idempotency-Key", "idempotency_key_reused", self.message),))


class RateLimited(TaskAPIError):
    """This user or this address has sent too many requests."""

    code = "RATE_LIMITED"
    status = 429
    message = "Too many requests."

    def __init__(self, retry_after_seconds: int = 1) -> None:
        seconds = f"{retry_after_seconds} second{'' if retry_after_seconds == 1 else 's'}"
        message = f"{self.message} Try again in {seconds}."
        super().__init__(message, headers={"Retry-After": str(retry_after_seconds)})


class TooManyStreams(RateLimited):
    """This user already has the maximum number of streams on this worker."""

    message = "You have too many change streams open: close one."


class TooManyExports(RateLimited):
    """This user already has the maximum number of running exports on this worker."""

    message = "You have too many exports running: wait until one has finished."


class TooManyImports(RateLimited):
    """This user already has the maximum number of running imports on this worker."""

    message = "You have too many imports running: wait until one has finished."


class HeadersTooLarge(TaskAPIError):
    """The headers are too many or too large."""

    code = "HEADERS_TOO_LARGE"
    status = 431
    message = "The request has too many headers, or they are too large. Send fewer; cookies count, too."


class UnknownTransferCoding(TaskAPIError):
    """The body has an unsupported transfer coding. The connection is closed, because the body's end is unknown."""

    code = "NOT_IMPLEMENTED"
    status = 501
    message = "The body has an unsupported transfer coding. Send it with Content-Length, or chunked."


class ServiceUnavailable(TaskAPIError):
    """Something we depend on does not answer. A write may have been applied or not; reading it back shows which."""

    code = "SERVICE_UNAVAILABLE"
    status = 503
    message = "The service is temporarily unavailable. Try again shortly."

    def __init__(self, message: str | None = None, *, retry_after_seconds: int = 1) -> None:
        super().__init__(message, headers={"Retry-After": str(retry_after_seconds)})


class ConfigurationError(Exception):
    """The service cannot start with these settings. The message says what to set."""
