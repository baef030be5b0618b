"""Names of labels. Names that differ only in case are the same label."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

MAX_LABEL_LENGTH = 60
MAX_LABELS_OF_TASK = 50
MAX_LABELS = 1000  # of a user


def key_of_label(name: str) -> str:
    """Return what names of the same label have in common."""
    return unicodedata.normalize("NFC", name).casefold()


def keys_of_labels(names: Iterable[str]) -> list[str]:
    """Return the keys of names, each once."""
    return list(dict.fromkeys(map(key_of_label, names)))


def distinct_labels(names: Iterable[str]) -> list[str]:
    """Return one name of each label: the first."""
    first: dict[str, str] = {}
    for name in names:
        first.setdefault(key_of_label(name), name)
    return list(first.values())
