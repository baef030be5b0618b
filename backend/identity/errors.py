"""The errors of signing in, beside those of `backend/errors.py`."""

from __future__ import annotations

from backend.errors import Detail, NotFound, TaskAPIError, ValidationFailed


class SignInFailed(TaskAPIError):
    """Nobody signs in with this address and this password; the answer does not say which of them is wrong."""

    code = "SIGN_IN_FAILED"
    status = 401
    message = "The address or the password is not right."

    def __init__(self) -> None:
        super().__init__(headers={"WWW-Authenticate": "Bearer"})


class SessionEnded(TaskAPIError):
    """The refresh token is of no session that goes on; the answer does not say why."""

    code = "SESSION_ENDED"
    status = 401
    message = "This session has ended. Sign in again."

    def __init__(self) -> None:
        super().__init__(headers={"WWW-Authenticate": "Bearer"})


class SignUpClosed(TaskAPIError):
    """Only whoever has an invitation for the address may register here."""

    code = "SIGN_UP_CLOSED"
    status = 403
    message = "Only those who are invited can register here. Ask whoever runs this service for an invitation."


class EmailTaken(TaskAPIError):
    """Somebody has registered this address, with another password."""

    code = "EMAIL_TAKEN"
    status = 409
    message = "This address is registered already. Sign in, or register another one."


class SignInOff(NotFound):
    """This service has no sign-in of its own, or it is turned off."""

    message = "There is no sign-in here: get a token from the sign-in of your app."


class NoPassword(NotFound):
    """The user signs in elsewhere."""

    message = "Your account has no password here. Change it where you sign in."


class PasswordWrong(ValidationFailed):
    """The current password, which is needed to change it, is another one."""

    message = "This is not your current password."

    def __init__(self) -> None:
        super().__init__(details=(Detail("current", "password_wrong", self.message),))
