"""Streams of changes: server-sent events that follow one user's changes until the client or the server ends them.

A waiting stream is a timer and a few objects: it holds no database connection, no slot at the connection limiter, no
slot among the running requests, and no thread. Once a second, one of a user's streams polls, because another worker or
host may have made a change. When it finds one, or this worker has answered a request of the user, all of the user's
streams poll at once.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field

from fastapi import Request
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event

from backend.api.auth.authenticator import Authenticator, bearer_token
from backend.api.http.request_state import request_state
from backend.api.http.stream_signal import Signal
from backend.api.streams.slots import HoldingSlot, Slots
from backend.database.connection_limiter import ConnectionLimiter
from backend.database.session import SessionFactory
from backend.errors import Gone, ServiceUnavailable, TaskAPIError, TooManyStreams
from backend.models.change import ChangePage
from backend.models.values.sync_token import SyncToken
from backend.services.changes.service import ChangeService

MAX_STREAMS = 1000
MAX_STREAMS_OF_ONE_USER = 10
POLL_SECONDS = 1.0
MAX_LOOKS = 250  # per second for all users; with more users, the interval grows
MIN_POLL_SECONDS = 0.05  # so that constant writes do not cause constant reads
KEEP_ALIVE_SECONDS = 15.0
STREAM_SECONDS = 3600.0
PAGE_CHANGES = 100  # at most, within PAGE_BYTES: a page stays in memory until the client reads it
PAGE_BYTES = 256 * 1024

_RETRY_MILLISECONDS = 2000  # for clients whose stream has ended
_UNBUFFERED = {"X-Accel-Buffering": "no"}  # a proxy must not buffer


@dataclass(slots=True)
class Followed:
    """What the streams of one user share: when a stream has found something, the rest need not poll."""

    signals: list[Signal] = field(default_factory=list)  # one per stream; a connection's next may begin early
    sync_token: SyncToken | None = None  # up to which a stream has read most recently
    looked_at: float = -math.inf  # time of the last regular poll

    def wake(self) -> None:
        """Make them poll at once."""
        for signal in self.signals:
            signal.set()


@dataclass(slots=True)
class Feed:
    """What streams need, and the open streams of each of this worker's users."""

    sessions: SessionFactory  # quiet ones, or every stream would log an outage every second
    connection_limiter: ConnectionLimiter
    authenticator: Authenticator
    poll_seconds: float = POLL_SECONDS
    keep_alive_seconds: float = KEEP_ALIVE_SECONDS
    stream_seconds: float = STREAM_SECONDS
    slots: Slots = field(default_factory=lambda: Slots(MAX_STREAMS, MAX_STREAMS_OF_ONE_USER, TooManyStreams))
    open: dict[str, Followed] = field(default_factory=dict, init=False)

    @contextmanager
    def slot(self, user_id: str, signal: Signal) -> Iterator[ExitStack]:
        """Take a slot as `Slots.take` does; while it is taken, signal when the user may have changed something."""
        with self.slots.take(user_id) as slot:
            self.open.setdefault(user_id, Followed()).signals.append(signal)
            slot.callback(self._leave, user_id, signal)
            yield slot

    def _leave(self, user_id: str, signal: Signal) -> None:
        followed = self.open[user_id]
        followed.signals.remove(signal)
        if not followed.signals:
            del self.open[user_id]

    def is_time(self, followed: Followed, now: float) -> bool:
        """Return whether a stream of this user is due to poll; only the first to ask gets True."""
        if now - followed.looked_at < max(self.poll_seconds, len(self.open) / MAX_LOOKS):
            return False
        followed.looked_at = now
        return True

    def wake(self, user_id: str) -> None:
        """Make this user's streams poll at once."""
        if followed := self.open.get(user_id):
            followed.wake()


