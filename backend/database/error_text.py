"""Why Postgres refused something, in a form that is safe to log: without user data and without parts of a URL."""

from __future__ import annotations

import re

# The reason follows the address, or stands alone while a connection is being opened.
_AFTER_ADDRESS = re.compile(r"(?:failed: (?:FATAL: +)?|^FATAL: +)(.*)")
_CERTIFICATE = re.compile(r'^server certificate for "[^"]*" (does not match host name) "[^"]*"')
_HOST = re.compile(r'(?<=host name )"[^"]*"')
_QUOTED = re.compile(r'".*"')
_SPEECHLESS = "the driver does not say why: maybe there are no descriptors left"
_DATA_EXCEPTION = "22"  # the class of SQLSTATEs whose messages quote the bad value

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


def advice(reason: str) -> str:
    """Return advice for a database that could not be reached for this reason."""
    return next((words for pattern, words in _ADVICE if re.search(pattern, reason)), "Check DATABASE_URL.")


def reason(error: BaseException | None) -> str:
    """Return the cause of a driver error in one line.

    From Postgres it takes the message without the details, which contain whole rows; from a failed connection, the text
    after the address, in which a badly encoded password may look like a host.
    """
    sqlstate = getattr(error, "pgcode", None)
    if sqlstate is None:
        match = _AFTER_ADDRESS.search(str(error)) or _CERTIFICATE.search(str(error))
        words = _HOST.sub('"…"', match[1]) if match else _QUOTED.sub('"…"', str(error).partition("\n")[0])
        return words or _SPEECHLESS
    name = f"{type(error).__name__} ({sqlstate})"
    return name if sqlstate.startswith(_DATA_EXCEPTION) else f"{name}: {message_of(error)}"


def message_of(error: BaseException | None) -> str:
    """Return only the message of Postgres."""
    diagnostics = getattr(error, "diag", None)
    return getattr(diagnostics, "message_primary", None) or ""
