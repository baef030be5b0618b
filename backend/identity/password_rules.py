"""Which passwords people may choose: long ones that nobody guesses early.

As NIST SP 800-63B-4 (section 3.1.1.2) has it, no kind of character is demanded, and no password expires.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from backend.errors import Detail, ValidationFailed

MAX_PASSWORD_LENGTH = 1024

_MAX_PIECE = 10  # characters of what is only repeated
_MIN_WORD = 3  # characters of a name that is worth to be refused
_SERVICE = ("taskapi", "task api", "task-api")
_ROWS = ("1234567890" * 3, "abcdefghijklmnopqrstuvwxyz" * 2, "qwertyuiopasdfghjklzxcvbnm", "qwertzuiopasdfghjklyxcvbnm")
_AROUND = "0123456789 !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"  # what people put around a word to make it longer


def judge_password(password: str, *, minimum: int, email: str, name: str | None, field: str = "password") -> None:
    """Refuse a password that is too short or too long, or that is guessed early. Raises ValidationFailed.

    Its length is counted in code points after NFC. `field` is where it stands in the request.
    """
    if len(password) > MAX_PASSWORD_LENGTH:
        raise _refused(field, "password_long", f"Must have at most {MAX_PASSWORD_LENGTH:,} characters")
    chosen = unicodedata.normalize("NFC", password)
    if len(chosen) < minimum:
        message = f"Must have at least {minimum} characters. Some words that nobody else would put together are enough"
        raise _refused(field, "password_short", message)
    if _is_guessed(_folded(chosen), set(_own_words(email, name))):
        message = "Is among the first that are tried: a common password, a name, or something repeated. Choose another"
        raise _refused(field, "password_common", message)


def _refused(field: str, code: str, message: str) -> ValidationFailed:
    return ValidationFailed(details=(Detail(field, code, message),))


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text.casefold())


def _own_words(email: str, name: str | None) -> Iterator[str]:
    """Give what somebody who knows this person would try."""
    folded = _folded(unicodedata.normalize("NFC", email))
    local, _, domain = folded.partition("@")
    yield from (folded, local, domain, *_SERVICE)
    if name:
        full = _folded(unicodedata.normalize("NFC", name))
        yield from (full, *full.split(), "".join(full.split()))


def _is_guessed(password: str, words: set[str]) -> bool:
    from backend.identity.common_passwords import is_common  # noqa: PLC0415

    inside = password.strip(_AROUND)
    return (
        any(is_common(text) or (text in words and len(text) >= _MIN_WORD) for text in (password, inside))
        or any(password in row or password[::-1] in row for row in _ROWS)
        or any(_is_repeated(password, size) for size in range(1, _MAX_PIECE + 1))
    )


def _is_repeated(password: str, size: int) -> bool:
    """Return whether a password is its own beginning again and again; the last time may be cut off."""
    return len(password) >= 2 * size and password[size:] == password[:-size]
