"""Preconditions: entity tags in the headers If-Match and If-None-Match (RFC 9110, section 13)."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from backend.api.http.header_parameters import header_lines, malformed_header, reads_header
from backend.errors import BadRequest, PreconditionRequired
from backend.models.etags import HEADER_PATTERN, EntityTags, Revisions, parse_tags


def read_tags(name: str, value: str) -> EntityTags:
    """Read a header's value; raises BadRequest if it is neither `*` nor a list of entity tags."""
    tags = parse_tags(value)
    if tags is None:
        raise malformed(name)
    return tags


def malformed(name: str, takes: str = 'entity tags in double quotes, like "42", or *') -> BadRequest:
    """Make the error for a header that is not what it has to be."""
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
    """Give the revisions that the client accepts to change, None: any; raises PreconditionRequired where it must."""
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
    """Give the tags of what the client has already."""
    return _tags(request, "If-None-Match") or EntityTags()


@reads_header(
    "If-None-Match",
    "`*`: answer 412 if the `id` that you send names a task already",
    example="*",
    pattern=r"^[ \t]*\*[ \t]*$",
)
async def _only_new(request: Request) -> bool:
    """Tell whether a task must not exist yet; raises BadRequest for anything but `*`."""
    tags = _tags(request, "If-None-Match")
    if tags is not None and not tags.is_any:
        raise malformed("If-None-Match", "nothing but * here")
    return tags is not None


async def _refuse_conditions(request: Request) -> None:
    """Refuse conditions where they would mean nothing: whoever sends one relies on it."""
    for name in ("If-Match", "If-None-Match"):
        if header_lines(request, name):
            raise malformed(name, "nothing here: each operation has an if_match of its own")


NoConditions = Depends(_refuse_conditions)
IfMatch = Annotated[Revisions | None, Depends(_if_match)]
IfNoneMatch = Annotated[EntityTags, Depends(_if_none_match)]
OnlyNew = Annotated[bool, Depends(_only_new)]
