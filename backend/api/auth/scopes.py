"""What personal access tokens may call: by their scopes, and if they are limited to one list.

An operation that is not named here needs a session JWT. So a new one stays closed until somebody decides.
"""

from __future__ import annotations

from backend.errors import Forbidden
from backend.models.access_token import Scope

_READ_TASKS = frozenset({"list_tasks", "get_task", "list_subtasks", "export_tasks"})
_CHANGE_TASKS = frozenset(
    {
        *("create_task", "update_task", "patch_task", "complete_task", "post_complete_task", "move_task"),
        *("delete_task", "restore_task"),
        *("batch_tasks", "import_tasks"),
    }
)
_READ_LABELS = frozenset({"list_labels"})
_CHANGE_LABELS = frozenset({"put_label", "update_label", "delete_label"})
_READ_LISTS = frozenset({"list_lists", "get_list"})
_CHANGE_LISTS = frozenset({"create_list", "update_list", "move_list", "delete_list", "restore_list"})
_READ_CHANGES = frozenset({"list_changes", "stream_changes"})
_READ_ACTIVITY = frozenset({"list_activity", "list_task_activity"})
_UNDO = frozenset({"undo_request", "undo_task"})

# Any of these scopes allows the operation.
SCOPES: dict[str, frozenset[Scope]] = {
    **dict.fromkeys(_READ_TASKS | _READ_LABELS | _READ_LISTS | _READ_CHANGES | _READ_ACTIVITY, frozenset({Scope.READ})),
    **dict.fromkeys(_CHANGE_TASKS | _CHANGE_LABELS | _CHANGE_LISTS | _UNDO, frozenset({Scope.WRITE})),
    "get_account": frozenset(Scope),
}
# A token for one list may call these. Row-level security then keeps it within its list.
IN_A_LIST = _READ_TASKS | _CHANGE_TASKS | _READ_LISTS | _READ_CHANGES


def scopes_of(operation: str) -> frozenset[Scope]:
    """Return the scopes that allow an operation, by its id; none if only a session JWT may call it."""
    return SCOPES.get(operation, frozenset())


def require_scope(allowing: frozenset[str], given: frozenset[str] | None) -> None:
    """Raise Forbidden unless the given scopes include one that allows the call; None stands for all scopes."""
    if given is not None and not given & allowing:
        raise Forbidden(next(iter(allowing), None))
