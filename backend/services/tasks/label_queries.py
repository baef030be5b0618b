"""The statements about labels that changes and listings of tasks need."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ARRAY, BigInteger, ColumnElement, Text, Uuid, any_, case, cast, column, func
from sqlalchemy import bindparam as bind
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.dml import Insert
from sqlalchemy.types import TypeEngine
from sqlmodel import select

from backend.models.tables import labels, tasks
from backend.services.unit_of_work import USER_ID

_OWNED = labels.c.user_id == USER_ID
_NEW: dict[str, TypeEngine[Any]] = {"id": Uuid(), "name": Text(), "name_key": Text(), "revision": BigInteger()}
NEW_LABELS = tuple(f"each_label_{name}" for name in _NEW)  # parameters: the nth elements of all arrays are one label


def _keys(name: str) -> ColumnElement[Any]:
    return cast(bind(name), ARRAY(Text))


def _spellings() -> ColumnElement[str]:
    """Select the user's labels with these keys, as the JSON of their names by their keys."""
    names = cast(func.json_object_agg(labels.c.name_key, labels.c.name), Text)
    named = select(func.coalesce(names, "{}")).where(_OWNED, labels.c.name_key == any_(_keys("label_keys")))
    return named.scalar_subquery()


def _make() -> Insert:
    arrays = [cast(bind(name), ARRAY(kind)) for name, kind in zip(NEW_LABELS, _NEW.values(), strict=True)]
    rows = func.unnest(*arrays).table_valued(*(column(name, kind) for name, kind in _NEW.items()))
    each = rows.render_derived(name="label")
    return insert(labels).from_select(["user_id", *_NEW], select(USER_ID, *(each.c[name] for name in _NEW)))


def _compared(operator: str, names: ColumnElement[Any]) -> ColumnElement[bool]:
    return tasks.c.labels.op(operator, is_comparison=True)(names)


def _names(parameter: str, *, are_all_needed: bool) -> ColumnElement[Any]:
    """Select the names of the labels with these keys; null if there are none, or not all that are needed."""
    names: ColumnElement[Any] = func.array_agg(labels.c.name, type_=ARRAY(Text))
    if are_all_needed:
        names = case((func.count() == func.cardinality(_keys(parameter)), names))
    return select(names).where(_OWNED, labels.c.name_key == any_(_keys(parameter))).scalar_subquery()


# What a change loads besides its tasks, if it names labels: their spellings, and how many labels the user has.
OF_LABELS: tuple[ColumnElement[Any], ...] = (
    _spellings(),
    select(func.count()).select_from(labels).where(_OWNED).scalar_subquery(),
)
MAKE_LABELS = _make()
# Behind row-level security, no index can serve conditions on arrays.
LABEL_CONDITIONS: dict[str, ColumnElement[bool]] = {
    "labels": _compared("@>", _names("filter_labels", are_all_needed=True)),
    "labels_any": _compared("&&", _names("filter_labels_any", are_all_needed=False)),
}
