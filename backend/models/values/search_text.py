"""Turns what people type into a search that Postgres reads as they mean it."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

# One part of a search: an optional minus, then a word, or a phrase in double quotes (the second quote is optional).
_PART = re.compile(r'(?P<minus>-?)(?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+))')


# Scripts that put no spaces between words: Thai, Lao, Tibetan, Burmese, Khmer, Japanese and Chinese.
_UNSPACED = re.compile(
    "[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u312f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\uff66-\uff9f\U00020000-\U000323af]"
)


@dataclass(frozen=True, slots=True)
class Search:
    """The input of `websearch_to_tsquery`, and whether its last word also matches words that begin with it.

    `decomposed` is the same text with accents as characters of their own, as some systems write it. What is written
    without spaces has no words that Postgres knows: it may be anywhere in a text, or must be nowhere. It is in the form
    NFKC and in lower case.
    """

    text: str
    ends_in_beginning: bool
    decomposed: str = ""
    anywhere: tuple[str, ...] = ()
    nowhere: tuple[str, ...] = ()


def has_word(text: str) -> bool:
    """Return whether the text has anything to search for."""
    return any(map(str.isalnum, text))


def read_search(text: str, punctuation: str) -> Search:
    """Keep words, phrases and exclusions, but no punctuation: the searched text has none either."""
    blanks = str.maketrans(dict.fromkeys(punctuation, " "))
    parts: list[str] = []
    anywhere: list[str] = []
    nowhere: list[str] = []
    ends_in_beginning, is_either = False, False
    for part in _PART.finditer(unicodedata.normalize("NFC", text)):
        words = (part["word"] or part["phrase"] or "").translate(blanks).split()
        if _UNSPACED.search("".join(words)):
            ends_in_beginning, is_either = False, False
            if part["minus"]:
                nowhere.append(_folded(" ".join(words)))
                continue
            anywhere += [_folded(word) for word in words if _UNSPACED.search(word)]
            words = [word for word in words if not _UNSPACED.search(word)]
        if part["word"] and part["word"].lower() == "or":
            is_either = bool(parts)  # it counts only between two other parts
        elif has_word("".join(words)):
            if is_either:
                parts.append("or")
            ends_in_beginning, is_either = bool(part["word"]) and not part["minus"], False
            parts.append(_spell(words, is_excluded=bool(part["minus"]), is_phrase=not part["word"]))
    if not (parts or anywhere or nowhere) and has_word(text):
        parts = ['"or"']  # nothing else was typed, so it is a word like any other
    composed = " ".join(parts)
    return Search(composed, ends_in_beginning, _decomposed(composed), tuple(anywhere), tuple(nowhere))


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).lower()


def _decomposed(text: str) -> str:
    return unicodedata.normalize("NFD", text)


def _spell(words: list[str], *, is_excluded: bool, is_phrase: bool) -> str:
    """Write one part. A word with punctuation in it becomes several, which are excluded together as one phrase."""
    if is_phrase or (is_excluded and len(words) > 1):
        text = f'"{" ".join(words)}"'
    else:  # `and/or` is two words; `or` alone is an operator
        text = " ".join('"or"' if word.lower() == "or" and len(words) > 1 else word for word in words)
    if not is_excluded:
        return text
    excluded = dict.fromkeys((text, _decomposed(text)))  # neither of the two forms may be there
    return " ".join(f"-{each}" for each in excluded)
