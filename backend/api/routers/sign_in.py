"""/api/auth: register, log in, stay signed in, log out. And /api/me/password."""

from __future__ import annotations

from typing import Annotated, TypeVar

from fastapi import Body, Request, Response
from pydantic import ValidationError

from backend.api.deps import ClientAddress, OwnPassword, OwnSignIn, SignInState
from backend.api.http.envelope import data_response
from backend.api.http.oauth import INVALID_REQUEST, INVALID_SCOPE, UNSUPPORTED_GRANT_TYPE, TokenRefused, fields_of
from backend.api.http.paths import SIGN_IN
from backend.api.openapi.answers import SignedInAnswer, SignInAnswer, TokenPairAnswer
from backend.api.openapi.operations import errors, invalid, success
from backend.api.openapi.sign_in import TOKEN_FORM, TOKEN_RESPONSES
from backend.api.routers.router import OpenRouter, Router
from backend.errors import RateLimited
from backend.identity.errors import (
    EmailTaken,
    NoPassword,
    PasswordWrong,
    SessionEnded,
    SignInFailed,
    SignInOff,
    SignUpClosed,
)
from backend.models.base import first_problem
from backend.models.sign_in.calls import (
    EMAIL_EXAMPLE,
    PASSWORD_EXAMPLE,
    REFRESH_EXAMPLE,
    Login,
    PasswordChange,
    Registration,
    Renewal,
    TokenPair,
)

router = OpenRouter(SIGN_IN, "sign-in")
password_router = Router("/api/me/password", "account")

NewAccount = Annotated[
    Registration,
    Body(
        openapi_examples={
            "new": {
                "summary": "A new account",
                "value": {"email": EMAIL_EXAMPLE, "password": PASSWORD_EXAMPLE, "name": "Anna"},
            },
        }
    ),
]
Credentials = Annotated[
    Login,
    Body(
        openapi_examples={
            "log in": {"summary": "Log in", "value": {"email": EMAIL_EXAMPLE, "password": PASSWORD_EXAMPLE}}
        }
    ),
]
Refresh = Annotated[
    Renewal,
    Body(openapi_examples={"token": {"summary": "The last token", "value": {"refresh_token": REFRESH_EXAMPLE}}}),
]
NewPassword = Annotated[
    PasswordChange,
    Body(
        openapi_examples={
            "change": {
                "summary": "Change it",
                "value": {"current": PASSWORD_EXAMPLE, "new": "nine red balloons go by"},
            }
        }
    ),
]
_Form = TypeVar("_Form", Login, Renewal)
_SHORT = invalid("password", "password_short", "Must have at least 15 characters")
_NO_ADDRESS = invalid("email", "email_format", f"Must be an address like {EMAIL_EXAMPLE}")
_NO_TOKEN = invalid("refresh_token", "missing", "Is missing")


@router.get("", summary="Find out whether people sign in here", responses=success(200, "What is on", SignInAnswer))
async def get_sign_in(info: SignInState) -> Response:
    """Find out whether people sign in here, whether they may register, and how long passwords have to be.

    A sign-in of your own, such as Better Auth, may be on as well or instead: its tokens do not come from here.
    """
    return data_response(info.model_dump_json())


@router.post(
    "/register",
    summary="Register",
    status_code=201,
    responses=success(201, "The account is made, and you are signed in", SignedInAnswer)
    | success(200, "You had this account, and are signed in", SignedInAnswer)
    | errors(SignInOff, SignUpClosed, EmailTaken, RateLimited, _SHORT),
)
async def register(sign_in: OwnSignIn, address: ClientAddress, data: NewAccount) -> Response:
    """Register with an address and a password, and sign in. No mail is sent, and the address is not checked.

    To send the same request again is safe: with the right password you are signed in, as by `POST /api/auth/login`.
    Passwords are not trimmed, and only need a least length. A password that everybody tries first is refused.
    """
    signed_in, is_new = await sign_in.register(data, address)
    return data_response(signed_in.model_dump_json(), status=201 if is_new else 200)


