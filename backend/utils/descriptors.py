"""Descriptors: every client or database connection needs one, and a process has a limited number."""

from __future__ import annotations

import selectors
from contextlib import suppress

# macOS lets no process set more, but does not report this. `_MAX_LIMIT` replaces "unlimited", which cannot be set.
_MAX_ON_MACOS = 10240
_MAX_LIMIT = 1_048_576

# Unlike other selectors, it needs no descriptor of its own: they may have run out. Windows has only the default.
Selector: type[selectors.BaseSelector] = getattr(selectors, "PollSelector", selectors.DefaultSelector)


def raise_limit() -> None:
    """Raise the descriptor limit of this process, and of those it starts, as far as allowed."""
    with suppress(ImportError, OSError):  # on Windows; where a unit or a sandbox forbids it
        import resource  # noqa: PLC0415 - not on Windows, where this module must still import

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        for maximum in (_MAX_LIMIT if hard == resource.RLIM_INFINITY else hard, _MAX_ON_MACOS):
            if soft == resource.RLIM_INFINITY or maximum <= soft:
                return
            with suppress(ValueError):
                resource.setrlimit(resource.RLIMIT_NOFILE, (maximum, hard))
                return


def limit() -> int:
    """Return how many descriptors this process may have."""
    with suppress(ImportError, OSError):
        import resource  # noqa: PLC0415

        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft != resource.RLIM_INFINITY:
            return soft
    return _MAX_LIMIT
