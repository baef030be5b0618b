"""The statements about labels, built once. Tasks spell a label exactly as its row does."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Subquery,
    Text,
    any_,
    cast,
    func,
)
from sqlalchemy import bindparam as bind
from sqlalchemy.dialects.postgresql import array
from sqlmodel import select
from sqlmodel.sql.expression import Select

from backend.models.label import ExportedLabel, ImportedLabel, LabelInFeed, LabelPublic, LabelPut, LabelUpdate
from backend.models.tables import labels, tasks
from backend.models.values.label_names import MAX_LABELS
from backend.services.labels.rules import LabelNotFound, Row, TooManyLabels
from backend.services.loading import Rows
from backend.services.resources import statements
from backend.services.resources.parameters import OWNED
from backend.services.resources.resource import Resource
from backend.services.tasks.bulk import CARRY_ANY
from backend.services.tasks.columns import ALIVE

# What labels are: all that is the same for every resource follows from this.
LABELS = Resource(
    kind="label",
    table=labels,
    row=Row,
    public=LabelPublic,
    exported=ExportedLabel,
    inputs=(LabelPut, LabelUpdate),
    max_rows=MAX_LABELS,
    too_many=TooManyLabels,
    not_found=LabelNotFound,
    in_feed=LabelInFeed,
    imported=ImportedLabel,
)


def _list() -> Select[str, str | None]:
    """Select the labels in the order of their names, each with the number of its tasks."""
    carried = _carried()
    number = func.coalesce(carried.c.number, 0).label("task_count")
    columns = [number if each == number.name else labels.c[each] for each in LabelPublic.model_fields]
    order = (labels.c.name_key.collate("C"),)
    return statements.listed(LABELS, columns, order, beside=(carried, carried.c.name == labels.c.name))


def _carried() -> Subquery:
    """Count the living tasks that carry each label. Many carry the same ones: these are taken apart only once."""
    alike = (
        select(tasks.c.labels.label("names"), func.count().label("number"))
        .where(OWNED, tasks.c.in_trash.is_(False), CARRY_ANY)
        .group_by(tasks.c.labels)
        .subquery("alike")
    )
    name = func.unnest(alike.c.names).column_valued("carried_name")
    number = cast(func.sum(alike.c.number), BigInteger).label("number")
    return select(name.label("name"), number).select_from(alike).group_by(name).subquery("carried")


def _tasks_with() -> ColumnElement[Any]:
    """Count the tasks that carry a label: the living ones, and all."""
    counts: ColumnElement[Any] = array([func.count().filter(ALIVE), func.count()])
    carrying = select(counts).select_from(tasks).where(OWNED, CARRY_ANY, labels.c.name == any_(tasks.c.labels))
    return carrying.correlate(labels).scalar_subquery()


LIST = _list()
# With these keys, and how many tasks carry each; and how many labels the user has.
NAMED = Rows(
    labels,
    Row,
    LABELS.own & (labels.c.match_key == any_(cast(bind("label_keys"), ARRAY(Text)))),
    beside={"numbers": _tasks_with()},
    once={"number": statements.number(LABELS)},
)
NAME_OF = select(labels.c.name).where(LABELS.own, labels.c.id == LABELS.value("id"))
