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
    Uuid,
    any_,
    case,
    cast,
    delete,
    func,
    literal,
    literal_column,
    update,
)
from sqlalchemy import bindparam as bind
from sqlalchemy.dialects.postgresql import aggregate_order_by, array, insert
from sqlalchemy.sql.dml import Update
from sqlmodel import select
from sqlmodel.sql.expression import Select

from backend.models.label import LabelPublic
from backend.models.tables import labels, tasks, users
from backend.services.labels.rules import Row
from backend.services.resources.parameters import OWNED, USER_ID
from backend.services.resources.statements import is_unknown, tag_of_account
from backend.services.tasks.columns import ALIVE
from backend.services.unit_of_work import Rows

_OWN_LABELS = labels.c.user_id == USER_ID
# As the index has it: part of the text, for as a value Postgres could not tell that the index is enough.
_CARRY_ANY = tasks.c.labels != literal_column("'{}'::text[]", ARRAY(Text))
_LABEL_ID: ColumnElement[Any] = bind("label", type_=Uuid)
_OLD_NAME: ColumnElement[str] = bind("label_before", type_=Text)
_REVISION: ColumnElement[int] = bind("label_revision", type_=BigInteger)


def _list() -> Select[str, str | None]:
    """Select the tag of all the user's data, and the labels as a JSON array; null for a client that has that tag.

    A user who never wrote anything has no row.
    """
    carried = _carried()
    number = func.coalesce(carried.c.number, 0).label("task_count")
    columns = [number if each == number.name else labels.c[each] for each in LabelPublic.model_fields]
    found = labels.outerjoin(carried, carried.c.name == labels.c.name)
    key = labels.c.name_key.collate("C").label("key")
    shown = select(*columns).correlate(labels, carried).lateral("shown")
    document = func.row_to_json(shown.table_valued())
    documents: Any = func.coalesce(cast(func.json_agg(aggregate_order_by(document, key)), Text), "[]")
    listed = select(documents).select_from(found.join(shown, literal(True))).where(_OWN_LABELS)
    tag = tag_of_account()
    return select(tag, case((is_unknown(tag), listed.scalar_subquery()))).where(users.c.id == USER_ID)


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


def _new(name: str) -> Any:
    return bind(f"label_{name}", type_=labels.c[name].type)


STORED = Row._fields
_CHANGING = ("name", "name_key", "color", "updated_at", "revision")

LIST = _list()
# With these keys, and how many tasks carry each; and how many labels the user has.
NAMED = Rows(
    labels,
    (*(labels.c[name] for name in STORED), _tasks_with()),
    _OWN_LABELS & (labels.c.match_key == any_(cast(bind("label_keys"), ARRAY(Text)))),
    (select(func.count()).select_from(labels).where(_OWN_LABELS).scalar_subquery(),),
)
NAME_OF = select(labels.c.name).where(_OWN_LABELS, labels.c.id == _LABEL_ID)
INSERT = insert(labels).values({"user_id": USER_ID, **{name: _new(name) for name in STORED}})
UPDATE = update(labels).where(_OWN_LABELS, labels.c.id == _LABEL_ID).values({name: _new(name) for name in _CHANGING})
REMOVE = delete(labels).where(_OWN_LABELS, labels.c.id == _LABEL_ID)
RENAME_ON_TASKS = _change_tasks(lambda names: func.array_replace(names, _OLD_NAME, bind("label_name", type_=Text)))
TAKE_OFF_TASKS = _change_tasks(lambda names: func.array_remove(names, _OLD_NAME))
