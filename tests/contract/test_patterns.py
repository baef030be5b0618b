"""The patterns of the contract accept exactly what the service accepts."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from backend.models.fields import Description, Title
from tests.fixtures.model_fields import WHITE_SPACE

RESEMBLING_WHITE_SPACE = "\x00\x07\x1b\x1f\x9f\u00ad\u180e\u200b\u200d\u2060\u2800\u3164\ufe0f\ufeff\uffa0"
CHARACTERS = f"M\U0001f95b{WHITE_SPACE}{RESEMBLING_WHITE_SPACE}"


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


@pytest.mark.requirement("FR-031", "FR-032", "FR-058")
@pytest.mark.parametrize("kind", [Title, Description], ids=["title", "description"])
def test_the_pattern_of_a_text_is_what_is_taken(kind: Any) -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(kind)
    schema = adapter.json_schema()
    texts = ["", *(text for character in CHARACTERS for text in _texts(character))]

    for text in texts:
        fits = len(text) <= schema.get("maxLength", len(text)) and re.search(schema["pattern"], text) is not None
        assert fits is _is_taken(adapter, text), (text[:3], text[-3:], len(text))
    assert {_is_taken(adapter, text) for text in texts} == {True, False}
