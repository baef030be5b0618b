"""What an error of the driver means, and what may be logged of it: nothing that users wrote, no part of a URL."""

from __future__ import annotations

import re
from typing import Any

import psycopg2
from psycopg2.errorcodes import (
    DEADLOCK_DETECTED,
    DUPLICATE_PREPARED_STATEMENT,
    FEATURE_NOT_SUPPORTED,
    INSUFFICIENT_PRIVILEGE,
    INVALID_PARAMETER_VALUE,
    INVALID_SQL_STATEMENT_NAME,
    READ_ONLY_SQL_TRANSACTION,
    SERIALIZATION_FAILURE,
)

from backend.database.guard import ROLE, ROLE_OF_LIST
from backend.errors import ServiceUnavailable

# SQLSTATEs that mean: nothing was done, and a retry may succeed.
_NOT_DONE = {SERIALIZATION_FAILURE, DEADLOCK_DETECTED, READ_ONLY_SQL_TRANSACTION}
# The server has lost what was prepared, has it already, or (FEATURE_NOT_SUPPORTED) a migration has changed its result.
_NOT_PREPARED = {INVALID_SQL_STATEMENT_NAME, DUPLICATE_PREPARED_STATEMENT, FEATURE_NOT_SUPPORTED}
# Classes of SQLSTATEs: the connection failed; the message quotes the bad value.
_CONNECTION_EXCEPTION, _DATA_EXCEPTION = "08", "22"

# The reason follows the address, or stands alone while a connection is being opened.
_AFTER_ADDRESS = re.compile(r"(?:failed: (?:FATAL: +)?|^FATAL: +)(.*)")
_CERTIFICATE = re.compile(r'^server certificate for "[^"]*" (does not match host name) "[^"]*"')
_HOST = re.compile(r'(?<=host name )"[^"]*"')
_QUOTED = re.compile(r'".*"')
_SPEECHLESS = "the driver does not say why: maybe there are no descriptors left"

# Errors that waiting does not fix. Others may pass, so missing one in another language only costs time.
_FOR_GOOD = re.compile(
    "authentication failed|does not exist|no pg_hba.conf entry|not permitted to log in"
    "|endpoint cannot be found|endpoint is disabled|Check your quotas|Endpoint ID is not specified"
    "|certificate verify failed|does not match host name|server does not support SSL|connection is insecure"
    "|root certificate|signature failure|channel binding|unsupported startup parameter"
    "|no password supplied|invalid sslmode value|invalid port number"
)
# What the operator can do about it; the first match counts.
_ADVICE = (
    ("translate host name|invalid port", "Check host and port in DATABASE_URL."),
    (
        "password|role .* does not exist|not permitted to log in",
        "Check user and password in DATABASE_URL, where special characters are percent-encoded.",
    ),
    ("database .* does not exist", "Create that database, or name another at the end of DATABASE_URL."),
    ("does not support SSL", "Turn TLS on at that server, or take sslmode out of DATABASE_URL."),
    ("pg_hba.conf|connection is insecure", "Add sslmode=require to DATABASE_URL, or let that server admit this login."),
    ("certificate|host name", "Set sslrootcert in DATABASE_URL to the file of who has signed that certificate."),
    ("channel binding", "Take channel_binding out of DATABASE_URL: that server or its pooler does not offer it."),
    ("startup parameter", "Set DATABASE_DIRECT_URL to the address without the pooler, beside DATABASE_URL."),
    ("response to SSL", "There is something else than Postgres: check host and port in DATABASE_URL."),
    ("[Ee]ndpoint|quotas", "Look at the console of the provider, and copy DATABASE_URL from there."),
    ("refused|timeout|timed out|not answer|unreachable|No route", "Check DATABASE_URL and that the server runs."),
)


class DatabaseUnavailable(ServiceUnavailable):
    """The database could not be reached in time, is full, or took too long. `reason` is for the log."""

    def __init__(self, reason: str = "") -> None:
        super().__init__()
        self.reason = reason


