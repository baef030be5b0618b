"""task-api users: for those who forgot their password, and for those who may register."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime, timedelta
from getpass import getpass

from backend.commands.database import set_up
from backend.commands.sessions import sessions_on_database
from backend.commands.token import with_key
from backend.config import load_settings
from backend.errors import ConfigurationError, ValidationFailed
from backend.identity.from_settings import sign_in_secrets_of
from backend.identity.invitations import Invitations
from backend.identity.password_hash import hash_password
from backend.identity.password_rules import judge_password
from backend.services.sign_in.service import CredentialsService, SignInService


def run(options: argparse.Namespace) -> None:
    """Set a password, or invite."""
    if options.action == "invite":
        _invite(options)
    else:
        _set_password(options)


def _set_password(options: argparse.Namespace) -> None:
    settings = set_up()
    password = _read_password()
    with sessions_on_database(settings) as sessions:
        found = CredentialsService(sessions).find(options.email)
        if found is None:
            raise ConfigurationError(f"nobody has registered {options.email}")
        try:
            judge_password(
                password,
                minimum=settings.least_password_length,
                email=found.email,
                name=found.name,
                field="the password",
            )
        except ValidationFailed as refused:
            raise ConfigurationError(refused.details[0].sentence) from None
        SignInService(sessions, found.user_id).replace_password(hash_password(password))
    done = f"{found.email} has a new password, and is signed out everywhere"
    print(json.dumps({"user_id": found.user_id, "email": found.email}) if options.json else done)


def _read_password() -> str:
    """Return what is typed twice at the terminal, or the first line of standard input."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().removesuffix("\n").removesuffix("\r")
    password = getpass("New password: ")
    if getpass("Once more: ") != password:
        raise ConfigurationError("the two passwords differ")
    return password


def _invite(options: argparse.Namespace) -> None:
    secrets = sign_in_secrets_of(with_key(load_settings()))
    if secrets is None:
        raise ConfigurationError("the sign-in is off: set SIGN_IN=true and SIGN_IN_SECRET, as for the service")
    now = datetime.now(UTC)
    invitation = Invitations(secrets).new(options.email, now, options.days)
    ends_at = (now + timedelta(days=options.days)).isoformat(timespec="seconds")
    said = {"email": options.email, "invitation": invitation, "ends_at": ends_at}
    print(json.dumps(said) if options.json else invitation)
