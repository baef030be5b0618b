"""What people send to sign in, and what they get."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Strict, StringConstraints
from pydantic_core import PydanticCustomError

from backend.identity.email_address import MAX_EMAIL_LENGTH, read_email
from backend.identity.own_issuer import OWN_ISSUER
from backend.identity.password_rules import MAX_PASSWORD_LENGTH
from backend.models.base import Input, described
from backend.models.fields import UUID_EXAMPLE, Format, Name, StoredName, UserId, without_nul

MAX_SENT_LENGTH = 4096  # of a password or token: more is refused without a look at it

EMAIL_EXAMPLE = "anna@example.com"
PASSWORD_EXAMPLE = "seven green bottles"  # noqa: S105 - it opens nothing
REFRESH_EXAMPLE = (
    "rt1.AAECAwGXwfB6O3xNjl9qe4ydDh8Bl8Hwejt8TY5fanuMnQ4fAAAAAAAAAAB2p7cuT4M9nJ5dS1kq0wLxWv8bG3rYc6hUeZtQoXi1Eg"
)
ACCESS_EXAMPLE = "eyJhbGciOiJIUzI1NiIsImtpZCI6InRhc2stYXBpL3NpZ24taW4iLCJ0eXAiOiJKV1QifQ.eyJzdWIiOiJ4In0.AAAA"


def _email(value: str) -> str:
    try:
        return read_email(value)
    except ValueError:
        raise PydanticCustomError("email_format", f"Must be an address like {EMAIL_EXAMPLE}") from None


Email = Annotated[
    str, Strict(), StringConstraints(max_length=MAX_SENT_LENGTH), AfterValidator(_email), Format("address")
]
# How long it may be is judged later: of a new password only, and with a message of its own.
Password = Annotated[
    str, Strict(), StringConstraints(max_length=MAX_SENT_LENGTH), AfterValidator(without_nul), Format("password")
]
SentToken = Annotated[str, Strict(), StringConstraints(max_length=MAX_SENT_LENGTH), Format("text")]
StoredEmail = Annotated[str, StringConstraints(min_length=3, max_length=MAX_EMAIL_LENGTH), Format("text")]
TokenText = Annotated[str, StringConstraints(min_length=1, max_length=MAX_SENT_LENGTH), Format("text")]


class Login(Input):
    """Who signs in."""

    email: Email = described("Your address; its case does not matter", EMAIL_EXAMPLE)
    password: Password = described("Your password", PASSWORD_EXAMPLE)


class Registration(Login):
    """A new account."""

    name: Name | None = described("What to call you", "Anna", default=None)
    invitation: SentToken | None = described(
        "The invitation for this address, where registering needs one", "iv1.…", default=None
    )


class Renewal(Input):
    """The refresh token of a session."""

    refresh_token: SentToken = described("The last refresh token that you got", REFRESH_EXAMPLE)


class PasswordChange(Input):
    """A new password."""

    current: Password = described("Your password as it is", PASSWORD_EXAMPLE)
    new: Password = described("Your new password", "nine red balloons go by")


class SignedInUser(BaseModel):
    """The user who is signed in."""

    id: UserId = described("The user id, the `sub` of the access token", UUID_EXAMPLE)
    email: StoredEmail = described("The address, as it was registered", EMAIL_EXAMPLE)
    name: StoredName | None = described("What to call the user, or null", "Anna")


class TokenPair(BaseModel):
    """An access token, and what to renew it with."""

    access_token: TokenText = described("Send it as `Authorization: Bearer …`", ACCESS_EXAMPLE)
    token_type: Literal["bearer"] = described("Always `bearer`", "bearer")
    expires_in: int = described("In how many seconds the access token expires, from now on", 900, ge=1, le=86400)
    refresh_token: TokenText = described(
        "Send it to `POST /api/auth/refresh` for the next pair; keep it as secret as a password", REFRESH_EXAMPLE
    )


class SignedIn(TokenPair):
    """The user and the tokens of a new session."""

    user: SignedInUser = described("Who is signed in", {"id": UUID_EXAMPLE, "email": EMAIL_EXAMPLE, "name": "Anna"})


class PasswordLengths(BaseModel):
    """How long a password has to be."""

    min: int = described("The least length of a new password, in characters", 8, ge=8, le=64)
    max: int = described("The greatest length", MAX_PASSWORD_LENGTH, ge=64, le=MAX_PASSWORD_LENGTH)


class SignInInfo(BaseModel):
    """What is on."""

    sign_in: bool = described("Whether people sign in here", True)
    sign_up: bool = described("Whether anybody may register, or only whoever is invited", True)
    issuer: StoredName | None = described("The `iss` of its access tokens; null if the sign-in is off", OWN_ISSUER)
    password: PasswordLengths | None = described(
        "How long a password has to be; null if the sign-in is off", {"min": 8, "max": MAX_PASSWORD_LENGTH}
    )
