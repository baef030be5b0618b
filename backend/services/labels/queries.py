"""The statements about labels, built once. Tasks spell a label exactly as its row does."""

from __future__ import annotations

from collections.abc import Callable
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
    literal_column,
    update,
)
from sqlalchemy import bindparam as bind
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.sql.dml import Update
from sqlmodel import select
from sqlmodel.sql.expression import Select

from backend.errors import LabelNotFound, TooManyLabels
from backend.models.export import ExportedLabel
from backend.models.label import LabelPublic
from backend.models.tables import labels, tasks
from backend.models.values.label_names import MAX_LABELS
from backend.services.labels.rules import Row
from backend.services.resources import statements
from backend.services.resources.parameters import OWNED
from backend.services.resources.resource import Resource
from backend.services.tasks.columns import ALIVE
from backend.services.unit_of_work import Rows

# As the index has it: part of the text, for as a value Postgres could not tell that the index is enough.
_CARRY_ANY = tasks.c.labels != literal_column("'{}'::text[]", ARRAY(Text))


# What labels are: all that is the same for every resource follows from this.
LABELS = Resource(
    kind="label",
    table=labels,
    row=Row,
    public=LabelPublic,
    exported=ExportedLabel,
    max_rows=MAX_LABELS,
    too_many=TooManyLabels,
    not_found=LabelNotFound,
)
_OLD_NAME: ColumnElement[str] = bind("label_before", type_=Text)
_REVISION: ColumnElement[int] = LABELS.value("revision")


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
        .where(OWNED, tasks.c.in_trash.is_(False), _CARRY_ANY)
        .group_by(tasks.c.labels)
        .subquery("alike")
    )
    name = func.unnest(alike.c.names).column_valued("carried_name")
    number = cast(func.sum(alike.c.number), BigInteger).label("number")
    return select(name.label("name"), number).select_from(alike).group_by(name).subquery("carried")


def _tasks_with() -> ColumnElement[Any]:
    """Count the tasks that carry a label: the living ones, and all."""
    counts: ColumnElement[Any] = array([func.count().filter(ALIVE), func.count()])
    carrying = select(counts).select_from(tasks).where(OWNED, _CARRY_ANY, labels.c.name == any_(tasks.c.labels))
    return carrying.correlate(labels).scalar_subquery()


def _change_tasks(changed: Callable[[ColumnElement[Any]], ColumnElement[Any]]) -> Update:
    """Change the labels of the tasks that carry one, with consecutive revisions in the order of those they had."""
    number = func.row_number().over(order_by=(tasks.c.revision, tasks.c.id))
    carrying = (
        select(tasks.c.id, number.label("number"))
        .where(OWNED, _CARRY_ANY, any_(tasks.c.labels) == _OLD_NAME)
        .subquery("carrying")
    )
    return (
        update(tasks)
        .where(OWNED, tasks.c.id == carrying.c.id)
        .values(
            labels=changed(tasks.c.labels),
            revision=_REVISION + carrying.c.number,
            updated_at=func.greatest(func.now(), tasks.c.updated_at),
        )
    )


LIST = _list()
# With these keys, and how many tasks carry each; and how many labels the user has.
NAMED = Rows(
    labels,
    (*(labels.c[name] for name in LABELS.stored), _tasks_with()),
    LABELS.own & (labels.c.match_key == any_(cast(bind("label_keys"), ARRAY(Text)))),
    (statements.number(LABELS),),
)
NAME_OF = select(labels.c.name).where(LABELS.own, labels.c.id == LABELS.value("id"))
INSERT = statements.insert_one(LABELS)
UPDATE = statements.update_one(LABELS)
REMOVE = statements.remove_one(LABELS)
RENAME_ON_TASKS = _change_tasks(lambda names: func.array_replace(names, _OLD_NAME, LABELS.value("name")))
TAKE_OFF_TASKS = _change_tasks(lambda names: func.array_remove(names, _OLD_NAME))
