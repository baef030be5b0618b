"""What a move reads of the tasks that stand where another task is to come. `loaded.py` moves them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

from backend.database.giving_way import give_way, in_turns
from backend.services.tasks import queries
from backend.services.tasks.rules import InTree, Neighbour
from backend.services.unit_of_work import UnitOfWork
from backend.utils.positions import END, Room, make_room

MAX_MOVED = 1000  # tasks on each side that make room for one


class Gap(NamedTuple):
    """The living tasks between which a task is to stand, the nearest first; None is the end of the list."""

    before: Sequence[InTree | None]
    after: Sequence[InTree | None]

    @classmethod
    def nearest(cls, unit: UnitOfWork, moved: InTree, side: str, beside: InTree | None) -> Gap:
        """Read the next task on this side of another task, or of the end."""
        statement = queries.NEXT[side, moved.list_id is None]
        rows = unit.read(statement, **_where(moved, beside), max_rows=1)
        next_one = Neighbour._make(rows[0]) if rows else None
        return cls([beside], [next_one]) if side == "after" else cls([next_one], [beside])

    @classmethod
    def many(cls, unit: UnitOfWork, moved: InTree, side: str, beside: InTree | None) -> Gap:
        """Read as many tasks on both sides as may make room, and on either side one more."""
        statement, limit = queries.AROUND[moved.list_id is None], MAX_MOVED + 1
        found = unit.read(statement, **_where(moved, beside), max_rows=limit)
        rows = [Neighbour._make(values) for values in in_turns(found)]
        here = beside.place if beside else END
        rows.sort(key=attrgetter("place"))
        before: list[InTree | None] = [row for row in reversed(rows) if row.place < here]
        after: list[InTree | None] = [row for row in rows if row.place > here]
        (before if side == "after" else after).insert(0, beside)
        for rows_of_side in (before, after):
            if len(rows_of_side) <= MAX_MOVED and None not in rows_of_side:
                rows_of_side.append(None)
        return cls(before, after)

    def is_around(self, task: InTree) -> bool:
        """Return whether a task stands in the gap."""
        low, high = self.before[0], self.after[0]
        return (low is None or low.place < task.place) and (high is None or task.place < high.place)

    def make_room(self) -> Room:
        """Return a position in the gap, and new positions of the tasks that make room for it; raises NoRoom."""
        return make_room(_positions(self.before), _positions(self.after), give_way)

    def moved(self, room: Room) -> Iterator[tuple[InTree, str]]:
        """Yield the tasks that make room, with their new positions."""
        for rows, positions in (self.before, room.before), (self.after, room.after):
            pairs = zip(rows, positions, strict=False)
            yield from ((row, position) for row, position in pairs if row is not None)


def _where(moved: InTree, beside: InTree | None) -> dict[str, Any]:
    here = beside.place if beside else END
    return {"task": moved.id, "place": moved.list_id, "near": here.position, "near_id": here.id}


def _positions(rows: Sequence[InTree | None]) -> list[str | None]:
    return [None if row is None else row.position for row in rows]
