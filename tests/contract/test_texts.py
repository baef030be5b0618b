"""Texts: what the service takes, and how the contract says so, in words that people can read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from backend.models.fields import Description, Title
from tests.fixtures.documents.contract import contract, operations
from tests.fixtures.rules.fields import WHITE_SPACE, wrong_in_task

RESEMBLING_WHITE_SPACE = "\x00\x07\x1b\x1f\x9f\u00ad\u180e\u200b\u200d\u2060\u2800\u3164\ufe0f\ufeff\uffa0"
CHARACTERS = f"M\U0001f95b{WHITE_SPACE}{RESEMBLING_WHITE_SPACE}"
LONGEST_PATTERN = 60


def _texts(character: str) -> list[str]:
    """Put a character at every position, alone and in texts of about the maximum length."""
    around = ["", *("M" * length for length in (1, 499, 500, 501, 9_999, 10_000))]
    within = [f"M{character * length}M" for length in (1, 498, 499, 9_998, 9_999)]
    return [character * 501, *(f"{before}{character}{after}" for before in around for after in around), *within]


def _is_taken(kind: TypeAdapter[Any], text: str) -> bool:
    try:
        kind.validate_python(text)
    except ValidationError:
        return False
    return True


def _patterns(part: Any) -> Iterator[str]:
    for name, inner in part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ():
        if name == "pattern" and isinstance(inner, str):
            yield inner
        yield from _patterns(inner)


@pytest.mark.requirement("FR-031", "FR-032")
@pytest.mark.parametrize(("name", "kind"), [("title", Title), ("description", Description)])
def test_a_text_is_taken_if_the_rule_says_so(name: str, kind: Any) -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(kind)
    texts = ["", *(text for character in CHARACTERS for text in _texts(character))]

    for text in texts:
        is_good = not wrong_in_task({"title": "M", name: text})
        assert is_good is _is_taken(adapter, text), (text[:3], text[-3:], len(text))
    assert {_is_taken(adapter, text) for text in texts} == {True, False}


@pytest.mark.requirement("FR-481")
def test_no_parameter_has_a_pattern() -> None:
    for operation in operations().values():
        for parameter in operation.document.get("parameters", []):
            assert not [*_patterns(parameter["schema"])], (operation.id, parameter["name"])


@pytest.mark.requirement("FR-481")
def test_a_text_says_how_long_it_is_and_each_pattern_can_be_read() -> None:
    title = contract()["components"]["schemas"]["TaskCreate"]["properties"]["title"]

    assert (title["minLength"], title["maxLength"], "pattern" in title) == (1, 500, False)
    assert "1 to 500 characters" in title["description"]
    found = {*_patterns(contract())}
    assert found
    for pattern in found:
        assert len(pattern) <= LONGEST_PATTERN, pattern
        assert "\\u" not in pattern, pattern
        assert "\\x" not in pattern.replace("\\\\x", ""), pattern
