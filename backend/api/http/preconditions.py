"""Preconditions: entity tags in the headers If-Match and If-None-Match (RFC 9110, section 13)."""

from __future__ import annotations

from typing import Annotated

from fastapi import Request

from backend.api.http.header_parameters import filled, header, malformed_header
from backend.errors import BadRequest, Detail, PreconditionFailed
from backend.models.values.etags import EntityTags, parse_tags

IfMatchLines = Annotated[
    list[str],
    header(
        "If-Match",
        "The `ETag` of what you change, as you know it: if it has changed since, the answer is 412 and nothing is "
        "changed. Several tags may be listed; `*` means any",
        example='"42"',
        text_format="entity-tags",
    ),
]
IfNoneMatchLines = Annotated[
    list[str],
    header(
        "If-None-Match",
        "The `ETag` of your copy: if it is still current, the answer is 304 without a body",
        example='"42"',
        text_format="entity-tags",
    ),
]
OnlyNewLines = Annotated[
    list[str],
    header(
        "If-None-Match",
        "`*`: answer 412 if one with the `id` that you send already exists",
        example="*",
        text_format="asterisk",
    ),
]


WEAK_TAGS = Detail(
    "header.If-Match",
    "weak_tag",
    "A weak tag (W/) never matches in If-Match. A proxy that changes answers, by compressing them for instance, makes "
    "tags weak: send the tag without W/",
)


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


def explain_weak_tags(error: PreconditionFailed, request: Request) -> None:
    """Say why If-Match did not match, if it has weak tags only: these never do (RFC 9110, section 13.1.1)."""
    tags = tags_in("If-Match", request.headers.getlist("If-Match"))
    if tags is not None and tags.weak and not tags.strong:
        error.details = (*error.details, WEAK_TAGS)
        error.message = f"{error.message} {WEAK_TAGS.message}."


def malformed(name: str, message: str = 'takes entity tags in double quotes, like "42", or *') -> BadRequest:
    """Return the error for a malformed header."""
    return malformed_header(name, "entity_tag_invalid", f"{name} {message}")