@dataclass(slots=True)
class Stream:
    """One client that follows its user's changes."""

    feed: Feed
    request: Request
    changes: ChangeService
    types: str | None = None  # as `ChangeService.read` takes them

    @property
    def signal(self) -> Signal:
        """Return what wakes or ends the stream."""
        return request_state(self.request.scope)["signal"]

    @property
    def followed(self) -> Followed:
        """Return what the user's streams share; there is nothing before the stream has a slot."""
        return self.feed.open[self.changes.user_id]

    def slot(self) -> AbstractContextManager[ExitStack]:
        """Take a slot; raises what `Slots.take` does."""
        return self.feed.slot(self.changes.user_id, self.signal)

    def answer(self, since: SyncToken, page: ChangePage) -> HoldingSlot:
        """Return a response with all changes from this page on; the page begins after the sync token."""
        return _Events(self._chunks(since, page), headers=_UNBUFFERED)

    async def _chunks(self, since: SyncToken, page: ChangePage) -> AsyncIterator[bytes]:
        """Yield events page by page: the next page is read when the client has read this one."""
        is_head, now = "is_head" in request_state(self.request.scope), asyncio.get_running_loop().time
        self._note(page)
        end = now() + (0 if is_head else self.feed.stream_seconds)
        yield format_sse_event(id=str(since), retry=_RETRY_MILLISECONDS) + _events(page)
        sent = now()
        with suppress(Gone):  # a client that reconnects gets this error
            while await self._goes_on(end, pause=not page.has_more):
                known = page.next_since
                page = await self._look(page)
                if page.next_since != known:
                    yield _events(page)
                elif now() - sent >= self.feed.keep_alive_seconds:
                    yield KEEPALIVE_COMMENT
                else:
                    continue
                sent = now()

    async def _goes_on(self, end: float, *, pause: bool) -> bool:
        """Wait for changes if `pause` is set, and return whether to go on."""
        now = asyncio.get_running_loop().time
        if pause:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(min(end, now() + self.feed.poll_seconds)):
                    await asyncio.sleep(MIN_POLL_SECONDS)
                    await self.signal.wait()
        return now() < end and not self.signal.is_over and await self._is_admitted()

    async def _is_admitted(self) -> bool:
        """Return whether the token is still valid; one that cannot be looked up counts as invalid."""
        try:
            await self.feed.authenticator.principal(bearer_token(self.request.scope))
        except TaskAPIError:
            return False
        return True

    def _read(self, since: SyncToken) -> ChangePage:
        return self.changes.read(since, PAGE_CHANGES, PAGE_BYTES, types=self.types)

    async def _look(self, page: ChangePage) -> ChangePage:
        """Return the next page if there may be one, else the same page; raises Gone."""
        # Two streams that poll at the same moment may see different changes, so the signal alone is not enough.
        is_likely = page.has_more or self.signal.is_set() or page.next_since != self.followed.sync_token
        if not is_likely and not self.feed.is_time(self.followed, asyncio.get_running_loop().time()):
            return page
        self.signal.clear()
        try:
            found = await self.feed.connection_limiter.run(self._read, page.next_since)
        except ServiceUnavailable:  # the database is unavailable; poll again later
            return ChangePage((), page.next_since, has_more=False)
        except Gone:
            self.followed.wake()
            raise
        self._note(found)
        if not is_likely and found.next_since != page.next_since:
            self.followed.wake()  # the others rely on this poll
        return found

    def _note(self, page: ChangePage) -> None:
        """Tell the user's other streams up to where there is something to read."""
        if not page.has_more:
            self.followed.sync_token = page.next_since


class _Events(HoldingSlot):
    """A stream of server-sent events."""

    media_type = "text/event-stream"


def _line(json: str) -> str:
    """Escape characters that JSON allows but some clients treat as line ends."""
    return json.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").replace("\x85", "\\u0085")


def _events(page: ChangePage) -> bytes:
    """Return a page as events; the last one has the page's sync token as its id."""
    events = [
        format_sse_event(data_str=_line(change.json), event=change.type, id=str(change.sync_token))
        for change in page.changes
    ]
    if not page.changes or page.changes[-1].sync_token != page.next_since:
        events.append(format_sse_event(id=str(page.next_since)))
    return b"".join(events)
