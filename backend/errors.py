"""Errors, each with a code and a status. Independent of any framework; the API turns them into answers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Detail:
    """One bad field: its location (`title`, `query.limit`), a code for programs and a sentence for people."""

    field: str
    code: str
    message: str


UNKNOWN_NAME = "There is nothing of this name here: check its spelling"  # for a field or a parameter
BLANK = "Send some text: blanks alone do not count"
# Replaces messages of the validator that would not tell a beginner what to do.
PLAIN_WORDS = {"extra_forbidden": UNKNOWN_NAME, "missing": "This is required: send it", "string_too_short": BLANK}


class TaskAPIError(Exception):
    """An error that a client is told about. Subclasses fix the code, the HTTP status and the default message."""

    code = "INTERNAL_ERROR"
    status = 500
    message = "Something went wrong on our side. Try again, and quote the request id if it stays."

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
        "The header Authorization has no bearer token. It reads Bearer, a blank and the token, and is there once."
    )

    def __init__(self, message: str | None = None, *, invalid_token: bool = False) -> None:
        message = message or (self.malformed if invalid_token else None)
        challenge = 'Bearer error="invalid_token"' if invalid_token else "Bearer"
        super().__init__(message, headers={"WWW-Authenticate": challenge})


class Forbidden(TaskAPIError):
    """The token is valid, but not for this. The header names the missing scope (RFC 6750, section 3.1)."""

    code = "FORBIDDEN"
    status = 403
    message = "This takes the token of your sign-in: a personal access token cannot do it."

    def __init__(self, scope: str | None = None) -> None:
        message = scope and f"Your personal access token lacks the scope {scope}. Make one that has it."
        named = f', scope="{scope}"' if scope else ""
        super().__init__(message, headers={"WWW-Authenticate": f'Bearer error="insufficient_scope"{named}'})


class NotFound(TaskAPIError):
    """It does not exist, or belongs to another user: the answer is the same for both."""

    code = "NOT_FOUND"
    status = 404
    message = "There is nothing at this address. None ends with a slash, and /docs lists them all."


class TaskNotFound(NotFound):
    """A missing, deleted, foreign or malformed task id; the answer does not say which."""

    message = "There is no such task. Check its id; if it was deleted, restore brings it back."


class AccessTokenNotFound(NotFound):
    """A missing, revoked, foreign or malformed id of a personal access token; the answer does not say which."""

    message = "There is no such token. Check its id: GET /api/me/tokens lists those you have."


class MethodNotAllowed(TaskAPIError):
    """The path exists, the method does not. `Allow` lists those that do."""

    code = "METHOD_NOT_ALLOWED"
    status = 405
    message = "This address does not support that method; the Allow header lists those it does."


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
    message = "This id is that of another task of yours, or of one in the trash. Choose another id."


class TooManyTasks(Conflict):
    """The user already has the maximum number of tasks."""

    message = "Your account is full: deleted tasks count until they are gone. Delete some with permanent=true."

    def __init__(self) -> None:
        super().__init__(details=(Detail("body", "too_many_tasks", self.message),))


class TooManyAccessTokens(Conflict):
    """The user already has the maximum number of personal access tokens."""

    message = "You have as many personal access tokens as you can have. Revoke one that you do not need."

    def __init__(self) -> None:
        super().__init__(details=(Detail("body", "too_many_tokens", self.message),))


class Gone(TaskAPIError):
    """The sync token cannot be continued from: changes after it were purged, or its revision never existed."""

    code = "GONE"
    status = 410
    message = "The history cannot be continued from there. Forget your copy, and start over without since."


class PreconditionFailed(TaskAPIError):
    """The task is not as the client last saw it. The answer has its current state, so no further read is needed."""

    code = "PRECONDITION_FAILED"
    status = 412
    message = "The task is not as your request expects it. See data for how it is now; nothing was changed."

    def __init__(self, current: str, revision: int, *, details: tuple[Detail, ...] = ()) -> None:
        super().__init__(headers={"ETag": f'"{revision}"'}, data=current, details=details)


class PayloadTooLarge(TaskAPIError):
    """The body is larger than the limit."""

    code = "PAYLOAD_TOO_LARGE"
    status = 413
    message = "The request body is too large. Send less of it at a time."


class AddressTooLong(TaskAPIError):
    """The path and the query together are longer than the limit."""

    code = "URI_TOO_LONG"
    status = 414
    message = "The address of the request is too long. Send fewer or shorter parameters."


class UnsupportedMediaType(TaskAPIError):
    """The body is not declared as JSON."""

    code = "UNSUPPORTED_MEDIA_TYPE"
    status = 415
    message = "The body is not declared as JSON. Send JSON, with the header Content-Type: application/json."


class ValidationFailed(TaskAPIError):
    """The body or the query was read, but something in it is not acceptable. `details` names it."""

    code = "VALIDATION_ERROR"
    status = 422
    message = "The request has invalid or unknown fields; see details."


class PreconditionRequired(TaskAPIError):
    """In this deployment, every change of a task must name the state that it expects (RFC 6585)."""

    code = "PRECONDITION_REQUIRED"
    status = 428
    message = "Send the ETag of the task as you know it in the header If-Match, or * to change it as it is."


class NotConfirmed(ValidationFailed):
    """The request would erase the account, but does not confirm it."""

    message = (
        "Nothing was erased. To erase your account and everything in it for good, send your user id as confirm: "
        "DELETE /api/me?confirm=ID, with the id that GET /api/me answers."
    )

    def __init__(self, unknown_parameters: Iterable[str] = ()) -> None:
        unknown = (Detail(f"query.{name}", "extra_forbidden", UNKNOWN_NAME) for name in unknown_parameters)
        super().__init__(details=(Detail("query.confirm", "not_confirmed", "Send your own user id here"), *unknown))


class KeyReused(ValidationFailed):
    """The Idempotency-Key was already used for another request."""

    message = "This Idempotency-Key was used for another request. Use a new key for a new request."

    def __init__(self) -> None:
        super().__init__(details=(Detail("header.Idempotency-Key", "idempotency_key_reused", self.message),))


class RateLimited(TaskAPIError):
    """This user or this address has sent too many requests."""

    code = "RATE_LIMITED"
    status = 429
    message = "You have sent too many requests. Wait for the number of seconds in the header Retry-After."

    def __init__(self, retry_after_seconds: int = 1) -> None:
        super().__init__(headers={"Retry-After": str(retry_after_seconds)})


class TooManyStreams(RateLimited):
    """This user already has the maximum number of streams on this worker."""

    message = "You have too many streams of changes open. Close one, or wait and try again."


class TooManyExports(RateLimited):
    """This user already has the maximum number of running exports on this worker."""

    message = "You have too many exports under way. Wait until one is done, and try again."


class TooManyImports(RateLimited):
    """This user already has the maximum number of running imports on this worker."""

    message = "You have too many imports under way. Wait until one is done, and try again."


class HeadersTooLarge(TaskAPIError):
    """The headers are too many or too large."""

    code = "HEADERS_TOO_LARGE"
    status = 431
    message = "The headers of the request are too many or too large. Send fewer; cookies are among them."


class UnknownTransferCoding(TaskAPIError):
    """The body has an unsupported transfer coding. The connection is closed, because the body's end is unknown."""

    code = "NOT_IMPLEMENTED"
    status = 501
    message = "The body is in a transfer coding that is not known here. Send it with Content-Length, or chunked."


class ServiceUnavailable(TaskAPIError):
    """Something we depend on does not answer. A write may have been applied or not; reading it back shows which."""

    code = "SERVICE_UNAVAILABLE"
    status = 503
    message = "The service cannot answer right now. Try again shortly."

    def __init__(self, message: str | None = None, *, retry_after_seconds: int = 1) -> None:
        super().__init__(message, headers={"Retry-After": str(retry_after_seconds)})


class ConfigurationError(Exception):
    """The service cannot start with these settings. The message says what to set."""
