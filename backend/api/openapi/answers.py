"""The bodies of answers in the contract. Most answers are written without these models: tests compare both."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StringConstraints

from backend.api.http.envelope import GUIDE, MAX_DETAILS, MAX_FIELD_NAME, envelope
from backend.errors import TaskAPIError, ValidationFailed
from backend.models.access_token import NewAccessToken
from backend.models.activity import (
    MAX_EVENTS,
    MAX_REQUEST_ID,
    REQUEST_ID_EXAMPLE,
    REQUEST_ID_PATTERN,
    EventPublic,
    Undone,
)
from backend.models.batch import MAX_OPERATIONS
from backend.models.fields import Count, Sentence
from backend.models.sign_in.calls import SignedIn, SignInInfo, TokenPair
from backend.models.task import STATUS_COUNTS_EXAMPLE, StatusCounts, TaskPublic
from backend.models.task_file import ImportReport
from backend.models.task_query import CURSOR_EXAMPLE, MAX_LIMIT
from backend.models.user import Account
from backend.models.values import cursor, sync_token
from backend.services.tasks.rules import TaskNotFound
from backend.utils import opaque
from backend.utils.plain_words import BLANK

NextCursor = Annotated[str, StringConstraints(max_length=cursor.MAX_LENGTH, pattern=opaque.PATTERN)]
SyncTokenText = Annotated[str, StringConstraints(max_length=sync_token.MAX_LENGTH, pattern=sync_token.PATTERN)]
Address = Annotated[str, StringConstraints(max_length=100, pattern="^/[a-z./]*$")]
_NOT_FOUND = {"index": 2, "status": 404, **envelope(TaskNotFound(), REQUEST_ID_EXAMPLE)}


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
    """Return the default of a field that may be left out. The documentation leaves out what a factory makes."""
    return None


class ErrorDetail(BaseModel):
    """One thing that is wrong with the request."""

    field: str = Field(
        description="Where it is wrong: a body field, or `query.` and a parameter",
        examples=["title"],
        max_length=MAX_FIELD_NAME,
    )
    code: str = Field(
        description="What is wrong, for programs",
        examples=["string_too_short"],
        max_length=50,
        pattern="^[a-z][a-z0-9_]*$",
    )
    message: Sentence = Field(description="What is wrong, for people", examples=[BLANK])


class ErrorBody(BaseModel):
    """What went wrong."""

    # Not an enum: a client generated from one would fail on a code that is added later.
    code: str = Field(
        description="What went wrong, for programs: codes do not change, but more may be added",
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
        description="What is wrong with each field, if that is known",
        examples=[[example_of(ErrorDetail)]],
        max_length=MAX_DETAILS,
    )
    documentation: str = Field(
        description="Where the guide explains the first detail, or the error: an address without a host",
        examples=[f"{GUIDE}errors.html#missing"],
        max_length=100,
        pattern=f"^{GUIDE}errors\\.html#[a-z0-9_]+$",
    )


class ErrorAnswer(BaseModel):
    """Every error, of every status."""

    error: ErrorBody = Field(description="What went wrong", examples=[example_of(ErrorBody)])
    detail: Sentence = Field(
        description="The same as `error.message`, for clients that look for it here, as in other FastAPI services",
        examples=[example_of(ErrorBody)["message"]],
    )


class PageInfo(BaseModel):
    """Where this page ends."""

    limit: int = Field(description="The maximum number of tasks on this page", examples=[50], ge=1, le=MAX_LIMIT)
    has_more: bool = Field(description="Whether more tasks follow", examples=[True])
    next_cursor: NextCursor | None = Field(
        description="Send it as `cursor` for the next page; null on the last", examples=[CURSOR_EXAMPLE]
    )
    since: SyncTokenText = Field(
        description="Send it as `since` to `GET /api/changes` to get what has changed after this page was read",
        examples=[sync_token.EXAMPLE],
    )
    total: Count = Field(
        description="The number of tasks on all pages; only with `include_total=true`",
        examples=[123],
        default_factory=_absent,
    )
    counts: StatusCounts = Field(
        description="How many tasks there are of each status; only with `include_counts=true`",
        examples=[STATUS_COUNTS_EXAMPLE],
        default_factory=_absent,
    )


class TaskListAnswer(BaseModel):
    """One page of tasks, in the order that was asked for."""

    data: list[TaskPublic] = Field(
        description="The tasks of this page", examples=[[example_of(TaskPublic)]], max_length=MAX_LIMIT
    )
    page: PageInfo = Field(description="Where this page ends", examples=[example_of(PageInfo)])


class ActivityPageInfo(BaseModel):
    """Where this page ends."""

    limit: int = Field(description="The maximum number of events on this page", examples=[50], ge=1, le=MAX_EVENTS)
    has_more: bool = Field(description="Whether more events follow", examples=[True])
    next_cursor: NextCursor | None = Field(
        description="Send it as `cursor` for the next page; null on the last", examples=[CURSOR_EXAMPLE]
    )


class ActivityAnswer(BaseModel):
    """One page of events, the latest first."""

    data: list[EventPublic] = Field(
        description="The events of this page", examples=[[example_of(EventPublic)]], max_length=MAX_EVENTS
    )
    page: ActivityPageInfo = Field(description="Where this page ends", examples=[example_of(ActivityPageInfo)])


class UndoneAnswer(BaseModel):
    """What an undoing did."""

    data: Undone = Field(description="What it did", examples=[example_of(Undone)])


class FeedInfo(BaseModel):
    """Where this page of the feed ends."""

    next_since: SyncTokenText = Field(
        description="A sync token: send it as `since` to continue, and treat it as opaque",
        examples=[sync_token.EXAMPLE],
    )
    has_more: bool = Field(description="Whether more changes are available now", examples=[False])


class AccountAnswer(BaseModel):
    """The user's account."""

    data: Account = Field(description="The account", examples=[example_of(Account)])


