"""Response bodies: the envelopes for data and for errors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import BaseModel, Field, StringConstraints
from starlette.responses import Response

from backend.errors import BLANK, TaskAPIError, ValidationFailed
from backend.models import cursor, sync_token
from backend.models.access_token import AccessTokenPublic, NewAccessToken
from backend.models.base import Document, Page
from backend.models.change import ChangePage, DeletedTask
from backend.models.fields import Count, Sentence
from backend.models.task import CURSOR_EXAMPLE, MAX_LIMIT, TaskPublic
from backend.models.task_file import ImportReport
from backend.models.user import Account
from backend.services.access_tokens.service import MAX_TOKENS
from backend.utils import opaque

_COMPACT = (",", ":")
MAX_DETAILS = 20
MAX_FIELD_NAME = 100
MAX_REQUEST_ID = 128
REQUEST_ID_PATTERN = "^[A-Za-z0-9._-]+$"
NextCursor = Annotated[str, StringConstraints(max_length=cursor.MAX_LENGTH, pattern=opaque.PATTERN)]
SyncTokenText = Annotated[str, StringConstraints(max_length=sync_token.MAX_LENGTH, pattern=sync_token.PATTERN)]

REQUEST_ID_EXAMPLE = "01a1fbb3bfe271ac8551a3b5a5ffebf9"


def example_of(model: type[BaseModel]) -> dict[str, Any]:
    """Return the example of a model, built from the examples of its required fields."""
    fields = model.model_fields.items()
    return {name: (field.examples or [None])[0] for name, field in fields if field.is_required()}


def _codes() -> list[str]:
    """Return the codes of all errors; the code used in examples comes first."""
    codes = {kind.code for kind in _kinds(TaskAPIError)} - {ValidationFailed.code}
    return [ValidationFailed.code, *sorted(codes)]


def _kinds(kind: type[TaskAPIError]) -> Iterator[type[TaskAPIError]]:
    yield kind
    for special in kind.__subclasses__():
        yield from _kinds(special)


def _absent() -> Any:
    """Return the default of a field that may be left out; as a factory, it stays out of the documentation."""
    return None


class TaskAnswer(BaseModel):
    """One task."""

    data: TaskPublic = Field(description="The task", examples=[example_of(TaskPublic)])


class PageInfo(BaseModel):
    """Where this page ends."""

    limit: int = Field(description="The maximum number of tasks on this page", examples=[50], ge=1, le=MAX_LIMIT)
    has_more: bool = Field(description="Whether more tasks follow", examples=[True])
    next_cursor: NextCursor | None = Field(
        description="Send it as `cursor` for the next page; null on the last", examples=[CURSOR_EXAMPLE]
    )
    total: Count = Field(
        description="The number of tasks on all pages; only with `include_total=true`",
        examples=[123],
        default_factory=_absent,
    )


class TaskPageAnswer(BaseModel):
    """One page of tasks, in the order that was asked for."""

    data: list[TaskPublic] = Field(
        description="The tasks of this page", examples=[[example_of(TaskPublic)]], max_length=MAX_LIMIT
    )
    page: PageInfo = Field(description="Where this page ends", examples=[example_of(PageInfo)])


class FeedInfo(BaseModel):
    """Where this page of the feed ends."""

    next_since: SyncTokenText = Field(
        description="A sync token: send it as `since` to go on, and read nothing into it", examples=[sync_token.EXAMPLE]
    )
    has_more: bool = Field(description="Whether more changes are available now", examples=[False])


class ChangesAnswer(BaseModel):
    """One page of the feed of changes, oldest first."""

    data: list[TaskPublic | DeletedTask] = Field(
        description="Changed tasks in their current state, and deleted ones",
        examples=[[example_of(TaskPublic), example_of(DeletedTask)]],
        max_length=MAX_LIMIT,
    )
    page: FeedInfo = Field(description="Where this page ends", examples=[example_of(FeedInfo)])


class AccountAnswer(BaseModel):
    """The user's account."""

    data: Account = Field(description="The account", examples=[example_of(Account)])


class AccessTokenListAnswer(BaseModel):
    """All personal access tokens of the user."""

    data: list[AccessTokenPublic] = Field(
        description="The tokens, the newest first",
        examples=[[example_of(AccessTokenPublic)]],
        max_length=MAX_TOKENS,
    )


class NewAccessTokenAnswer(BaseModel):
    """A new personal access token."""

    data: NewAccessToken = Field(description="The token", examples=[example_of(NewAccessToken)])


class ImportAnswer(BaseModel):
    """The result of an import."""

    data: ImportReport = Field(description="The report of the import", examples=[example_of(ImportReport)])


