"""The statements about labels that changes and listings of tasks need."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Text, any_, case, cast, column, func
from sqlalchemy import bindparam as bind
from sqlalchemy.dialects.postgresql import aggregate_order_by, distinct_on
from sqlmodel import select

from backend.models.tables import labels, tasks
from backend.services.labels.queries import LABELS
from backend.services.resources.statements import number


def _texts(name: str) -> ColumnElement[Any]:
    return cast(bind(name), ARRAY(Text))


def _spellings() -> ColumnElement[Any]:
    """Select the names of the user's labels with these keys, in a fixed order; null if there are none."""
    names = func.array_agg(aggregate_order_by(labels.c.name, labels.c.name.collate("C")))
    return select(names).where(LABELS.own, labels.c.match_key == any_(_texts("label_keys"))).scalar_subquery()


def _compared(operator: str, names: ColumnElement[Any]) -> ColumnElement[bool]:
    return tasks.c.labels.op(operator, is_comparison=True)(names)


def _names(parameter: str, *, are_all_needed: bool) -> ColumnElement[Any]:
    """Select a label for each of these names, by its key; null if there are none, or not all that are needed.

    Of labels that were two before and share a key, the label with the name key counts, or else the first by name.
    """
    given = func.unnest(_texts(parameter), _texts(f"{parameter}_match")).table_valued(
        column("name_key", Text), column("match_key", Text)
    )
    named = given.render_derived(name="given")
    each = (
        select(labels.c.name)
        .where(LABELS.own, labels.c.match_key == named.c.match_key)
        .ext(distinct_on(named.c.name_key))
        .order_by(named.c.name_key, (labels.c.name_key == named.c.name_key).desc(), labels.c.name.collate("C"))
        .subquery("each_label")
    )
    names: ColumnElement[Any] = func.array_agg(each.c.name, type_=ARRAY(Text))
    if are_all_needed:
        names = case((func.count() == func.cardinality(_texts(parameter)), names))
    return select(names).scalar_subquery()


# What a change loads besides its tasks, if it names labels: their spellings, and how many labels the user has.
OF_LABELS: dict[str, ColumnElement[Any]] = {"label_names": _spellings(), "number_of_labels": number(LABELS)}
# Behind row-level security, no index can serve conditions on arrays.
LABEL_CONDITIONS: dict[str, ColumnElement[bool]] = {
    "labels": _compared("@>", _names("filter_labels", are_all_needed=True)),
    "labels_any": _compared("&&", _names("filter_labels_any", are_all_needed=False)),
}
