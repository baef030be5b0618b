"""Conditions of listings about dues: an exact condition, beside a condition on `due_key` that an index serves.

An exact condition depends on a zone, or on both columns of a due, so no index can serve it. The condition
on `due_key` lets some tasks through whose due is within the offset of a zone. No other rows are read.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Date,
    DateTime,
    Interval,
    Text,
    and_,
    cast,
    false,
    func,
    literal,
    not_,
    or_,
)
from sqlalchemy import bindparam as bind
from sqlmodel import select

from backend.models.tables import tasks
from backend.models.task import Status

Condition = Callable[[ColumnElement[str]], ColumnElement[bool]]

_MOMENT = DateTime(timezone=True)
_ZONE_OF_REQUEST = bind("zone", type_=Text)
# No zone was ever further from UTC.
_FURTHEST: ColumnElement[timedelta] = literal(timedelta(hours=16), Interval)
INFINITY: ColumnElement[Any] = cast(literal("infinity", Text), _MOMENT)
_NOW = func.now()


def zone_of(zone_of_user: ColumnElement[str]) -> ColumnElement[str]:
    """Return the zone in which days begin: the zone of the request, or else of the user, or else UTC."""
    return _once(func.coalesce(_ZONE_OF_REQUEST, zone_of_user, literal("UTC", Text), type_=Text))


def _once(value: ColumnElement[str]) -> ColumnElement[str]:
    """Let Postgres compute a value once, not for each row."""
    return select(value).scalar_subquery()


def _day_of(moment: ColumnElement[Any], zone: ColumnElement[str]) -> ColumnElement[Any]:
    return cast(func.timezone(zone, moment), Date)


def _begins(day: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return the time at which a day begins in UTC."""
    return func.timezone(literal("UTC", Text), cast(day, DateTime()), type_=_MOMENT)


def _has_passed(zone: ColumnElement[str]) -> ColumnElement[bool]:
    today = select(_day_of(_NOW, zone)).scalar_subquery()
    return or_(tasks.c.due_date < today, tasks.c.due_at < _NOW)


def _overdue(zone: ColumnElement[str]) -> ColumnElement[bool]:
    is_open = and_(tasks.c.completed == false(), tasks.c.open_status != Status.CANCELLED.value)
    return and_(is_open, _has_passed(zone), tasks.c.due_key < _NOW + _FURTHEST)


def _not_overdue(zone: ColumnElement[str]) -> ColumnElement[bool]:
    is_closed = or_(tasks.c.completed, tasks.c.open_status == Status.CANCELLED.value)
    return or_(is_closed, not_(func.coalesce(_has_passed(zone), false())))


def _before_day(zone: ColumnElement[str]) -> ColumnElement[bool]:
    day = cast(bind("filter_due_before_day"), Date)
    is_before = or_(tasks.c.due_date < day, _day_of(tasks.c.due_at, zone) < day)
    return and_(is_before, tasks.c.due_key < _begins(day) + _FURTHEST)


def _after_day(zone: ColumnElement[str]) -> ColumnElement[bool]:
    day = cast(bind("filter_due_after_day"), Date)
    is_after = or_(tasks.c.due_date > day, _day_of(tasks.c.due_at, zone) > day)
    return and_(is_after, tasks.c.due_key > _begins(day) - _FURTHEST)


def _before_time(zone: ColumnElement[str]) -> ColumnElement[bool]:
    moment = cast(bind("filter_due_before_time"), _MOMENT)
    day = select(_day_of(moment, zone)).scalar_subquery()
    return and_(or_(tasks.c.due_at < moment, tasks.c.due_date < day), tasks.c.due_key < moment + _FURTHEST)


def _after_time(zone: ColumnElement[str]) -> ColumnElement[bool]:
    moment = cast(bind("filter_due_after_time"), _MOMENT)
    day = select(_day_of(moment, zone)).scalar_subquery()
    return and_(or_(tasks.c.due_at > moment, tasks.c.due_date > day), tasks.c.due_key > moment - _FURTHEST)


DUE_CONDITIONS: dict[str, Condition] = {
    "overdue": _overdue,
    "not_overdue": _not_overdue,
    "due_before_day": _before_day,
    "due_before_time": _before_time,
    "due_after_day": _after_day,
    "due_after_time": _after_time,
    "has_due": lambda _: tasks.c.due_key < INFINITY,
    "without_due": lambda _: tasks.c.due_key == INFINITY,
}
