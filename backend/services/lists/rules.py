"""The rules about lists: pure functions from a stored list, a request and a time to the list as it should be."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from backend.database.giving_way import give_way
from backend.errors import Conflict, Detail, NotFound, PreconditionFailed, ValidationFailed
from backend.models.list import ListCreate, ListFields, ListUpdate
from backend.models.move import Move
from backend.utils.fingerprint import fingerprint
from backend.utils.positions import END, LAST, Place, make_room

_NO_LIST_THERE = "You have no list with this id, or it is in the trash: GET /api/lists lists yours"
_OTHER_LIST = Detail("id", "other_list", "This is not the id of this list: send a list under its own id")


class ListNotFound(NotFound):
    """A missing, deleted, foreign or malformed list id; the answer does not say which."""

    message = "List not found. Check the id: GET /api/lists lists your lists; if it was deleted, restore it."


class TooManyLists(Conflict):
    """The user already has the maximum number of lists."""

    message = "You have 500 lists, as many as there may be, with those in the trash. Delete some with permanent=true."

    def __init__(self) -> None:
        super().__init__(details=(Detail("body", "too_many_lists", self.message),))


class ListConflict(Conflict):
    """A new list would get the id of another one."""

    message = "Another list has this id, or one in the trash. Choose another id, or restore that list."


class ListChanged(PreconditionFailed):
    """The list is not as the client last saw it."""

    message = "The list is not in the state that your request expects, so nothing was changed. See data for its state."


class Row(NamedTuple):
    """A stored list. Its fields are the stored columns, except the user's id."""

    id: UUID
    created_at: datetime
    updated_at: datetime
    name: str = ""
    color: str | None = None
    archived_at: datetime | None = None
    deleted_at: datetime | None = None
    revision: int = 0
    request_hash: bytes | None = None
    position: str = LAST

    @property
    def place(self) -> Place:
        """Return where the list stands."""
        return Place(self.position, self.id)

    @property
    def archived(self) -> bool:
        """Return whether the list is archived."""
        return self.archived_at is not None


def new_list(list_id: UUID, data: ListCreate, now: datetime) -> Row:
    """Return the list that a request makes. Its revision is set when it is counted."""
    return edited(Row(list_id, now, now), data, now)._replace(request_hash=request_hash_of(data))


def edited(found: Row, data: ListFields, at: datetime) -> Row:
    """Change the fields that a request names; if it archives the list, at this time."""
    said = data.model_dump(include=data.model_fields_set & ListFields.model_fields.keys())
    archived = said.pop("archived", found.archived)
    if archived != found.archived:
        said["archived_at"] = at if archived else None
    return found._replace(**said)


def refuse_another(data: ListUpdate, list_id: UUID) -> None:
    """Raise ValidationFailed if a list that is sent back whole is not this one."""
    named = data.named
    if named is None or named[0] is None:
        return
    if not isinstance(named[0], str) or named[0].lower() != str(list_id):
        raise ValidationFailed(details=(_OTHER_LIST,))


def trashed(found: Row, now: datetime) -> Row:
    """Move the list to the trash."""
    return found._replace(deleted_at=now)


def restored(found: Row) -> Row:
    """Bring the list back from the trash."""
    return found._replace(deleted_at=None)


def place_beside(to: Move, beside: Row | None) -> Place:
    """Return the place of the list that a request names, or the end; raises ValidationFailed for an unknown list."""
    if to.beside is None:
        return END
    if beside is None or beside.deleted_at is not None:
        raise ValidationFailed(details=(Detail(to.side, "list_unknown", _NO_LIST_THERE),))
    return beside.place


def moved(found: Row, side: str, near: Place, others: Iterable[Place]) -> dict[UUID, str]:
    """Return the new positions, by the ids, that put the list on this side of a place; none if it stands there.

    Other lists may have to make room for it, and get new positions, too. Raises NoRoom.
    """
    low = sorted(each for each in others if each < near or (each == near and side == "after"))
    high = sorted(each for each in others if each > near or (each == near and side == "before"))
    if (not low or low[-1] < found.place) and (not high or found.place < high[0]):
        return {}
    low.reverse()
    before, after = ([*(position for position, _ in side_of), None] for side_of in (low, high))
    room = make_room(before, after, give_way)
    making = [*low[: len(room.before)], *high[: len(room.after)]]
    positions = [*room.before, *room.after]
    return {found.id: room.position} | {each.id: position for each, position in zip(making, positions, strict=True)}


def request_hash_of(data: ListCreate) -> bytes | None:
    """Return a hash that identifies a create request with an id chosen by the client; None without such an id.

    A position counts only if the request names one: so the release before makes the same hash.
    """
    said = (data.name, data.color, data.archived, *([data.position] if data.position else []))
    return fingerprint(*said) if data.id else None
