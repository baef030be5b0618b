"""OAuth 2's token request (RFC 6749): a form in, JSON without our envelope out, for errors as well."""

from __future__ import annotations

import json
from collections.abc import Iterable
from email.message import Message
from urllib.parse import parse_qsl

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Scope

from backend.api.http.envelope import error_response, message_of
from backend.api.http.paths import TOKEN_PATH
from backend.errors import RateLimited, ServiceUnavailable, TaskAPIError
from backend.identity.errors import SessionEnded, SignInFailed

FORM = "application/x-www-form-urlencoded"
MAX_FIELDS = 20

INVALID_REQUEST = "invalid_request"
INVALID_GRANT = "invalid_grant"
UNSUPPORTED_GRANT_TYPE = "unsupported_grant_type"
INVALID_SCOPE = "invalid_scope"
UNAVAILABLE = "temporarily_unavailable"
SERVER_ERROR = "server_error"
CODES = (INVALID_GRANT, INVALID_REQUEST, UNSUPPORTED_GRANT_TYPE, INVALID_SCOPE, UNAVAILABLE, SERVER_ERROR)

_BAD_REQUEST = 400
_SAID_OTHERWISE = {401, 403, 415, 422}  # what the RFC answers 400


class TokenRefused(TaskAPIError):
    """A token request that is refused for a reason which OAuth 2 has a code for."""

    code = "BAD_REQUEST"
    status = 400

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def fields_of(headers: Headers, body: bytes) -> dict[str, str]:
    """Read the fields of a form, without empty ones (section 3.2).

    Raises TokenRefused for what is no form, or has a field twice.
    """
    kind = Message()
    kind["content-type"] = headers.get("content-type", "")
    if kind.get_content_type() != FORM:
        raise TokenRefused(INVALID_REQUEST, f"Send a form, with the header Content-Type: {FORM}.")
    try:
        sent = parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError:  # UnicodeDecodeError is one
        raise TokenRefused(INVALID_REQUEST, f"The form has more than {MAX_FIELDS} fields, or is not UTF-8.") from None
    if _has_twice(name for name, _ in sent):
        raise TokenRefused(INVALID_REQUEST, "The form has a field twice.")
    return {name: value for name, value in sent if value}


def _has_twice(names: Iterable[str]) -> bool:
    every = [*names]
    return len(set(every)) < len(every)


def answer_of(error: TaskAPIError, scope: Scope, request_id: str) -> Response:
    """Return the answer to a request that failed: in our envelope, or as OAuth 2 has it."""
    if scope["path"] != TOKEN_PATH:
        return error_response(error, request_id)
    reason = _reason(error)
    status = _BAD_REQUEST if error.status in _SAID_OTHERWISE else error.status
    said = _printable(message_of(error.details) if error.details else error.message)
    body = {"error": reason, "error_description": said, "detail": said, "request_id": request_id}
    headers = {name: value for name, value in error.headers.items() if name != "WWW-Authenticate"}
    text = json.dumps(body, separators=(",", ":"))
    return Response(text, status, headers, media_type="application/json")


def _reason(error: TaskAPIError) -> str:
    """Return the code of section 5.2, or one of section 4.1.2.1 for what that does not foresee."""
    match error:
        case TokenRefused():
            return error.reason
        case SignInFailed() | SessionEnded():
            return INVALID_GRANT
        case RateLimited() | ServiceUnavailable():
            return UNAVAILABLE
    return SERVER_ERROR if error.status == TaskAPIError.status else INVALID_REQUEST


def _printable(text: str) -> str:
    """Leave out what an error_description must not have (section 5.2)."""
    return "".join(sign for sign in text if " " <= sign <= "~" and sign not in '"\\')