@router.post(
    "/login",
    summary="Log in",
    responses=success(200, "You are signed in", SignedInAnswer)
    | errors(SignInOff, SignInFailed, RateLimited, _NO_ADDRESS),
)
async def log_in(sign_in: OwnSignIn, address: ClientAddress, data: Credentials) -> Response:
    """Log in with an address and a password.

    Send `access_token` with every call as `Authorization: Bearer …`. Before it expires, `POST /api/auth/refresh` gives
    you the next one. An unknown address and a wrong password get the same answer.
    """
    return data_response((await sign_in.log_in(data, address)).model_dump_json())


@router.post(
    "/refresh",
    summary="Stay signed in",
    responses=success(200, "The next tokens", TokenPairAnswer) | errors(SignInOff, SessionEnded, _NO_TOKEN),
)
async def refresh(sign_in: OwnSignIn, data: Refresh) -> Response:
    """Get a new access token, and the next refresh token, which replaces the one you sent.

    Store the new one before you use it. If the answer is lost, or two tabs refresh at once, send the same token again:
    it gets the same next token for a minute, and later at most three times in a week. A token from before that ends the
    session, because somebody may have stolen it. Sign in again when the answer is 401, and only then.

    A session ends 30 days after its last refresh, and 180 days after its login. You can have 100 sessions; another
    login ends the oldest.
    """
    return data_response((await sign_in.refresh(data.refresh_token)).model_dump_json())


@router.post(
    "/logout",
    summary="Log out",
    status_code=204,
    responses=success(204, "The session has ended") | errors(SignInOff, _NO_TOKEN),
)
async def log_out(sign_in: OwnSignIn, data: Refresh) -> Response:
    """End the session of a refresh token. Access tokens that you got in it expire within 15 minutes.

    A token of no session is fine: there is nothing to end.
    """
    await sign_in.log_out(data.refresh_token)
    return Response(status_code=204)


@router.post("/token", summary="Get a token (OAuth 2)", responses=TOKEN_RESPONSES, openapi_extra=TOKEN_FORM)
async def issue_token(sign_in: OwnSignIn, address: ClientAddress, request: Request) -> Response:
    """Get tokens by OAuth 2's password grant or refresh grant (RFC 6749, sections 4.3 and 6).

    For *Authorize* in these pages and for your own scripts; a page uses `POST /api/auth/login`. There are no clients to
    register and no scopes: `Authorization` and `client_id` are ignored. Answers and errors are those of the RFC,
    without `data`.
    """
    fields = fields_of(request.headers, await request.body())
    if "scope" in fields:
        raise TokenRefused(INVALID_SCOPE, "There are no scopes here: leave it out.")
    pair: TokenPair
    match fields.get("grant_type"):
        case "password":
            signed_in = await sign_in.log_in(_read(Login, fields, email="username", password="password"), address)  # noqa: S106
            pair = TokenPair.model_validate(signed_in.model_dump(exclude={"user"}))
        case "refresh_token":
            pair = await sign_in.refresh(_read(Renewal, fields, refresh_token="refresh_token").refresh_token)  # noqa: S106
        case None:
            raise TokenRefused(INVALID_REQUEST, "The form has no grant_type.")
        case _:
            raise TokenRefused(UNSUPPORTED_GRANT_TYPE, "The grant_type must be password or refresh_token.")
    return Response(pair.model_dump_json(), media_type="application/json")


def _read(model: type[_Form], fields: dict[str, str], **names: str) -> _Form:
    """Read what a grant needs from the fields with these names; raises TokenRefused."""
    if missing := [field for field in names.values() if field not in fields]:
        raise TokenRefused(INVALID_REQUEST, f"This grant_type needs the field {missing[0]}.")
    try:
        return model.model_validate({name: fields[field] for name, field in names.items()})
    except ValidationError as error:
        raise TokenRefused(INVALID_REQUEST, first_problem(error).sentence) from None


@password_router.put(
    "",
    summary="Change the password",
    responses=success(200, "The password is changed", TokenPairAnswer) | errors(NoPassword, PasswordWrong, RateLimited),
)
async def change_password(password: OwnPassword, address: ClientAddress, data: NewPassword) -> Response:
    """Change your password. All your sessions end; the answer has the tokens of a new one.

    Access tokens of the other sessions expire within 15 minutes. Personal access tokens stay: revoke them if they may
    be in the wrong hands.
    """
    return data_response((await password.change(data, address)).model_dump_json())
