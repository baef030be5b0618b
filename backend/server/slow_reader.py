"""Clients that do not read: unread answers fill our memory, and close() would wait for them."""

from __future__ import annotations

import asyncio

from backend.database.connection_limiter import ConnectionLimiter

MIN_READ_BYTES = 64 * 1024  # per timeout; a client that reads less is cut off
PAUSING_BYTES = 64 * 1024  # of a streamed answer
STRANGERS = "\n"  # answers without a user count together; no user has this name


class Unread:
    """A worker's answers that clients have not read yet, counted at the connection limiter.

    A user with too many unread bytes starts no new work. When the total is too large, answers of the user with the
    most are cut off.
    """

    def __init__(self, connection_limiter: ConnectionLimiter) -> None:
        self._connection_limiter = connection_limiter
        self._watches: dict[str, list[SlowReaderWatch]] = {}  # by user

    def add(self, watch: SlowReaderWatch) -> None:
        """Count an answer, and cut answers off while the total is too large."""
        unread = self._connection_limiter.unread
        unread.take(watch.user_id, watch.size)
        self._watches.setdefault(watch.user_id, []).append(watch)
        while unread.free <= 0:  # else nobody could start new work
            greediest = max(unread.taken, key=unread.taken.__getitem__)
            self._watches[greediest][-1].cut()

    def remove(self, watch: SlowReaderWatch) -> None:
        """Stop counting an answer that was read or cut off."""
        watches = self._watches[watch.user_id]
        watches.remove(watch)
        if not watches:
            del self._watches[watch.user_id]
        self._connection_limiter.unread.give_back(watch.user_id, watch.size)
        self._connection_limiter.let_in()


class SlowReaderWatch:
    """Checks periodically that a client reads its answer, and cuts it off if it does not."""

    def __init__(self, loop: asyncio.AbstractEventLoop, transport: asyncio.Transport, unread: Unread) -> None:
        self.user_id = ""  # the user who gets the answer
        self.size = 0  # of the answer, in bytes
        self._loop = loop
        self._transport = transport
        self._unread = unread
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_watching(self) -> bool:
        """Return whether the client still has something to read."""
        return self._timer is not None

    def begin_if_left(self) -> None:
        """Start watching if part of a completed answer is still unread."""
        if self._transport.get_write_buffer_size():
            self._transport.set_write_buffer_limits(high=0)  # pauses writing, which starts the watch

    def begin(self, user_id: str | None, size: int, seconds: float) -> None:
        """Watch an answer to this user; `size` is the number of bytes last written at once."""
        self.user_id = user_id or STRANGERS
        self.size = max(size, self._transport.get_write_buffer_size())  # all are kept until the last is sent
        self.look_every(seconds)
        self._unread.add(self)

    def look_every(self, seconds: float) -> None:
        """Restart the watch with this interval."""
        if self._timer is not None:
            self._timer.cancel()
        left = self._transport.get_write_buffer_size()
        self._timer = self._loop.call_later(seconds, self._look, left, seconds)

    def stop(self) -> None:
        """Stop watching."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._unread.remove(self)
            self._transport.set_write_buffer_limits(PAUSING_BYTES, low=0)

    def cut(self) -> None:
        """Abort the connection."""
        self.stop()
        self._transport.abort()

    def _look(self, left_before: int, seconds: float) -> None:
        if self._transport.get_write_buffer_size() > left_before - MIN_READ_BYTES:
            self.cut()
        else:
            self.look_every(seconds)
