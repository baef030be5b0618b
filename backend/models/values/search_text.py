"""Turns what people type into a search that Postgres reads as they mean it."""

from __future__ import annotations

import re
from dataclasses import dataclass

# One part of a search: an optional minus, then a word, or a phrase in double quotes (the second quote is optional).
_PART = re.compile(r'(?P<minus>-?)(?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+))')


@dataclass(frozen=True, slots=True)
class Search:
    """The input of `websearch_to_tsquery`, and whether its last word also matches words that begin with it."""

    text: str
    ends_in_beginning: bool


def has_word(text: str) -> bool:
    """Return whether the text has anything to search for."""
    return any(map(str.isalnum, text))


def read_search(text: str, punctuation: str) -> Search:
    """Keep words, phrases and exclusions, but no punctuation: the searched text has none either."""
    blanks = str.maketrans(dict.fromkeys(punctuation, " "))
    parts: list[str] = []
    ends_in_beginning, is_either = False, False
    for part in _PART.finditer(text):
        words = (part["word"] or part["phrase"] or "").translate(blanks).split()
        if part["word"] and part["word"].lower() == "or":
            is_either = bool(parts)  # it counts only between two other parts
        elif has_word("".join(words)):
            if is_either:
                parts.append("or")
            ends_in_beginning, is_either = bool(part["word"]) and not part["minus"], False
            parts.append(_spell(words, is_excluded=bool(part["minus"]), is_phrase=not part["word"]))
    if not parts and has_word(text):
        parts = ['"or"']  # nothing else was typed, so it is a word like any other
    return Search(" ".join(parts), ends_in_beginning)


def _spell(words: list[str], *, is_excluded: bool, is_phrase: bool) -> str:
    """Write one part. A word with punctuation in it becomes several, which are excluded together as one phrase."""
    if is_phrase or (is_excluded and len(words) > 1):
        text = f'"{" ".join(words)}"'
    else:  # `and/or` is two words; `or` alone is an operator
        text = " ".join('"or"' if word.lower() == "or" and len(words) > 1 else word for word in words)
    return f"-{text}" if is_excluded else text
