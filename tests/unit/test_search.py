"""Translation of search input into a Postgres query."""

from __future__ import annotations

import pytest

from backend.models.task import PUNCTUATION
from backend.models.values.search_text import has_word, read_search

CASES = {
    "milk": ("milk", True),
    "oat milk": ("oat milk", True),
    "milk -oat": ("milk -oat", False),
    "-oat milk": ("-oat milk", True),
    "--oat": ("-oat", False),
    "- oat": ("oat", True),
    "oat-milk": ("oat milk", True),
    "-oat-milk": ('-"oat milk"', False),
    '"oat milk"': ('"oat milk"', False),
    '"oat milk" so': ('"oat milk" so', True),
    '-"oat milk"': ('-"oat milk"', False),
    '"oat mi': ('"oat mi"', False),
    'milk ""': ("milk", True),
    'milk "!"': ("milk", True),
    'so"y milk"': ('so "y milk"', False),
    "milk or oat": ("milk or oat", True),
    "and/or": ('and "or"', True),
    "and/OR more": ('and "or" more', True),
    "milk or": ("milk", True),
    "or milk": ("milk", True),
    "milk or - oat": ("milk or oat", True),
    "milk or \U0001f389": ("milk", True),
    "\U0001f389 or milk": ("milk", True),
    "milk or or oat": ("milk or oat", True),
    "or": ('"or"', False),
    "a&b|!c": ("a b c", True),
    "it's": ("it s", True),
    "a:*": ("a", True),
    "(milk)": ("milk", True),
    "milk !!!": ("milk", True),
    "milk -": ("milk", True),
    "\tmilk\u3000\u00a0oat\n": ("milk oat", True),
    "c:\\temp\\": ("c temp", True),
    "牛奶": ("", False),
    "milk 牛奶 oat": ("milk oat", True),
    "cafe\u0301": ("caf\u00e9", True),
    "-cafe\u0301": ("-caf\u00e9 -cafe\u0301", False),
}


@pytest.mark.requirement("FR-129")
@pytest.mark.parametrize("typed", CASES)
def test_a_search_is_read_as_it_is_meant(typed: str) -> None:
    search = read_search(typed, PUNCTUATION)

    assert (search.text, search.ends_in_beginning) == CASES[typed]


@pytest.mark.requirement("FR-409")
def test_what_is_written_without_spaces_is_searched_for_as_it_stands() -> None:
    search = read_search('牛奶 -"东京 旅行" IPHONE手机 ﾊﾟﾝ -ขนม a', PUNCTUATION)

    assert (search.text, search.anywhere, search.nowhere) == (
        "a",
        ("牛奶", "iphone手机", "パン"),
        ("东京 旅行", "ขนม"),
    )
    assert read_search("caf\u00e9", PUNCTUATION).decomposed == "cafe\u0301"


@pytest.mark.requirement("FR-129")
@pytest.mark.parametrize("typed", ["", " ", "-", '"', '""', '-"-"', "!?", "_", "\u3000", "\U0001f36e", "…"])
def test_what_has_no_word_is_known(typed: str) -> None:
    assert not has_word(typed)
    assert read_search(typed, PUNCTUATION).text == ""
