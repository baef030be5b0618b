"""The references of a batch: how an operation points at the task that an earlier one creates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from backend.errors import Detail, ValidationFailed
from backend.models.batch import AnyOperation, CreateOperation, UpdateOperation

Operations = list[tuple[AnyOperation, UUID]]  # each with the id of its task

_UNKNOWN = "No earlier operation creates a task with this ref"
_TAKEN = "An earlier operation already creates a task with this ref: choose another one"


def pointed(operations: Iterable[tuple[AnyOperation, UUID | None]]) -> Operations:
    """Let operations point at the tasks that their references name; raises ValidationFailed for an unknown one."""
    found: Operations = []
    ids: dict[str, UUID] = {}
    for index, (operation, given) in enumerate(operations):
        task_id = _id_of(ids, operation.ref, f"operations.{index}.ref") if given is None else given
        if isinstance(operation, CreateOperation | UpdateOperation) and operation.parent_ref is not None:
            operation.data.parent_id = _id_of(ids, operation.parent_ref, f"operations.{index}.parent_ref")
        if isinstance(operation, CreateOperation) and operation.ref is not None:
            if operation.ref in ids:
                raise ValidationFailed(details=(Detail(f"operations.{index}.ref", "ref_taken", _TAKEN),))
            ids[operation.ref] = task_id
        found.append((operation, task_id))
    return found


def _id_of(ids: Mapping[str, UUID], ref: str | None, field: str) -> UUID:
    task_id = ids.get(ref or "")
    if task_id is None:
        raise ValidationFailed(details=(Detail(field, "ref_unknown", _UNKNOWN),))
    return task_id
