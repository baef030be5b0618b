"""The response to a batch: the result of each operation, in order."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field
from starlette.responses import Response

from backend.api.http.envelope import REQUEST_ID_EXAMPLE, ErrorBody, envelope, error_text, example_of
from backend.errors import TaskAPIError, TaskNotFound
from backend.models.base import TaskDocument
from backend.models.batch import MAX_OPERATIONS
from backend.models.task import TaskPublic
from backend.services.tasks.batch import Outcome

_ABSENT: Any = None  # never sent
_NOT_FOUND = {"index": 2, "status": 404, **envelope(TaskNotFound(), REQUEST_ID_EXAMPLE)}


class OperationResult(BaseModel):
    """The result of one operation."""

    index: int = Field(description="Which operation, counted from 0", examples=[0], ge=0, le=MAX_OPERATIONS - 1)
    status: int = Field(
        description="The status that the same operation has as a single call", examples=[204], ge=200, le=599
    )


class TaskResult(OperationResult):
    """An operation that is answered with its task."""

    data: TaskPublic = Field(description="The task after the operation", examples=[example_of(TaskPublic)])


class FailedResult(OperationResult):
    """An operation that changed nothing."""

    error: ErrorBody = Field(description="What went wrong", examples=[_NOT_FOUND["error"]])
    data: TaskPublic = Field(
        default_factory=lambda: _ABSENT,
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


def batch_response(outcomes: list[Outcome], request_id: str) -> Response:
    """Return a response with the outcome of each operation."""
    results = (_result(index, outcome, request_id) for index, outcome in enumerate(outcomes))
    return Response(f'{{"data":[{",".join(results)}]}}', media_type="application/json")


def _result(index: int, outcome: Outcome, request_id: str) -> str:
    if isinstance(outcome, TaskDocument):
        status, rest = 201 if outcome.is_new else 200, f',"data":{outcome.json}}}'
    elif isinstance(outcome, TaskAPIError):
        status, rest = outcome.status, f",{error_text(outcome, request_id)[1:]}"
    else:
        status, rest = 204, "}"
    return f'{{"index":{index},"status":{status}{rest}'
