"""Addresses by which people sign in. No mail is ever sent to them, so they are hardly judged."""

from __future__ import annotations

import re
import unicodedata

MAX_EMAIL_LENGTH = 254  # RFC 5321, section 4.5.3.1, without the brackets

_EMAIL = re.compile(r"[^\s@\x00-\x1f\x7f-\x9f\ud800-\udfff]+@[^\s@\x00-\x1f\x7f-\x9f\ud800-\udfff]+")


def read_email(text: str) -> str:
    """Return an address trimmed and in NFC; raises ValueError unless it has an @ with something on both sides."""
    email = unicodedata.normalize("NFC", text.strip())
    if len(email) > MAX_EMAIL_LENGTH or not _EMAIL.fullmatch(email):
        raise ValueError("not an address")
    return email


def email_key(email: str) -> str:
    """Return by what an address is found: the same for all ways to write it, whatever the case."""
    # To fold the case may take a text out of NFC.
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", email.strip()).casefold())
