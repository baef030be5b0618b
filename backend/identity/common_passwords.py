"""The passwords that are tried first. Reading the list takes a moment, so it is read when the first one is judged."""

from __future__ import annotations

from zxcvbn.matching import RANKED_DICTIONARIES

_COMMON = RANKED_DICTIONARIES["passwords"]  # 30,000 in lower case, out of passwords that were stolen elsewhere


def is_common(password: str) -> bool:
    """Return whether a password in lower case is among those that people choose most often."""
    return password in _COMMON
