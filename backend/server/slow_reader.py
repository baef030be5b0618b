"""Clients that do not read: what they are owed is in our memory until they take it, and close() would wait for that."""

from __future__ import annotations

import asyncio

from backend.database.connection_limiter import ConnectionLimiter

MIN_READ_BYTES = 64 * 1024  # in the time that a client has; one that takes less is given up
PAUSING_BYTES = 64 * 1024  # of an answer that goes on
STRANGERS = "\n"  # whose answers count together; no user is called so


class Unread:
    """The answers of a worker that their clients have not taken, counted at the connection limiter.

    A user who has too many of them begins no new work. When all together are too many, those of the user who has most
    of them are cut off.
    """

    def __init__(self, connection_limiter: ConnectionLimiter) -> None:
        self._connection_limiter = connection_limiter
        self._watches: dict[str, list[SlowReaderWatch]] = {}  # by user

    def add(self, watch: SlowReaderWatch) -> None:
        """Count an answer, and make room if it is one too many."""
        unread = self._connection_limiter.unread
        unread.take(watch.user_id, watch.size)
        self._watches.setdefault(watch.user_id, []).append(watch)
        while unread.free <= 0:  # else nobody could begin anything
            greediest = max(unread.taken, key=unread.taken.__getitem__)
            self._watches[greediest][-1].cut()

    def remove(self, watch: SlowReaderWatch) -> None:
        """Count an answer no more: it was taken, or given up."""
        watches = self._watches[watch.user_id]
        watches.remove(watch)
        if not watches:
            del self._watches[watch.user_id]
        self._connection_limiter.unread.give_back(watch.user_id, watch.size)
        self._connection_limiter.let_in()


class SlowReaderWatch:
    """Looks from time to time whether a client takes anything of an answer, and cuts it off if it does not."""

    def __init__(self, loop: asyncio.AbstractEventLoop, transport: asyncio.Transport, unread: Unread) -> None:
        self.user_id = ""  # whose answer it is
        self.size = 0  # of it, in bytes
        self._loop = loop
        self._transport = transport
        self._unread = unread
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_watching(self) -> bool:
        """Tell whether there is something that the client has not taken."""
        return self._timer is not None

    def begin_if_left(self) -> None:
        """Let the connection begin to be looked at if anything is left of an answer that is complete."""
        if self._transport.get_write_buffer_size():
            self._transport.set_write_buffer_limits(high=0)  # pauses it

    def begin(self, user_id: str | None, size: int, seconds: float) -> None:
        """Begin to look at an answer to this user, of which so many bytes were written at once."""
        self.user_id = user_id or STRANGERS
        self.size = max(size, self._transport.get_write_buffer_size())  # all are kept until the last has left
        self.look_every(seconds)
        self._unread.add(self)

    def look_every(self, seconds: float) -> None:
        """Go on, with this patience from now on."""
        if self._timer is not None:
            self._timer.cancel()
        left = self._transport.get_write_buffer_size()
        self._timer = self._loop.call_later(seconds, self._look, left, seconds)

    def stop(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._unread.remove(self)
            self._transport.set_write_buffer_limits(PAUSING_BYTES, low=0)

    def cut(self) -> None:
        """Give the client up."""
        self.stop()
        self._transport.abort()

    def _look(self, left_before: int, seconds: float) -> None:
        if self._transport.get_write_buffer_size() > left_before - MIN_READ_BYTES:
            self.cut()
        else:
            self.look_every(seconds)
