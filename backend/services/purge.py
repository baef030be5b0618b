"""Removes expired rows.

What is in the trash, and tombstones, expire after 30 days, and events after 90. With what is in the trash go its texts
in the events. Personal access tokens and sessions go 30 days after their own end, and stored answers after 24 hours.
First the purge asks, for no user, which users have such rows: a function from the migrations returns that and nothing
else. Then it removes the rows as one user after another.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator
from dataclasses import asdict, astuple, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ARRAY,
    CTE,
    BigInteger,
    Column,
    ColumnElement,
    ScalarSelect,
    Text,
    cast,
    delete,
    exists,
    func,
    literal,
    tuple_,
    union_all,
    update,
)
from sqlalchemy import bindparam as bind
from sqlmodel import select
from sqlmodel.sql.expression import Select, SelectOfScalar

from backend.database.session import SessionFactory
from backend.models.tables import events, idempotency_keys, lists, sessions, tasks, tombstones, users
from backend.models.user import NOBODY
from backend.services.loading import KEPT
from backend.services.registry import RESOURCES
from backend.services.resources.events import without_texts
from backend.services.resources.parameters import USER_ID

TRASH_TIME = timedelta(days=30)  # repeated in that function
EVENT_TIME = timedelta(days=90)  # likewise
MAX_FOUND = 1000  # rows of a table that a statement searches for users
MAX_PURGED = 1000  # rows of a table that a statement removes: requests of the user may wait for it
MAX_PASSED_OVER = 1000  # users to remember; after that, the first is forgotten and tried again
MAX_ROUNDS = 100_000  # of searching for users

_MAX_ROWS: ColumnElement[int] = bind("max_rows", type_=BigInteger)


def _is_older(column: Column[datetime], age: timedelta) -> ColumnElement[bool]:
    return column < func.now() - age


def _find() -> SelectOfScalar[str]:
    """Select some users who have expired rows, except those passed over."""
    passed_over = cast(bind("passed_over"), ARRAY(Text))
    return select(func.users_with_expired_rows(passed_over, cast(_MAX_ROWS, BigInteger), type_=Text))


def _purge() -> Select[int, int, int, int, int, int, int]:
    """Remove some of a user's expired rows, and select how many of each kind.

    Selects no row when the user is gone, or when another transaction has locked the user's row: it does not wait.
    """
    locked = (
        select(users.c.id, users.c.task_count, users.c.purged_revision)
        .where(users.c.id == USER_ID)
        .with_for_update(key_share=True, skip_locked=True)
        .cte("locked")
    )
    removed = {kind: _removed(column, age, locked, *_ALSO.get(kind, ())) for kind, (column, age) in TIMES.items()}
    counted_rows = {kind: rows for kind, rows in removed.items() if "revision" in rows.c}
    gone = union_all(
        *(
            select(rows.c.user_id, rows.c.revision, literal(int(kind == "task")).label("tasks"))
            for kind, rows in counted_rows.items()
        )
    ).subquery("gone")
    total = (
        select(gone.c.user_id, func.max(gone.c.revision).label("revision"), func.sum(gone.c.tasks).label("tasks"))
        .group_by(gone.c.user_id)
        .subquery("total")
    )
    counted = (
        update(users)
        .where(users.c.id == USER_ID, users.c.id == locked.c.id, users.c.id == total.c.user_id)
        .values(
            task_count=locked.c.task_count - total.c.tasks,
            # A client that has seen this change has missed nothing, whichever rows are left for the next statement.
            purged_revision=func.greatest(locked.c.purged_revision, total.c.revision),
        )
        .cte("counted")
    )
    counts: Any = select(*map(_count, removed.values()))  # more columns than the stubs support
    purge: Select[int, int, int, int, int, int, int] = counts.select_from(locked).add_cte(
        counted, *(_without_texts(removed[kind]) for kind in _ALSO_TEXTS)
    )
    return purge


def _removed(column: Column[datetime], age: timedelta, locked: CTE, *also: ColumnElement[bool]) -> CTE:
    """Remove expired rows of the user.

    The conditions appear twice: a row may have changed between the start of the statement and the lock.
    """
    table = column.table
    conditions = (table.c.user_id == USER_ID, _is_older(column, age), *also)
    some = select(*table.primary_key).where(*conditions).limit(_MAX_ROWS)
    names = ("user_id", "revision", "id") if "id" in table.c else ("user_id", "revision")
    # The feed does not tell of events: that they go is nothing that its readers have missed.
    returned = [table.c.user_id] if table is events else [table.c[name] for name in names if name in table.c]
    return (
        delete(table)
        .where(*conditions, table.c.user_id == locked.c.id, tuple_(*table.primary_key).in_(some))
        .returning(*returned)
        .cte(f"removed_{table.name}")
    )


def _without_texts(removed: CTE) -> CTE:
    """Remove the texts of removed rows from their events."""
    of_removed = (events.c.user_id == USER_ID) & events.c.entity_id.in_(select(removed.c.id))
    return update(events).where(of_removed).values(before=without_texts()).cte(f"forgotten_{removed.name}")


def _count(rows: CTE) -> ScalarSelect[int]:
    return select(func.count()).select_from(rows).scalar_subquery()


# What expires: the time from which a row is kept for so long only.
TIMES: dict[str, tuple[Column[datetime], timedelta]] = {
    **{resource.kind: (resource.expires, TRASH_TIME) for resource in RESOURCES if resource.expires is not None},
    "tombstone": (tombstones.c.deleted_at, TRASH_TIME),
    "idempotency_key": (idempotency_keys.c.created_at, KEPT),
    "session": (sessions.c.expires_at, TRASH_TIME),
    "event": (events.c.at, EVENT_TIME),
}

_ALSO_TEXTS = tuple(resource.kind for resource in RESOURCES if resource.has_trash)
_inside = tasks.alias("inside")
# A list goes after its tasks. These may be more than a statement removes.
_ALSO = {
    "list": (~exists().where(_inside.c.user_id == USER_ID, _inside.c.in_trash, _inside.c.list_id == lists.c.id),),
}

FIND = _find()
PURGE = _purge()
# How each kind is said: by the last word of its name.
_NAMES = [f"{kind.rpartition('_')[2]}s" for kind in TIMES]


@dataclass(frozen=True, slots=True)
class Purged:
    """How many rows of each kind were removed."""

    tasks: int = 0
    lists: int = 0
    tombstones: int = 0
    keys: int = 0
    tokens: int = 0
    sessions: int = 0
    events: int = 0

    def __add__(self, other: Purged) -> Purged:
        return Purged(*map(sum, zip(astuple(self), astuple(other), strict=True)))

    def __bool__(self) -> bool:
        return self != Purged()

    def __str__(self) -> str:
        return ", ".join(
            f"{count} {names.removesuffix('s') if count == 1 else names}" for names, count in asdict(self).items()
        )


@dataclass(frozen=True, slots=True)
class UserPurge:
    """The expired rows of one user."""

    sessions: SessionFactory
    user_id: str

    def step(self) -> Purged:
        """Remove up to MAX_PURGED rows of each kind; none while another transaction writes for this user."""
        with self.sessions(self.user_id) as session:
            rows = session.exec(PURGE, params={"principal": self.user_id, "max_rows": MAX_PURGED})
        return Purged(**dict(zip(_NAMES, rows[0], strict=True))) if rows else Purged()


@dataclass(frozen=True, slots=True)
class PurgeService:
    """The expired rows of all users."""

    sessions: SessionFactory

    def steps(self) -> Iterator[Purged]:
        """Remove them in steps of one round trip; yields what a step has removed.

        Busy users are passed over: the next purge is soon enough. Raises ServiceUnavailable when the database does not
        answer.
        """
        passed_over: deque[str] = deque(maxlen=MAX_PASSED_OVER)
        for _ in range(MAX_ROUNDS):
            user_ids = self._find(passed_over)
            yield Purged()
            for user_id in user_ids:
                purged = UserPurge(self.sessions, user_id).step()
                yield purged
                if not purged:
                    passed_over.append(user_id)
            if not user_ids:
                break

    def _find(self, passed_over: Collection[str]) -> list[str]:
        params = {"max_rows": MAX_FOUND, "passed_over": list(passed_over)}
        with self.sessions(NOBODY) as session:
            return [user_id for (user_id,) in session.exec(FIND, params=params)]
