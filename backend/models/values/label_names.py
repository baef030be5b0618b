"""Names of labels, and which of them are the same label.

They are if they differ only in case, in how a letter is composed, in full and half width, in white space, or in
characters that cannot be seen. I, i, \u0130 and \u0131 are one letter: the language decides which are a pair.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from backend.utils.visible_text import FORMAT_CHARACTERS

MAX_LABEL_LENGTH = 60
MAX_LABELS_OF_TASK = 50
MAX_LABELS = 1000  # of a user

# Of folded names. Postgres derives `labels.match_key` by the same tables: a change of them needs a migration.
_ASCII = "".join(chr(number) for number in range(0x21, 0x7F) if not chr(number).isupper())
_FULL_WIDTH = "".join(chr(ord(each) + 0xFEE0) for each in _ASCII)
_WHITE = "\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"
MATCHED = f"{_FULL_WIDTH}\u0131{_WHITE}{FORMAT_CHARACTERS}"  # what is beyond the length of MATCHED_AS is left out
MATCHED_AS = f"{_ASCII}i{' ' * len(_WHITE)}"
DOTTED_I = "i\u0307"  # \u0130 in small letters
_MATCHES: dict[int, str | None] = dict.fromkeys(map(ord, MATCHED))
_MATCHES |= {ord(one): other for one, other in zip(MATCHED, MATCHED_AS, strict=False)}
_SPACES = re.compile(" +")


def name_key_of(name: str) -> str:
    """Return the name in one case and one composition, as `labels.name_key` has it."""
    return unicodedata.normalize("NFC", name).casefold()


def key_of_label(name: str) -> str:
    """Return what names of the same label have in common, as `labels.match_key` has it."""
    return _SPACES.sub(" ", name_key_of(name).translate(_MATCHES).replace(DOTTED_I, "i")).strip(" ")


def keys_of_labels(names: Iterable[str]) -> list[str]:
    """Return the keys of names, each once."""
    return list(dict.fromkeys(map(key_of_label, names)))


def distinct_labels(names: Iterable[str]) -> list[str]:
    """Return the first of names that are the same label whatever labels a user has.

    Others may still be one: labels that were two before there was `match_key` stay two.
    """
    first: dict[str, str] = {}
    for name in names:
        first.setdefault(name_key_of(name), name)
    return list(first.values())
