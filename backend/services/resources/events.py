"""Events: the notes of a change as they are stored, along with it.

An event keeps what differs, as it was before. Of a row that is removed for good, all events lose the texts.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Table,
    Text,
    Uuid,
    any_,
    case,
    cast,
    column,
    func,
    literal_column,
)
from sqlalchemy import bindparam as bind
from sqlalchemy import update as update_of
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.sql.dml import Insert, Update
from sqlmodel import select

from backend.database.giving_way import in_turns
from backend.database.statements import OF_MANY_ROWS
from backend.models.activity import Verb
from backend.models.tables import events
from backend.services.resources.notes import BulkNote, Note
from backend.services.resources.parameters import USER_ID, owned
from backend.services.resources.verbs import SIGNS, verb_of
from backend.utils.postgres_json import to_json

# What an event does not keep: each change sets it, or it is derived.
_UNKEPT = {"id", "revision", "created_at", "updated_at", "request_hash", "has_subtasks", "name_key"}
TEXTS = ("title", "description", "labels", "name")
_TYPES: dict[str, Any] = {
    "revision": BigInteger(),
    "kind": Text(),
    "entity_id": Uuid(),
    "verb": Text(),
    "before": Text(),
}
_ORIGIN = ("actor", "via", "request_id")
_NAMES = ("user_id", *_ORIGIN, *_TYPES)
ONE = tuple(f"event_{name}" for name in _TYPES)
MANY = tuple(f"each_event_{name}" for name in _TYPES)  # parameters: their nth elements are one event


class Event(NamedTuple):
    """What is stored of a note."""

    revision: int
    kind: str
    entity_id: UUID
    verb: str
    before: str | None


def event_of(note: Note) -> Event:
    """Return what is stored of a note."""
    before = note.before
    if before is None:
        return Event(note.revision, note.kind, note.id, Verb.CREATED.value, None)
    if note.after is None:
        return Event(note.revision, note.kind, note.id, Verb.PURGED.value, "{}")
    kept = {
        name: old
        for name, old, new in zip(before._fields, before, note.after, strict=True)
        if old != new and name not in _UNKEPT
    }
    return Event(note.revision, note.kind, note.id, verb_of(kept), to_json(kept))


def _said(name: str) -> ColumnElement[Any]:
    """Return the parameter for a part of the origin."""
    return cast(bind(f"event_{name}"), Text)


def _record() -> Insert:
    values: dict[str, Any] = {name: bind(f"event_{name}", type_=kind) for name, kind in _TYPES.items()}
    values["before"] = cast(values["before"], JSONB)
    return insert(events).values({"user_id": USER_ID, **{name: _said(name) for name in _ORIGIN}, **values})


def _record_many() -> Insert:
    arrays = [cast(bind(name), ARRAY(kind)) for name, kind in zip(MANY, _TYPES.values(), strict=True)]
    rows = func.unnest(*arrays).table_valued(*(column(name, kind) for name, kind in _TYPES.items()))
    each = rows.render_derived(name="event")
    values = [cast(each.c[name], JSONB) if name == "before" else each.c[name] for name in _TYPES]
    found: Any = select(cast(USER_ID, Text), *map(_said, _ORIGIN), *values)  # more columns than the stubs support
    return insert(events).from_select(_NAMES, found)


@lru_cache(maxsize=64)
def recording(kind: str, statement: Update) -> Insert:
    """Return the statement that stores the events of one that changes many rows; it must run before that one.

    It reads the same rows, and compares what the other statement sets with what there is.
    """
    table: Any = statement.table
    new: dict[str, Any] = {str(getattr(name, "key", name)): value for name, value in (statement._values or {}).items()}  # noqa: SLF001
    condition: Any = statement.whereclause
    found = (
        select(new["revision"].label("revision"), table.c.id, _before(table, new).label("before"))
        .where(condition)
        .subquery("found")
    )
    values = [found.c.revision, literal_column(f"'{kind}'", Text), found.c.id, _verb(found.c.before), found.c.before]
    rows: Any = select(cast(USER_ID, Text), *map(_said, _ORIGIN), *values)  # more columns than the stubs support
    return insert(events).from_select(_NAMES, rows).execution_options(**OF_MANY_ROWS)


def _before(table: Table, new: dict[str, Any]) -> ColumnElement[Any]:
    """Write the fields that differ, as they are."""
    nothing = literal_column("'{}'::jsonb", JSONB)
    whole: ColumnElement[Any] = nothing
    for name in sorted(new.keys() - _UNKEPT):
        old = table.c[name]
        field = func.jsonb_build_object(literal_column(f"'{name}'", Text), old, type_=JSONB)
        whole = whole.op("||")(case((old.is_distinct_from(new[name]), field), else_=nothing))
    return whole


def _verb(before: ColumnElement[Any]) -> ColumnElement[str]:
    """Say what `verb_of` says."""
    choices = []
    for sign in SIGNS:
        name = literal_column(f"'{sign.field}'", Text)
        is_there: ColumnElement[bool] = func.jsonb_exists(before, name)
        if sign.was_set is not None:
            value = func.coalesce(func.jsonb_extract_path_text(before, name), literal_column("'false'", Text))
            is_there &= (value != literal_column("'false'", Text)) == sign.was_set
        choices.append((is_there, literal_column(f"'{sign.verb}'", Text)))
    return case(*choices, else_=literal_column(f"'{Verb.UPDATED}'", Text))


def without_texts() -> ColumnElement[Any]:
    """Leave the texts out of what an event keeps."""
    names = ", ".join(f"'{name}'" for name in TEXTS)
    return events.c.before.op("-")(literal_column(f"ARRAY[{names}]", ARRAY(Text)))


RECORD = _record()
RECORD_MANY = _record_many()
FORGET = update_of(events).where(owned(events), events.c.entity_id == any_(cast(bind("forgotten"), ARRAY(Uuid))))
FORGET = FORGET.values(before=without_texts())


def stored(notes: Iterable[Note | BulkNote]) -> list[tuple[Any, dict[str, Any]]]:
    """Return the statements that store the events of notes, with their parameters.

    What changed many rows is not among them: see `recording`.
    """
    single = [event_of(note) for note in in_turns(notes) if isinstance(note, Note)]
    if len(single) == 1:
        found: list[tuple[Any, dict[str, Any]]] = [(RECORD, dict(zip(ONE, single[0], strict=True)))]
    elif single:
        columns: list[list[Any]] = [[] for _ in MANY]
        for event in in_turns(single):  # zip(*single) would take one long turn for all of them
            for values, value in zip(columns, event, strict=True):
                values.append(value)
        found = [(RECORD_MANY, dict(zip(MANY, columns, strict=True)))]
    else:
        return []
    gone = [event.entity_id for event in single if event.verb == Verb.PURGED]
    return [*found, (FORGET, {"forgotten": gone})] if gone else found
