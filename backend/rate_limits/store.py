"""The request counts of users, over all workers. Runs for no user: no request can see or change them.

Users are counted under a hash of their id. So an account can be erased without a trace while its counts remain.
Otherwise, erasing it would reset the limit.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    DateTime,
    Text,
    any_,
    cast,
    delete,
    func,
    true,
    tuple_,
    union_all,
)
from sqlalchemy import bindparam as bind
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import select
from sqlmodel.sql.expression import Select, SelectOfScalar

from backend.database.session import SessionFactory
from backend.models.tables import rate_limits
from backend.models.user import NOBODY
from backend.rate_limits.counter import Count

MAX_SWEPT = 10_000  # rows in one statement, which must end long before its timeout


def _time(second: ColumnElement[int]) -> ColumnElement[datetime]:
    return func.to_timestamp(second, type_=DateTime(timezone=True))


def _sync() -> Select[str, int, int]:
    """Add a batch of counts, and select its users' totals: in the batch's windows, and in the two wanted ones."""
    columns = (rate_limits.c.user_id, rate_limits.c.window_start, rate_limits.c.requests)
    user_ids = cast(bind("ids"), ARRAY(Text))
    arrays = [user_ids, *(cast(bind(name), ARRAY(BigInteger)) for name in ("seconds", "counts"))]
    batch = func.unnest(*arrays).table_valued("user_id", "second", "requests").render_derived()
    # In order, so that two workers with the same users cannot deadlock.
    rows = select(batch.c.user_id, _time(batch.c.second), batch.c.requests).order_by(batch.c.user_id, batch.c.second)
    added = insert(rate_limits).from_select([column.name for column in columns], rows)
    synced = (
        added.on_conflict_do_update(
            index_elements=columns[:2], set_={"requests": rate_limits.c.requests + added.excluded.requests}
        )
        .returning(*columns)
        .cte("synced")
    )
    wanted = [_time(bind(name, type_=BigInteger)) for name in ("current", "previous")]
    # Counts from the start of the statement. Where the batch was just added, these are lower, and max() drops them.
    stored = select(*columns).where(columns[0] == any_(user_ids), columns[1].in_(wanted))
    total = union_all(select(*synced.c), stored).subquery("total")
    second: ColumnElement[int] = cast(func.extract("epoch", total.c.window_start), BigInteger)
    # A crash may lose these counts: so a rate-limit sync, and its locks, need not wait for the disk.
    setting = select(func.set_config("synchronous_commit", "off", true())).scalar_subquery()
    totals = select(total.c.user_id, second, func.max(total.c.requests)).where(setting == "off")
    return totals.group_by(total.c.user_id, total.c.window_start)


def _sweep() -> SelectOfScalar[int]:
    """Remove some of the windows that began before a time, and select how many.

    Skips windows that another worker is removing.
    """
    key = tuple_(rate_limits.c.user_id, rate_limits.c.window_start)
    old = (
        select(rate_limits.c.user_id, rate_limits.c.window_start)
        .where(rate_limits.c.window_start < _time(bind("oldest", type_=BigInteger)))
        .limit(MAX_SWEPT)
        .with_for_update(skip_locked=True)
    )
    swept = delete(rate_limits).where(key.in_(old)).returning(rate_limits.c.window_start).cte("swept")
    return select(func.count()).select_from(swept)


SYNC = _sync()
SWEEP = _sweep()


def counted_as(user_id: str) -> str:
    """Return the name under which a user's requests are counted."""
    return sha256(user_id.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class RateLimitService:
    """The counts of all workers. Each method is one round trip to the database."""

    sessions: SessionFactory

    def sync(self, counts: Iterable[Count], window_starts: tuple[int, int]) -> list[Count]:
        """Add counts, all or none; returns all workers' totals for these users, also in the two given windows."""
        user_ids, seconds, requests = (list(column) for column in zip(*counts, strict=True))
        known_as = {counted_as(user_id): user_id for user_id in user_ids}
        current, previous = window_starts
        params = {
            "ids": [counted_as(user_id) for user_id in user_ids],
            "seconds": seconds,
            "counts": requests,
            "current": current,
            "previous": previous,
        }
        with self.sessions(NOBODY) as session:
            totals = session.exec(SYNC, params=params)
        return [Count(known_as[name], second, total) for name, second, total in totals]

    def sweep(self, oldest: int) -> bool:
        """Remove windows that began before this second since 1970; returns whether none of them is left."""
        with self.sessions(NOBODY) as session:
            ((swept,),) = session.exec(SWEEP, params={"oldest": oldest})
        return swept < MAX_SWEPT