class NewAccessTokenAnswer(BaseModel):
    """A new personal access token."""

    data: NewAccessToken = Field(description="The token", examples=[example_of(NewAccessToken)])


class SignInAnswer(BaseModel):
    """What is on."""

    data: SignInInfo = Field(description="What is on", examples=[example_of(SignInInfo)])


class SignedInAnswer(BaseModel):
    """Who is signed in, with tokens."""

    data: SignedIn = Field(description="The user and the tokens", examples=[example_of(SignedIn)])


class TokenPairAnswer(BaseModel):
    """New tokens."""

    data: TokenPair = Field(description="The tokens", examples=[example_of(TokenPair)])


class ImportAnswer(BaseModel):
    """The result of an import."""

    data: ImportReport = Field(description="The report of the import", examples=[example_of(ImportReport)])


class OperationResult(BaseModel):
    """The result of one operation."""

    index: int = Field(description="Which operation, counted from 0", examples=[0], ge=0, le=MAX_OPERATIONS - 1)
    status: int = Field(
        description="The status that the same operation has as a single call", examples=[204], ge=200, le=599
    )


class TaskResult(OperationResult):
    """An operation that returns its task."""

    data: TaskPublic = Field(description="The task after the operation", examples=[example_of(TaskPublic)])


class FailedResult(OperationResult):
    """An operation that changed nothing."""

    error: ErrorBody = Field(description="What went wrong", examples=[_NOT_FOUND["error"]])
    data: TaskPublic = Field(
        default_factory=_absent,
        description="The current task; only with status 412",
        examples=[example_of(TaskPublic)],
    )


class BatchAnswer(BaseModel):
    """The results of all operations."""

    # Each type has all fields of the later ones and more, so a parser that takes the first match is right.
    data: list[FailedResult | TaskResult | OperationResult] = Field(
        description="One result for each operation, in their order",
        max_length=MAX_OPERATIONS,
        examples=[[{**example_of(TaskResult), "status": 201}, {**example_of(OperationResult), "index": 1}, _NOT_FOUND]],
    )


class Health(BaseModel):
    """The health of the process."""

    status: Literal["ok"] = Field(description="`ok`; otherwise the answer is an error", examples=["ok"])


class HealthAnswer(BaseModel):
    """The answer of a health check."""

    data: Health = Field(description="The health of the process", examples=[example_of(Health)])


class Directory(BaseModel):
    """Addresses of the API and its documentation."""

    name: Sentence = Field(description="The name of this service", examples=["Task API"])
    docs: Address = Field(description="The documentation, for reading and for trying out calls", examples=["/docs"])
    openapi: Address = Field(description="The OpenAPI contract, for programs", examples=["/openapi.json"])
    tasks: Address = Field(description="Your tasks; needs a token", examples=["/api/tasks"])
    account: Address = Field(description="Your account; needs a token", examples=["/api/me"])
    health: Address = Field(description="The readiness check", examples=["/health/ready"])


class DirectoryAnswer(BaseModel):
    """The answer at the root address."""

    data: Directory = Field(description="The addresses", examples=[example_of(Directory)])
