"""Preconditions: entity tags in the headers If-Match and If-None-Match (RFC 9110, section 13)."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from backend.api.http.header_parameters import header_lines, malformed_header, reads_header
from backend.errors import BadRequest, PreconditionRequired
from backend.models.etags import HEADER_PATTERN, EntityTags, Revisions, parse_tags


def read_tags(name: str, value: str) -> EntityTags:
    """Parse a header's value; raises BadRequest if it is neither `*` nor a list of entity tags."""
    tags = parse_tags(value)
    if tags is None:
        raise malformed(name)
    return tags


def malformed(name: str, takes: str = 'entity tags in double quotes, like "42", or *') -> BadRequest:
    """Return the error for a malformed header."""
    return malformed_header(name, "entity_tag_invalid", f"{name} takes {takes}")


def _tags(request: Request, name: str) -> EntityTags | None:
    lines = header_lines(request, name)
    return read_tags(name, ", ".join(lines)) if lines else None


@reads_header(
    "If-Match",
    "The `ETag` of the task as you know it: if it has changed since, the answer is 412 and nothing is changed. "
    "Several tags may be listed; `*` means any",
    example='"42"',
    pattern=HEADER_PATTERN,
)
async def _if_match(request: Request) -> Revisions | None:
    """Return the revisions that may change, None for any; raises PreconditionRequired without a required If-Match."""
    tags = _tags(request, "If-Match")
    if tags is None:
        if request.app.state.require_if_match:
            raise PreconditionRequired
        return None
    return tags.revisions


@reads_header(
    "If-None-Match",
    "The `ETag` of what you have: if it is still the same, the answer is 304 without a body",
    example='"42"',
    pattern=HEADER_PATTERN,
)
async def _if_none_match(request: Request) -> EntityTags:
    """Return the tags of the versions that the client already has."""
    return _tags(request, "If-None-Match") or EntityTags()


@reads_header(
    "If-None-Match",
    "`*`: answer 412 if the `id` that you send names a task already",
    example="*",
    pattern=r"^[ \t]*\*[ \t]*$",
)
async def _only_new(request: Request) -> bool:
    """Return whether the task must not exist yet; raises BadRequest for anything but `*`."""
    tags = _tags(request, "If-None-Match")
    if tags is not None and not tags.is_any:
        raise malformed("If-None-Match", "nothing but * here")
    return tags is not None


async def _refuse_conditions(request: Request) -> None:
    """Refuse conditions where they have no effect, because a client that sends one relies on it."""
    for name in ("If-Match", "If-None-Match"):
        if header_lines(request, name):
            raise malformed(name, "nothing here: each operation has an if_match of its own")


NoConditions = Depends(_refuse_conditions)
IfMatch = Annotated[Revisions | None, Depends(_if_match)]
IfNoneMatch = Annotated[EntityTags, Depends(_if_none_match)]
OnlyNew = Annotated[bool, Depends(_only_new)]
