"""How the contract describes OAuth 2's token request, which has no envelope, and the sign-in of `/docs`."""

from __future__ import annotations

from copy import deepcopy
from typing import Annotated, Any

from pydantic import BaseModel, Field, StringConstraints

from backend.api.http.oauth import (
    CODES,
    FORM,
    INVALID_GRANT,
    INVALID_REQUEST,
    SERVER_ERROR,
    UNAVAILABLE,
)
from backend.api.http.paths import TOKEN_PATH
from backend.api.openapi.answers import example_of
from backend.api.openapi.operations import ALWAYS, Responses, named
from backend.errors import InternalError, PayloadTooLarge, RateLimited, RequestTimeout, ServiceUnavailable
from backend.identity.errors import SignInFailed, SignInOff
from backend.models.activity import MAX_REQUEST_ID, REQUEST_ID_EXAMPLE, REQUEST_ID_PATTERN
from backend.models.fields import Format
from backend.models.sign_in.calls import EMAIL_EXAMPLE, MAX_SENT_LENGTH, PASSWORD_EXAMPLE, REFRESH_EXAMPLE, TokenPair

SCHEME = "SignIn"
_JSON = "application/json"
_BEARER = "BearerToken"
_Code = Annotated[str, StringConstraints(max_length=50, pattern="^[a-z_]+$")]
_Description = Annotated[str, StringConstraints(min_length=1, max_length=500), Format("text")]


class OAuthError(BaseModel):
    """Why no token was issued, as RFC 6749 has it."""

    error: _Code = Field(description="What went wrong, for programs; more codes may be added", examples=[*CODES])
    error_description: _Description = Field(description="What went wrong, for people", examples=[SignInFailed.message])
    detail: _Description = Field(description="The same as `error_description`", examples=[SignInFailed.message])
    request_id: str = Field(
        description="Quote it when you ask for help",
        examples=[REQUEST_ID_EXAMPLE],
        max_length=MAX_REQUEST_ID,
        pattern=REQUEST_ID_PATTERN,
    )


def _text(description: str, example: str, **more: Any) -> dict[str, Any]:
    return {"type": "string", "maxLength": MAX_SENT_LENGTH, "description": description, "examples": [example], **more}


TOKEN_FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            FORM: {
                "schema": {
                    "type": "object",
                    "title": "TokenForm",
                    "description": "The grant, and what it needs. Other fields are ignored.",
                    "required": ["grant_type"],
                    "properties": {
                        "grant_type": {
                            "type": "string",
                            "maxLength": MAX_SENT_LENGTH,
                            "pattern": "^(password|refresh_token)$",
                            "description": "With `password` send `username` and `password`, else `refresh_token`",
                            "examples": ["password"],
                        },
                        "username": _text("The address", EMAIL_EXAMPLE, format="address"),
                        "password": _text("The password", PASSWORD_EXAMPLE, format="password"),
                        "refresh_token": _text("The last refresh token", REFRESH_EXAMPLE, format="text"),
                    },
                },
                "example": {"grant_type": "password", "username": EMAIL_EXAMPLE, "password": PASSWORD_EXAMPLE},
            }
        },
    }
}


def _refused(status: int, reason: str, said: str, *headers: str) -> Responses:
    example = {"error": reason, "error_description": said, "detail": said, "request_id": REQUEST_ID_EXAMPLE}
    content = {_JSON: {"example": example}}
    return {status: {"model": OAuthError, "description": said, "headers": ALWAYS | named(*headers), "content": content}}


TOKEN_RESPONSES: Responses = {
    200: {
        "description": "The tokens",
        "headers": ALWAYS,
        "model": TokenPair,
        "content": {_JSON: {"example": example_of(TokenPair)}},
    },
    **_refused(400, INVALID_GRANT, SignInFailed.message),
    **_refused(404, INVALID_REQUEST, SignInOff.message),
    **_refused(408, INVALID_REQUEST, RequestTimeout.message),
    **_refused(413, INVALID_REQUEST, PayloadTooLarge.message),
    **_refused(429, UNAVAILABLE, RateLimited().message, "Retry-After"),
    **_refused(500, SERVER_ERROR, InternalError.message),
    **_refused(503, UNAVAILABLE, ServiceUnavailable.message, "Retry-After"),
}

_PASSWORD_FLOW = {
    "type": "oauth2",
    "description": "With the address and the password of an account of this service, if it has a sign-in of its own. "
    "For trying calls out here and for your own scripts; pages use `POST /api/auth/login`. The token is a JWT, checked "
    "as RFC8725 recommends.",
    "flows": {"password": {"tokenUrl": TOKEN_PATH, "refreshUrl": TOKEN_PATH, "scopes": {}}},
}


def add_sign_in(contract: dict[str, Any]) -> None:
    """Let whoever tries calls out sign in instead of pasting a token."""
    contract["components"]["securitySchemes"][SCHEME] = deepcopy(_PASSWORD_FLOW)
    for methods in contract["paths"].values():
        for operation in methods.values():
            if {_BEARER: []} in operation.get("security", []):
                operation["security"].append({SCHEME: []})
