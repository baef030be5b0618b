"""Turns what people type into a search that Postgres reads as they mean it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

# One part of a search: an optional minus, then a word, or a phrase in double quotes (the second quote is optional).
_PART = re.compile(r'(?P<minus>-?)(?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+))')

# Scripts that put no spaces between words: Thai, Lao, Tibetan, Burmese, Khmer, Japanese and Chinese.
_UNSPACED = re.compile(
    "[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u312f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\uff66-\uff9f\U00020000-\U000323af]"
)

# What the form NFKC changes in texts of these scripts, apart from punctuation. To look for it is quick, and to change a
# text takes ten times as long as all else in a search.
UNFOLDED = (
    "[\u0300-\u036f\u0e33\u0eb3\u0edc\u0edd\u0f0c\u0f43-\u0fb9\u102e\u2e9f\u2ef3\u2f00-\u2fd5\u3036\u3038-\u303a"
    "\u3099-\u309c\u309f\u30ff\u3131-\u318e\u3192-\u319f\u3200-\u33ff\uf900-\ufaff\uff10-\uff19\uff21-\uff3a"
    "\uff41-\uff5a\uff65-\uffdc\U0001f200-\U0001f2ff\U0002f800-\U0002fa1f]"
)


@dataclass(frozen=True, slots=True)
class Search:
    """The input of `websearch_to_tsquery`, and whether its last word also matches words that begin with it.

    `decomposed` is the same text with accents as characters of their own, as some systems write it. Postgres knows no
    words in what is written without spaces: that may be anywhere in a text, or must be nowhere. Both are patterns for
    LIKE, in the form NFKC and in lower case.
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
    typed = [*_PART.finditer(unicodedata.normalize("NFC", text))]
    # Beside `or`, what is written without spaces is a word like any other: no pattern can be one of two choices.
    has_choice = any(map(_is_or, typed[1:-1]))
    parts: list[str] = []
    anywhere: list[str] = []
    nowhere: list[str] = []
    ends_in_beginning, is_either = False, False
    for part in typed:
        said = part["word"] or part["phrase"] or ""
        words = said.translate(blanks).split()
        is_phrase, is_excluded = not part["word"], bool(part["minus"])
        has_pattern = not has_choice and is_unspaced(said)
        folded = unicodedata.normalize("NFKC", said).lower().translate(blanks).split() if has_pattern else []
        if _is_or(part):
            is_either = bool(parts)  # it counts only between two other parts
        elif has_pattern and not is_excluded:
            ends_in_beginning = False
            anywhere += filter(is_unspaced, folded)
            parts += _between(words, is_phrase=is_phrase)
        elif has_word("".join(words)):
            if is_either:
                parts.append("or")
            ends_in_beginning, is_either = not (is_phrase or is_excluded), False
            parts.append(_spell(words, is_excluded=is_excluded, is_phrase=is_phrase))
            if has_pattern:  # one sign may be between two of its words
                nowhere.append("_".join(folded))
    if not (parts or anywhere) and has_word(text):
        parts = ['"or"']  # nothing else was typed, so it is a word like any other
    composed = " ".join(parts)
    return Search(composed, ends_in_beginning, _decomposed(composed), tuple(anywhere), tuple(nowhere))


def _is_or(part: re.Match[str]) -> bool:
    return (part["word"] or "").lower() == "or"


def is_unspaced(word: str) -> bool:
    """Return whether a word has characters of a script that puts no spaces between words."""
    return _UNSPACED.search(word) is not None


def _between(words: list[str], *, is_phrase: bool) -> Iterator[str]:
    """Write the words that stand beside others without spaces: those that follow one another as one part."""
    for has_none, group in groupby(words, is_unspaced):
        rest = [*group]
        if not has_none and has_word("".join(rest)):
            yield _spell(rest, is_excluded=False, is_phrase=is_phrase or len(rest) == 1)


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
