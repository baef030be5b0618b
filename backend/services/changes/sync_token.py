"""Where a client is in the feed of changes, as the one number that it sends to go on: `since`, or `Last-Event-ID`.

A number above zero says: every change up to this revision is known. When a purge has removed something of a later
revision, whoever knows less may have missed that, and has to start over. Zero starts: a full sync, of what there is.

A full sync in pages passes revisions from before the last purge, though it misses nothing: what was purged was gone
when it began. Its places there are numbers below zero. They hold the revision and the last digits of that of the purge,
so that they are good for this sync, and no longer once there is another purge.
"""

from __future__ import annotations

from dataclasses import dataclass

_MARKS = 1000


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the feed. `purge_mark` is the one of a full sync that is between two pages."""

    revision: int
    purge_mark: int | None = None

    @property
    def _is_in_full_sync(self) -> bool:
        return self.revision == 0 or self.purge_mark is not None

    def can_be_continued(self, counter: int, purged_revision: int) -> bool:
        """Tell whether nothing is missing after it, given the user's counter and the last revision that was purged."""
        if self.purge_mark is not None and self.purge_mark != purged_revision % _MARKS:
            return False
        return self.revision <= counter and (self._is_in_full_sync or self.revision >= purged_revision)

    def moved_to(self, revision: int, purged_revision: int) -> int:
        """Return the number for a place that a client reaches from here."""
        if self._is_in_full_sync and revision < purged_revision:
            return -(revision * _MARKS + purged_revision % _MARKS)
        return revision


def read_position(number: int) -> Position:
    """Read what a client sends."""
    if number >= 0:
        return Position(number)
    revision, purge_mark = divmod(-number, _MARKS)
    return Position(revision, purge_mark)