class Interrupted(DatabaseUnavailable):
    """The connection was lost mid-work, or the server aborted the work: retry if doing it twice is harmless.

    `may_be_done` says whether it may have been done anyway.
    """

    def __init__(self, reason: str = "", *, may_be_done: bool) -> None:
        super().__init__(reason)
        self.may_be_done = may_be_done


class RoleRefused(DatabaseUnavailable):
    """The login cannot switch to a role that row-level security binds: it is missing, or not granted."""

    def __init__(self, reason: str, *, role: str, is_missing: bool) -> None:
        super().__init__(reason)
        self.role = role
        self.is_missing = is_missing


class StatementRefused(Exception):
    """Postgres refused a statement. Gives the reason, but nothing from the rows involved."""

    def __init__(self, error: psycopg2.Error) -> None:
        super().__init__(reason(error))
        self.sqlstate: str | None = error.pgcode


def is_lost(connection: Any, error: BaseException) -> bool:
    """Return whether a connection is of no use after an error: it has failed, rather than the statement.

    The driver does not close every lost connection. A refusal by Postgres has an SQLSTATE, and so has the message of a
    pooler whose own connection was lost, of a class of its own. A read-only server is no longer the primary server.
    """
    if connection.closed or not isinstance(error, psycopg2.Error):  # a cancellation, for example, leaves work behind
        return True
    if error.pgcode is None:
        return not isinstance(error, psycopg2.ProgrammingError | psycopg2.DataError)
    return bool(error.pgcode == READ_ONLY_SQL_TRANSACTION or error.pgcode.startswith(_CONNECTION_EXCEPTION))


def is_about_prepared(error: BaseException) -> bool:
    """Return whether a statement failed only because it was prepared; nothing was done."""
    return getattr(error, "pgcode", None) in _NOT_PREPARED


def meaning_of(
    error: psycopg2.Error, *, is_connected: bool, may_be_done: bool
) -> DatabaseUnavailable | StatementRefused:
    """Translate an error of the driver, after which the connection may be lost, into one of ours.

    `may_be_done` says whether the work may have been done if it was lost while its last statement ran.
    """
    is_not_done = error.pgcode in _NOT_DONE or is_about_prepared(error)
    if not is_connected or is_not_done:
        return Interrupted(reason(error), may_be_done=may_be_done and not is_not_done)
    if isinstance(error, psycopg2.OperationalError):
        return DatabaseUnavailable(reason(error))
    # If the guard was refused, the message names the role, in any language; other refusals with these codes do not.
    is_about_role = error.pgcode in {INVALID_PARAMETER_VALUE, INSUFFICIENT_PRIVILEGE}
    role = next((role for role in (ROLE, ROLE_OF_LIST) if f'"{role}"' in _message_of(error)), None)
    if is_about_role and role:
        words = f"the role {role} cannot be taken on: {reason(error)}"
        return RoleRefused(words, role=role, is_missing=error.pgcode == INVALID_PARAMETER_VALUE)
    return StatementRefused(error)


def reason(error: BaseException) -> str:
    """Return the cause of an error in one line.

    From Postgres it takes the message without the details, which contain whole rows; from a failed connection, the text
    after the address, in which a badly encoded password may look like a host.
    """
    sqlstate = getattr(error, "pgcode", None)
    if sqlstate is None:
        match = _AFTER_ADDRESS.search(str(error)) or _CERTIFICATE.search(str(error))
        words = _HOST.sub('"…"', match[1]) if match else _QUOTED.sub('"…"', str(error).partition("\n")[0])
        return words or _SPEECHLESS
    name = f"{type(error).__name__} ({sqlstate})"
    return name if sqlstate.startswith(_DATA_EXCEPTION) else f"{name}: {_message_of(error)}"


def _message_of(error: BaseException) -> str:
    """Return only the message of Postgres."""
    return getattr(getattr(error, "diag", None), "message_primary", None) or ""


def is_for_good(error: BaseException) -> bool:
    """Return whether no connection is possible until an operator acts."""
    return bool(_FOR_GOOD.search(str(error)))


def advice(reason: str) -> str:
    """Return advice for a database that could not be reached for this reason."""
    return next((words for pattern, words in _ADVICE if re.search(pattern, reason)), "Check DATABASE_URL.")
