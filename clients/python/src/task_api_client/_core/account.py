"""The calls of the account and its personal access tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Optional

from task_api_client._core.context import Context
from task_api_client._core.reading import read
from task_api_client._core.sending import change, path_of, without_repeat
from task_api_client._core.sending import get as reading
from task_api_client._core.sessions import data_of, send
from task_api_client._core.steps import Call
from task_api_client._core.tasks import removal
from task_api_client.inputs import Scope
from task_api_client.values import AccessToken, Account


def get_account(context: Context) -> Call[Account]:
    """Read who the token belongs to."""
    return read(Account, (yield from data_of(context, reading(path_of("me")))))


def update_account(context: Context, *, timezone: Optional[str]) -> Call[Account]:
    """Set the time zone, such as "Europe/Berlin"."""
    return read(Account, (yield from data_of(context, change("PATCH", path_of("me"), {"timezone": timezone}))))


def export_account(context: Context) -> Call[bytes]:
    """Export all that is stored, as JSON lines."""
    return (yield from send(context, reading(path_of("me", "export")))).content


def erase_account(context: Context, *, confirm: str) -> Call[None]:
    """Erase the account and all its data, for good. `confirm` is the id of the user."""
    yield from send(context, change("DELETE", path_of("me", query={"confirm": confirm})))


def list_tokens(context: Context) -> Call[list[AccessToken]]:
    """List the personal access tokens, without their secrets."""
    return [read(AccessToken, item) for item in (yield from data_of(context, reading(path_of("me", "tokens"))))]


def create_token(
    context: Context, name: str, *, scopes: Sequence[Scope], expires_in_days: int, list_id: Optional[str] = None
) -> Call[AccessToken]:
    """Make a personal access token, for one list if `list_id` says so. Its `token` is shown only now."""
    body = {"name": name, "scopes": list(scopes), "expires_in_days": expires_in_days}
    if list_id is not None:
        body["list_id"] = list_id
    request = without_repeat(change("POST", path_of("me", "tokens"), body))
    return read(AccessToken, (yield from data_of(context, request)))


def remove_token(context: Context, token_id: str) -> Call[None]:
    """Revoke a personal access token."""
    yield from removal(context, change("DELETE", path_of("me", "tokens", token_id)))
