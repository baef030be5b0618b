"""Translation of search input into a Postgres query."""

from __future__ import annotations

import re
import sys
import unicodedata

import pytest

from backend.models.task import PUNCTUATION
from backend.models.values.search_text import UNFOLDED, has_word, is_unspaced, read_search

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


@pytest.mark.requirement("FR-380")
def test_what_is_written_without_spaces_is_searched_for_as_it_stands() -> None:
    search = read_search('牛奶 -"东京 旅行" IPHONE手机 ﾊﾟﾝ -ขนม a', PUNCTUATION)

    assert (search.text, search.anywhere, search.nowhere) == (
        '-"东京 旅行" -ขนม a',
        ("牛奶", "iphone手机", "パン"),
        ("东京_旅行", "ขนม"),
    )
    search = read_search('"buy fresh 牛奶 now" 牛奶/or', PUNCTUATION)
    assert (search.text, search.anywhere) == ('"buy fresh" "now" "or"', ("牛奶", "牛奶"))
    search = read_search("milk or 牛奶", PUNCTUATION)
    assert (search.text, search.ends_in_beginning, search.anywhere) == ("milk or 牛奶", True, ())
    # Signs of full width would become those that mean something in LIKE.
    assert read_search("牛\uff05奶 茶\uff3f 水\uff3c", PUNCTUATION).anywhere == ("牛", "奶", "茶", "水")
    assert read_search("caf\u00e9", PUNCTUATION).decomposed == "cafe\u0301"


@pytest.mark.requirement("FR-380")
def test_what_has_another_form_is_known() -> None:
    unfolded = re.compile(UNFOLDED)
    characters = [chr(point) for point in range(sys.maxunicode + 1) if not 0xD800 <= point <= 0xDFFF]
    forms = {each: form for each in characters if (form := unicodedata.normalize("NFKC", each)) != each}

    assert [each for each, form in forms.items() if is_unspaced(form) and not unfolded.search(each)] == []
    assert unfolded.search(unicodedata.normalize("NFD", "が"))


@pytest.mark.requirement("FR-129")
@pytest.mark.parametrize("typed", ["", " ", "-", '"', '""', '-"-"', "!?", "_", "\u3000", "\U0001f36e", "…"])
def test_what_has_no_word_is_known(typed: str) -> None:
    assert not has_word(typed)
    assert read_search(typed, PUNCTUATION).text == ""
