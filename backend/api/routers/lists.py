"""/api/lists: the user's lists, and all tasks that are in one."""

from __future__ import annotations

from typing import Annotated

from fastapi import Body, Path, Query, Response

from backend.api.deps import IfMatch, IfNoneMatch, Once, OnlyNew, TokenAuthenticator, of_user
from backend.api.http.envelope import list_response, read_response, tagged_response
from backend.api.openapi.operations import errors, invalid
from backend.api.openapi.resources import Documented, Listing
from backend.api.routers.router import Router
from backend.errors import NoRoom
from backend.models.base import RowDocument
from backend.models.fields import UUID_EXAMPLE, CanonicalUUID
from backend.models.list import ListCreate, ListDeleteQuery, ListsQuery, ListUpdate
from backend.models.move import BOTH, Move
from backend.services.lists import queries
from backend.services.lists.rules import ListConflict
from backend.services.lists.service import ListService
from backend.utils.plain_words import BLANK

LISTS = Documented(
    queries.LISTS,
    "list",
    "Your lists: their names and colours, and archiving and deleting them.",
    new=ListCreate,
    has_tag=True,
    listing=Listing("ListsAnswer", "The lists of the user.", "The lists, in the order that you have arranged"),
)
router = Router("/api/lists", "lists", LISTS)

Lists = Annotated[ListService, of_user(ListService)]
ListId = Annotated[CanonicalUUID, Path(description="The list's id", examples=["0197c1f0-7a3b-7c4d-8e5f-6a7b8c9d0e1f"])]
NewList = Annotated[
    ListCreate,
    Body(
        openapi_examples={
            "name": {"summary": "Only a name", "value": {"name": "Groceries"}},
            "color": {"summary": "With a colour", "value": {"name": "Groceries", "color": "#1e90ff"}},
        }
    ),
]
ListEdit = Annotated[
    ListUpdate,
    Body(
        openapi_examples={
            "rename": {"summary": "Change its name", "value": {"name": "Weekly groceries"}},
            "archive": {"summary": "Archive it", "value": {"archived": True}},
        }
    ),
]
Place = Annotated[
    Move,
    Body(
        openapi_examples={
            "end": {"summary": "To the end", "value": {}},
            "after": {"summary": "After another list", "value": {"after": UUID_EXAMPLE}},
        }
    ),
]
_NO_SIDE = invalid("before", "after_or_before", BOTH)
_BLANK = invalid("name", "string_too_short", BLANK)
_NO_PLACE = invalid("query.tasks", "enum", "Must be one of: trash, inbox")
_NO_FLAG = invalid("query.archived", "bool_parsing", "Must be true or false")


@router.post(
    "",
    summary="Create a list",
    status_code=201,
    responses=LISTS.made | LISTS.made_before | errors(ListConflict, _BLANK),
)
def create_list(lists: Lists, data: NewList, only_new: OnlyNew, _once: Once) -> Response:
    """Create a list.

    Only `name` is required. To make double clicks and retries safe, send your own `id` (a UUID) or an
    `Idempotency-Key`: repeating the request then creates no second list. With an `id`, a repeat is answered 200 with
    the current list; with a key, exactly as the first time.

    The answer is 409 if the `id` belongs to another list, or to one in the trash. It is also 409 if you have 500 lists,
    those in the trash included: the code in `details` is then `too_many_lists`.
    """
    return _created(lists.create(data, only_new=only_new))


def _created(found: RowDocument) -> Response:
    return tagged_response(found, status=201 if found.is_new else 200, Location=f"/api/lists/{found.id}")


@router.get("", summary="List the lists", responses=LISTS.listed("Your lists") | errors(_NO_FLAG))
def list_lists(lists: Lists, query: Annotated[ListsQuery, Query()], known: IfNoneMatch) -> Response:
    """List your lists in the order that you have arranged, without the archived ones.

    You have at most 500, so there are no pages. Tasks that are in no list are in the inbox, which is not among your
    lists: `GET /api/tasks?list_id=inbox` lists them. Send the `ETag` that you have as `If-None-Match`: if none of your
    tasks, labels and lists has changed, you get 304 immediately.
    """
    return list_response(lists.list(query, known.known), known)


@router.get("/{list_id:id}", summary="Read a list", responses=LISTS.read)
def get_list(lists: Lists, list_id: ListId, known: IfNoneMatch) -> Response:
    """Read one of your lists. `GET /api/tasks?list_id=…` lists its tasks."""
    return read_response(lists.get(list_id), known)


@router.put("/{list_id:id}", include_in_schema=False)  # documented once, as PATCH
@router.patch("/{list_id:id}", summary="Rename, colour or archive a list", responses=LISTS.changed | errors(_BLANK))
def update_list(lists: Lists, list_id: ListId, expected: IfMatch, data: ListEdit) -> Response:
    """Rename one of your lists, change its colour, or archive it.

    Omitted fields keep their values. `{"archived": true}` hides the list; its tasks stay as they are, and
    `GET /api/tasks?in_archived=false` leaves them out. A request that changes nothing leaves `updated_at` and
    `revision` unchanged. You can send a whole list back with some fields changed: what only the service sets is
    ignored. PUT does the same.

    Send the `ETag` that you have as `If-Match` to avoid overwriting an edit that was made since you read the list.
    """
    return tagged_response(lists.update(list_id, data, expected))


@router.delete(
    "/{list_id:id}",
    summary="Delete a list (its tasks to the trash, or to the inbox)",
    status_code=204,
    responses=LISTS.removed | errors(_NO_PLACE),
)
def delete_list(
    lists: Lists,
    authenticator: TokenAuthenticator,
    list_id: ListId,
    expected: IfMatch,
    query: Annotated[ListDeleteQuery, Query()],
) -> Response:
    """Delete one of your lists, and move its tasks to the trash or to the inbox.

    The list moves to the trash and counts as missing from then on. Its tasks move to the trash along with it. With
    `tasks=inbox`, they go to the inbox instead, and so do those in the trash, which stay there. You can restore the
    list for 30 days. With `permanent=true` the list is removed for good, even if it is already in the trash; its tasks
    go the same ways, and can still be restored from the trash. Personal access tokens for this list alone are then
    revoked, and stop working everywhere within a minute.
    """
    try:
        (lists.remove if query.permanent else lists.delete)(list_id, expected, tasks=query.tasks)
    finally:
        authenticator.forget(lists.user_id)
    return Response(status_code=204)


@router.post("/{list_id:id}/restore", summary="Restore a list from the trash", responses=LISTS.changed)
def restore_list(lists: Lists, list_id: ListId, expected: IfMatch, _once: Once) -> Response:
    """Restore one of your lists from the trash, with the tasks that moved there along with it.

    A list that is not in the trash is returned unchanged, so this call is safe to repeat.
    """
    return tagged_response(lists.restore(list_id, expected))


@router.post(
    "/{list_id:id}/move", summary="Move a list to another place", responses=LISTS.changed | errors(NoRoom, _NO_SIDE)
)
def move_list(lists: Lists, list_id: ListId, expected: IfMatch, _once: Once, data: Place) -> Response:
    """Move one of your lists to another place among them.

    Send the id of the list that it should stand directly `after` or `before`; with neither, it moves to the end. It
    gets a `position` between its neighbours. Where neighbours have equal positions, some lists get a new position.
    Otherwise, only the moved list changes. A list that already stands there is returned unchanged, so this call is safe
    to repeat.
    """
    return tagged_response(lists.move(list_id, data, expected))
