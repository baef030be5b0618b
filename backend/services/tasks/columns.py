"""What the statements about tasks share: the columns that clients see, and tasks as JSON."""

from __future__ import annotations

from itertools import chain, groupby
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    ColumnElement,
    FromClause,
    Text,
    Uuid,
    and_,
    case,
    cast,
    func,
    literal_column,
    select,
)
from sqlalchemy import bindparam as bind
from sqlalchemy.sql.selectable import NamedFromClause

from backend.models.tables import tasks
from backend.models.task import Status, TaskPublic
from backend.services.resources.parameters import USER_ID, owned
from backend.services.resources.statements import as_json
from backend.utils.priorities import BANDS

TASK_ID = bind("task", type_=Uuid)
ALIVE = tasks.c.deleted_at.is_(None)

PUBLIC = tuple(name for name, field in TaskPublic.model_fields.items() if field.is_required())
PUBLIC_IN_TRASH = (*PUBLIC, "deleted_at")
# What few tasks have: null in most, or without elements.
RARE = ("due_date", "due_at", "start_date", "start_at", "timezone", "priority", "labels", "list_id", "parent_id")
# Never null, and only of letters, digits, - and _.
WITHOUT_ESCAPES = {"id", "status", "position"}


# Words are part of the text: as values, they would be sent with every call.
_DONE: ColumnElement[str] = literal_column(f"'{Status.DONE.value}'", Text)
STATUS: ColumnElement[str] = case((tasks.c.completed, _DONE), else_=tasks.c.open_status)
# The word of each number, from 1; null without a priority. Postgres plans it faster than a CASE.
_WORDS = literal_column(f"('{{{','.join(word for word, band in BANDS.items() for _ in band)}}}'::text[])", ARRAY(Text))
PRIORITY: ColumnElement[str | None] = _WORDS[tasks.c.priority]
# What clients see of `tasks` besides its columns, or in place of one.
SHOWN: dict[str, ColumnElement[Any]] = {"status": STATUS.label("status"), "priority": PRIORITY.label("priority")}


def public(source: FromClause, names: tuple[str, ...] = PUBLIC) -> tuple[ColumnElement[Any], ...]:
    """Return the columns that clients see, in the order of the documented model."""
    return tuple(SHOWN[name] if source is tasks and name in SHOWN else source.c[name] for name in names)


def subtask_counts(source: FromClause) -> ColumnElement[Any]:
    """Count the living subtasks of each task of the source, and how many of them are done."""
    below = tasks.alias("below")
    counts = func.json_build_object("total", func.count(), "done", func.count().filter(below.c.completed))
    conditions = (owned(below), below.c.parent_id == source.c.id, below.c.in_trash.is_(False))
    return select(counts).select_from(below).where(*conditions).correlate(source).scalar_subquery()


def as_json_of_many(source: FromClause, whole: NamedFromClause) -> ColumnElement[str]:
    """Turn each row of a long page into JSON text; `whole` is the row of `source` that clients see.

    `row_to_json` looks up the type of every column in every row, even where it is null. So a task in which all of RARE
    are empty is put together from pieces, with one constant for these. That takes longer to plan: it pays only where
    there are many rows.
    """
    of_arrays = [name for name in RARE if isinstance(source.c[name].type, ARRAY)]
    scalars = [source.c[name] for name in RARE if name not in of_arrays]
    no_elements = (source.c[name] == literal_column("'{}'") for name in of_arrays)
    is_plain = and_(func.num_nulls(*scalars) == len(scalars), *no_elements)
    pieces: list[str | ColumnElement[Any]] = []
    for name in PUBLIC:
        pieces.append(f'{"," if pieces else "{"}"{name}":')
        empty = "[]" if name in of_arrays else "null"
        pieces += [empty] if name in RARE else _value(source.c[name])
    texts = groupby([*pieces, "}"], lambda piece: isinstance(piece, str))
    joined = chain.from_iterable([f"'{''.join(group)}'"] if is_text else group for is_text, group in texts)  # type: ignore[arg-type]
    columns = (literal_column(piece) if isinstance(piece, str) else piece for piece in joined)
    return case((is_plain, func.concat(*columns, type_=Text)), else_=as_json(whole))


def _value(column: ColumnElement[Any]) -> tuple[str | ColumnElement[Any], ...]:
    """Write a column as JSON, in pieces. Where nothing needs escapes, or is null, there are shorter ways."""
    name = str(column.key)
    if name == "user_id":  # once, not in every row
        return (select(func.to_json(cast(USER_ID, Text))).scalar_subquery(),)
    if name in WITHOUT_ESCAPES:
        return '"', column, '"'
    is_nullable = name not in tasks.c or tasks.c[name].nullable
    if not is_nullable and isinstance(column.type, BigInteger):
        return (column,)
    if not is_nullable and isinstance(column.type, Boolean):
        return (case((column, literal_column("'true'")), else_=literal_column("'false'")),)
    written = func.to_json(column)
    return (func.coalesce(cast(written, Text), literal_column("'null'")) if is_nullable else written,)
