"""Signing in at the service itself, where it has a sign-in of its own."""

from __future__ import annotations

from typing import Any, Optional

from task_api_client._core.context import Context
from task_api_client._core.sending import change, without_repeat
from task_api_client._core.sessions import data_of, forget, keep, without_token
from task_api_client._core.steps import Call
from task_api_client.values import Session


def methods(context: Context) -> Call[dict[str, Any]]:
    """Tell what is on: sign-in, sign-up, and how long passwords must be."""
    found: dict[str, Any] = yield from without_token(context, "")
    return found


def register(
    context: Context, email: str, password: str, *, name: Optional[str] = None, invitation: Optional[str] = None
) -> Call[Session]:
    """Make an account, and sign in. It may be repeated with the same password."""
    body = {"email": email, "password": password, "name": name, "invitation": invitation}
    return keep(context, (yield from without_token(context, "register", body)))


def login(context: Context, email: str, password: str) -> Call[Session]:
    """Sign in: all later calls are this user's, and renew the token themselves."""
    return keep(context, (yield from without_token(context, "login", {"email": email, "password": password})))


def logout(context: Context) -> Call[None]:
    """Sign out: here at once, even if the service cannot be reached to end the session."""
    session = context.session
    forget(context)
    if session is not None:
        yield from without_token(context, "logout", {"refresh_token": session.refresh_token})


def change_password(context: Context, current: str, new: str) -> Call[Session]:
    """Change the password. All other sessions end."""
    request = change("PUT", "/api/me/password", {"current": current, "new": new})
    return keep(context, (yield from data_of(context, without_repeat(request))))
