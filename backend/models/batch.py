"""Batches: operations on many tasks in one request."""

from __future__ import annotations

from typing import Annotated, Any, Literal, LiteralString, Self

import pydantic
from pydantic import (
    BeforeValidator,
    FailFast,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
    WrapValidator,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from backend.models.base import Input, described, optional
from backend.models.fields import UUID_EXAMPLE, CanonicalUUID, Flag
from backend.models.task import TaskCompletion, TaskCreate, TaskUpdate
from backend.models.values.etags import MAX_REVISION, EntityTags, parse_revision, parse_tags

MAX_OPERATIONS = 100
MAX_REF = 50
MAX_TAGS = 1000  # characters of the tags of one operation
_NO_TAGS = 'Must be a revision, like 42, entity tags, like "42", or *, in at most {most} characters'
MISSING_ID = "This is required: send it, or the ref of an earlier operation"
ID_OR_REF = "Send id, or the ref of an earlier operation, not both"
PARENT_ID_OR_REF = "Send parent_ref, or parent_id in data, not both"


def _expected(value: object) -> EntityTags:
    """Read a revision, or a value of the header If-Match."""
    is_list = isinstance(value, str) and len(value) <= MAX_TAGS
    tags = parse_revision(value) or (parse_tags(str(value)) if is_list else None)
    if tags is None:
        raise PydanticCustomError("entity_tag_invalid", _NO_TAGS, {"most": MAX_TAGS})
    return tags


IfMatch = Annotated[
    EntityTags,
    BeforeValidator(_expected),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1, "maximum": MAX_REVISION},
                {"type": "string", "format": "entity-tags", "maxLength": MAX_TAGS},
            ]
        }
    ),
]


Ref = Annotated[str, StringConstraints(min_length=1, max_length=MAX_REF, pattern=f"^[A-Za-z0-9_-]{{1,{MAX_REF}}}$")]
_REF = "The `ref` of an earlier operation of this batch, which creates the task; instead of `id`"
_PARENT_REF = "The `ref` of an earlier operation, which creates its parent; instead of `parent_id`"


class TaskOperation(Input):
    """The fields shared by operations on an existing task, which `id` or `ref` names."""

    id: CanonicalUUID = optional("The task's id", UUID_EXAMPLE)
    ref: Ref = optional(_REF, "trip")
    if_match: IfMatch = optional(
        "The `revision` or `ETag` of the task as you know it: if the task has changed since, the operation fails with "
        "412. You can list several tags; `*` means any. Weak tags (`W/`) never match",
        42,
    )

    @model_validator(mode="after")
    def _of_one_task(self) -> Self:
        if self.id is None and self.ref is None:
            raise _problem("id", "missing", MISSING_ID)
        if self.id is not None and self.ref is not None:
            raise _problem("ref", "id_or_ref", ID_OR_REF)
        return self


class CreateOperation(Input):
    """Create a task, like POST /api/tasks."""

    op: Literal["create"] = described("Which operation", "create")
    ref: Ref = optional("A name of your choice, by which later operations of this batch can point at the task", "trip")
    parent_ref: Ref = optional(_PARENT_REF, "trip")
    data: TaskCreate = described("The new task", {"title": "Buy milk"})

    @model_validator(mode="after")
    def _under_one_task(self) -> Self:
        _refuse_two_parents(self)
        return self


class UpdateOperation(TaskOperation):
    """Edit a task, like PATCH /api/tasks/{id}."""

    op: Literal["update"] = described("Which operation", "update")
    parent_ref: Ref = optional(_PARENT_REF, "trip")
    data: TaskUpdate = described("The fields to change", {"title": "Buy oat milk"})

    @model_validator(mode="after")
    def _under_one_task(self) -> Self:
        _refuse_two_parents(self)
        return self


class CompleteOperation(TaskOperation):
    """Complete or reopen a task, like PATCH /api/tasks/{id}/complete; without data it completes and never toggles."""

    op: Literal["complete"] = described("Which operation", "complete")
    data: TaskCompletion = described(
        "Whether to complete or reopen the task; omit it to complete the task",
        {"completed": True},
        default_factory=lambda: TaskCompletion(completed=True),
    )


class DeleteOperation(TaskOperation):
    """Move a task to the trash, like DELETE /api/tasks/{id}."""

    op: Literal["delete"] = described("Which operation", "delete")


class RestoreOperation(TaskOperation):
    """Bring a task back from the trash, like POST /api/tasks/{id}/restore."""

    op: Literal["restore"] = described("Which operation", "restore")


def _problem(field: str, code: LiteralString, message: LiteralString) -> ValidationError:
    problem = PydanticCustomError(code, message)
    return ValidationError.from_exception_data(field, [InitErrorDetails(type=problem, loc=(field,), input=None)])


def _refuse_two_parents(operation: CreateOperation | UpdateOperation) -> None:
    if operation.parent_ref is not None and operation.data.parent_id is not None:
        raise _problem("parent_ref", "parent_id_or_ref", PARENT_ID_OR_REF)


AnyOperation = CreateOperation | UpdateOperation | CompleteOperation | DeleteOperation | RestoreOperation

_KINDS: dict[object, type[Input]] = {
    "create": CreateOperation,
    "update": UpdateOperation,
    "complete": CompleteOperation,
    "delete": DeleteOperation,
    "restore": RestoreOperation,
}


def _of_its_kind(value: Any, validate: pydantic.ValidatorFunctionWrapHandler) -> Any:
    """Validate an operation as the kind that its `op` names.

    Pydantic alone would put the kind into an error's location (`operations.3.create.data`), and repeat an unknown one.
    """
    if not isinstance(value, dict):
        return validate(value)
    name = value.get("op")
    if not isinstance(name, str) or name not in _KINDS:
        problem = PydanticCustomError("operation_unknown", f"Must be one of: {', '.join(map(str, _KINDS))}")
        raise ValidationError.from_exception_data("op", [InitErrorDetails(type=problem, loc=("op",), input=None)])
    return _KINDS[name].model_validate(value)


Operation = Annotated[Annotated[AnyOperation, pydantic.Field(discriminator="op")], WrapValidator(_of_its_kind)]


class Batch(Input):
    """Operations to run in this order; each sees the effects of those before it."""

    # Only the first error is reported: a large body could have very many, and each is costly.
    operations: Annotated[list[Operation], FailFast()] = described(
        f"1 to {MAX_OPERATIONS} operations",
        [{"op": "create", "data": {"title": "Buy milk"}}],
        min_length=1,
        max_length=MAX_OPERATIONS,
    )
    atomic: Flag = described(
        "`true`: all or nothing. `false`: each on its own; those that succeed are kept, and the answer says which "
        "failed",
        False,
        default=True,
    )
