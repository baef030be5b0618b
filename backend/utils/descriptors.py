"""Descriptors: each connection of a client and each to the database needs one, and a process has so many."""

from __future__ import annotations

import selectors
from contextlib import suppress

# More than macOS gives any process by setrlimit, which does not say so. An unlimited number is none that can be set.
_MAX_ON_MACOS = 10240
_MOST = 1_048_576

# Unlike others it needs no descriptor itself, which may be just what is missing. Windows has no other.
Selector: type[selectors.BaseSelector] = getattr(selectors, "PollSelector", selectors.DefaultSelector)


def raise_limit() -> None:
    """Let this process, and those that it starts, have as many descriptors as it may give itself."""
    with suppress(ImportError, OSError):  # on Windows; where a unit or a sandbox forbids it
        import resource  # noqa: PLC0415 - not on Windows, where this module must still import

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        for most in (_MOST if hard == resource.RLIM_INFINITY else hard, _MAX_ON_MACOS):
            if soft == resource.RLIM_INFINITY or most <= soft:
                return
            with suppress(ValueError):
                resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
                return


def limit() -> int:
    """Return how many descriptors this process may have."""
    with suppress(ImportError, OSError):
        import resource  # noqa: PLC0415

        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft != resource.RLIM_INFINITY:
            return soft
    return _MOST
