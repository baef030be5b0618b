"""Why Postgres refused something, in words that can be logged: nothing of what users wrote, and nothing of a URL."""

from __future__ import annotations

import re

# What says where it was stands behind the address, or, while a connection is being opened, alone.
_AFTER_ADDRESS = re.compile(r"(?:failed: (?:FATAL: +)?|^FATAL: +)(.*)")
_CERTIFICATE = re.compile(r'^server certificate for "[^"]*" (does not match host name) "[^"]*"')
_HOST = re.compile(r'(?<=host name )"[^"]*"')
_QUOTED = re.compile(r'".*"')
_DATA_EXCEPTION = "22"  # the class of SQLSTATEs whose message quotes the value that did not fit


def reason(error: BaseException | None) -> str:
    """Say in one line why an error of the driver came about.

    Of what Postgres says this takes the message without the details, which hold whole rows; of a connection that
    failed, what stands behind the address, in which a badly encoded password may look like a host.
    """
    sqlstate = getattr(error, "pgcode", None)
    if sqlstate is None:
        match = _AFTER_ADDRESS.search(str(error)) or _CERTIFICATE.search(str(error))
        return _HOST.sub('"…"', match[1]) if match else _QUOTED.sub('"…"', str(error).partition("\n")[0])
    name = f"{type(error).__name__} ({sqlstate})"
    return name if sqlstate.startswith(_DATA_EXCEPTION) else f"{name}: {message_of(error)}"


def message_of(error: BaseException | None) -> str:
    """Return the message of Postgres alone."""
    diagnostics = getattr(error, "diag", None)
    return getattr(diagnostics, "message_primary", None) or ""