class ErrorDetail(BaseModel):
    """One thing that is wrong with the request."""

    field: str = Field(
        description="Where: a body field, or `query.` and a parameter",
        examples=["title"],
        max_length=MAX_FIELD_NAME,
    )
    code: str = Field(
        description="What, for programs", examples=["string_too_short"], max_length=50, pattern="^[a-z][a-z0-9_]*$"
    )
    message: Sentence = Field(description="What, for people", examples=[BLANK])


class ErrorBody(BaseModel):
    """What went wrong."""

    # Not an enum: a client generated from one would fail on a code that is added later.
    code: str = Field(
        description="Stable, for programs; more codes may be added later",
        examples=_codes(),
        max_length=50,
        pattern="^[A-Z][A-Z0-9_]*$",
    )
    message: Sentence = Field(
        description="For people", examples=["The request has invalid or unknown fields; see details."]
    )
    request_id: str = Field(
        description="Quote it when you ask for help",
        examples=[REQUEST_ID_EXAMPLE],
        max_length=MAX_REQUEST_ID,
        pattern=REQUEST_ID_PATTERN,
    )
    details: list[ErrorDetail] = Field(
        description="Field by field, where that is known",
        examples=[[example_of(ErrorDetail)]],
        max_length=MAX_DETAILS,
    )


class ErrorAnswer(BaseModel):
    """Every error, of every status."""

    error: ErrorBody = Field(description="What went wrong", examples=[example_of(ErrorBody)])


class CurrentTaskAnswer(ErrorAnswer):
    """What went wrong, and the current task."""

    data: TaskPublic = Field(description="The current task", examples=[example_of(TaskPublic)])


def document_response(document: Document, *, status: int = 200, **headers: str) -> Response:
    """Return a response with one row that Postgres wrote as JSON."""
    return data_response(document.json, status=status, **headers)


def data_response(json: str, *, status: int = 200, **headers: str) -> Response:
    """Return a response with data that is already JSON."""
    return _json_response(f'{{"data":{json}}}', status, headers)


def task_response(document: Document, *, status: int = 200, **headers: str) -> Response:
    """Return a response with one task; its revision is a strong ETag (RFC 9110, section 8.8.3)."""
    return document_response(document, status=status, ETag=f'"{document.revision}"', **headers)


def not_modified(tag: str) -> Response:
    """Return a 304 response: the client already has the version with this tag."""
    return Response(status_code=304, headers={"ETag": f'"{tag}"'})


def page_response(page: Page, **headers: str) -> Response:
    """Return a response with one page of a list."""
    info = {"limit": page.limit, "has_more": page.next_cursor is not None, "next_cursor": page.next_cursor}
    if page.total is not None:
        info["total"] = page.total
    text = f'{{"data":{page.json},"page":{json.dumps(info, separators=_COMPACT)}}}'
    return _json_response(text, 200, {"ETag": f'"{page.tag}"', **headers})


def changes_response(page: ChangePage) -> Response:
    """Return a response with one page of the feed of changes."""
    changes = ",".join(change.json for change in page.changes)
    info = {"next_since": str(page.next_since), "has_more": page.has_more}
    return _json_response(f'{{"data":[{changes}],"page":{json.dumps(info, separators=_COMPACT)}}}', 200, {})


def import_response(report: ImportReport) -> Response:
    """Return a response with the report of an import."""
    return _json_response(f'{{"data":{report.model_dump_json()}}}', 200, {})


def error_response(error: TaskAPIError, request_id: str) -> Response:
    """Return a response with an error in its envelope, plus its data if it has any."""
    return _json_response(error_text(error, request_id), error.status, error.headers)


def error_text(error: TaskAPIError, request_id: str) -> str:
    """Return the JSON of an error in its envelope, plus its data if it has any."""
    text = json.dumps(envelope(error, request_id), separators=_COMPACT)
    return text if error.data is None else f'{text[:-1]},"data":{error.data}}}'


def _json_response(text: str, status: int, headers: dict[str, str]) -> Response:
    return Response(text, status, headers, media_type="application/json")


def envelope(error: TaskAPIError, request_id: str) -> dict[str, Any]:
    """Return an error in the form that all errors share."""
    details = [
        {"field": _bounded(item.field), "code": item.code, "message": item.message}
        for item in error.details[:MAX_DETAILS]
    ]
    return {"error": {"code": error.code, "message": error.message, "request_id": request_id, "details": details}}


def _bounded(field: str) -> str:
    """Shorten a field name and make it encodable: the client may have chosen it."""
    return field[:MAX_FIELD_NAME].encode("utf-8", "replace").decode()
