"""Sync tokens: how far a client has read the change feed, as text that it returns unread.

A sync token says that the client knows every change up to this revision. If a purge has removed something of a later
revision, the client may have missed that, and has to start over. The start is a full sync of everything that exists.

A full sync in pages passes revisions from before the last purge, yet misses nothing: what was purged was gone when it
began. Between these pages, its sync tokens also name the purge, so that they are valid for this sync, but no longer
after another purge.

Clients also send a word, which is the only sync token that they know without having read anything: `now`.
"""

from __future__ import annotations

from dataclasses import dataclass

from backend.utils import opaque

_KIND = b"changes"
_NUMBER_BYTES = 8
_NOW = "now"
_LENGTHS = opaque.length(_NUMBER_BYTES), opaque.length(2 * _NUMBER_BYTES)

MAX_LENGTH = max(_LENGTHS)
_TEXTS = [f"[A-Za-z0-9_-]{{{length}}}" for length in _LENGTHS]
PATTERN = "^({})$".format("|".join(_TEXTS))


@dataclass(frozen=True, slots=True)
class SyncToken:
    """A sync token. `full_sync_after` is the last purge before a full sync that is between two pages."""

    revision: int
    full_sync_after: int | None = None

    @staticmethod
    def read(text: str) -> SyncToken:
        """Read what str() wrote; raises ValueError for anything else."""
        if text == _NOW:
            return NOW
        content = opaque.read(text, _KIND)
        if len(content) not in {_NUMBER_BYTES, 2 * _NUMBER_BYTES}:
            raise ValueError
        starts = range(0, len(content), _NUMBER_BYTES)
        numbers = [int.from_bytes(content[start : start + _NUMBER_BYTES], "big", signed=True) for start in starts]
        if min(numbers) < 0:
            raise ValueError
        return SyncToken(*numbers)

    def __str__(self) -> str:
        """Write the sync token as text, always in the same way."""
        if self.is_now:
            return _NOW
        numbers = (self.revision,) if self.full_sync_after is None else (self.revision, self.full_sync_after)
        return opaque.write(b"".join(number.to_bytes(_NUMBER_BYTES, "big", signed=True) for number in numbers), _KIND)

    @property
    def is_now(self) -> bool:
        """Return whether it stands for the state in which it is read, whatever that is."""
        return self == NOW

    @property
    def _is_in_full_sync(self) -> bool:
        return self.revision == 0 or self.full_sync_after is not None

    def can_be_continued(self, counter: int, purged_revision: int) -> bool:
        """Return whether nothing after it is missing, given the user's counter and the last purged revision."""
        if self.is_now:
            return True
        if self.full_sync_after is not None and self.full_sync_after != purged_revision:
            return False
        return self.revision <= counter and (self._is_in_full_sync or self.revision >= purged_revision)

    def moved_to(self, revision: int, purged_revision: int) -> SyncToken:
        """Return the sync token after a client has moved from here to this revision."""
        if self._is_in_full_sync and revision < purged_revision:
            return SyncToken(revision, purged_revision)
        return SyncToken(revision)


START = SyncToken(0)
NOW = SyncToken(-1)  # no text with a number is read as this one
EXAMPLE = str(SyncToken(43))
