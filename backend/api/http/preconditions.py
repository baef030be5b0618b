"""Preconditions: entity tags in the headers If-Match and If-None-Match (RFC 9110, section 13)."""

from __future__ import annotations

from typing import Annotated

from backend.api.http.header_parameters import filled, header, malformed_header
from backend.errors import BadRequest
from backend.models.values.etags import HEADER_PATTERN, EntityTags, parse_tags

IfMatchLines = Annotated[
    list[str],
    header(
        "If-Match",
        "The `ETag` of what you change, as you know it: if it has changed since, the answer is 412 and nothing is "
        "changed. Several tags may be listed; `*` means any",
        example='"42"',
        pattern=HEADER_PATTERN,
    ),
]
IfNoneMatchLines = Annotated[
    list[str],
    header(
        "If-None-Match",
        "The `ETag` of your copy: if it is still current, the answer is 304 without a body",
        example='"42"',
        pattern=HEADER_PATTERN,
    ),
]
OnlyNewLines = Annotated[
    list[str],
    header(
        "If-None-Match",
        "`*`: answer 412 if one with the `id` that you send already exists",
        example="*",
        pattern=r"^[ \t]*\*[ \t]*$",
    ),
]


def read_tags(name: str, value: str) -> EntityTags:
    """Parse a header's value; raises BadRequest if it is neither `*` nor a list of entity tags."""
    tags = parse_tags(value)
    if tags is None:
        raise malformed(name)
    return tags


def tags_in(name: str, lines: list[str] | None) -> EntityTags | None:
    """Parse all lines of a header, or return None without any; raises what `read_tags` does."""
    values = filled(lines)
    return read_tags(name, ", ".join(values)) if values else None


def malformed(name: str, message: str = 'takes entity tags in double quotes, like "42", or *') -> BadRequest:
    """Return the error for a malformed header."""
    return malformed_header(name, "entity_tag_invalid", f"{name} {message}")
