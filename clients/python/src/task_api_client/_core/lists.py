"""The calls of lists and labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Optional

from task_api_client._core.context import Context
from task_api_client._core.reading import read
from task_api_client._core.sending import change, path_of
from task_api_client._core.sending import get as reading
from task_api_client._core.sessions import data_of
from task_api_client._core.steps import Call, Request
from task_api_client._core.tasks import removal
from task_api_client.inputs import IfMatch, LabelChanges, ListChanges, ListQuery, NewListFields, Place, TasksOfDeleted
from task_api_client.values import Label, List

if TYPE_CHECKING:
    from typing_extensions import Unpack


def _list(context: Context, request: Request) -> Call[List]:
    return read(List, (yield from data_of(context, request)))


def list_lists(context: Context, **query: Unpack[ListQuery]) -> Call[list[List]]:
    """List the lists, in their order."""
    found = yield from data_of(context, reading(path_of("lists", query=query)))
    return [read(List, item) for item in found]


def get_list(context: Context, list_id: str) -> Call[List]:
    """Read a list."""
    return (yield from _list(context, reading(path_of("lists", list_id))))


def create_list(context: Context, name: str, **fields: Unpack[NewListFields]) -> Call[List]:
    """Create a list, once, even if an answer is lost."""
    return (yield from _list(context, change("POST", path_of("lists"), {"name": name, **fields})))


def update_list(
    context: Context, list_id: str, *, if_match: Optional[IfMatch] = None, **changes: Unpack[ListChanges]
) -> Call[List]:
    """Edit a list. Raises PreconditionFailed, which has the list as it is now."""
    return (yield from _list(context, change("PATCH", path_of("lists", list_id), dict(changes), if_match)))


def remove_list(
    context: Context,
    list_id: str,
    *,
    tasks: Optional[TasksOfDeleted] = None,
    permanent: bool = False,
    if_match: Optional[IfMatch] = None,
) -> Call[None]:
    """Delete a list. Its tasks go to the trash, or to the inbox with `tasks="inbox"`."""
    path = path_of("lists", list_id, query={"tasks": tasks, "permanent": permanent or None})
    yield from removal(context, change("DELETE", path, None, if_match))


def restore_list(context: Context, list_id: str, *, if_match: Optional[IfMatch] = None) -> Call[List]:
    """Take a list out of the trash."""
    return (yield from _list(context, change("POST", path_of("lists", list_id, "restore"), None, if_match)))


def move_list(
    context: Context, list_id: str, *, if_match: Optional[IfMatch] = None, **place: Unpack[Place]
) -> Call[List]:
    """Move a list after or before another, or to the end."""
    return (yield from _list(context, change("POST", path_of("lists", list_id, "move"), dict(place), if_match)))


def list_labels(context: Context) -> Call[list[Label]]:
    """List the labels, with how many tasks carry each."""
    return [read(Label, item) for item in (yield from data_of(context, reading(path_of("labels"))))]


def put_label(context: Context, name: str, *, color: Optional[str] = None) -> Call[Label]:
    """Make a label, or give it a colour."""
    body = {} if color is None else {"color": color}
    return read(Label, (yield from data_of(context, change("PUT", path_of("labels", name), body))))


def update_label(context: Context, label: str, **changes: Unpack[LabelChanges]) -> Call[Label]:
    """Change a label; a new name goes to all its tasks."""
    return read(Label, (yield from data_of(context, change("PATCH", path_of("labels", label), dict(changes)))))


def remove_label(context: Context, name: str) -> Call[None]:
    """Delete a label, and take it off its tasks."""
    yield from removal(context, change("DELETE", path_of("labels", name)))
