"""Turns: which user is next when many wait."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextvars import Context
from typing import Generic, TypeVar

MAX_BEGUN = 16  # requests in one round of the event loop: a few milliseconds of work

_Waiting = TypeVar("_Waiting")


class Turns(Generic[_Waiting]):
    """A queue in which users take turns. A user's own entries are served in the order of their arrival."""

    def __init__(self) -> None:
        self._lines: dict[str, deque[_Waiting]] = {}  # by user, in the order of their turns

    def __bool__(self) -> bool:
        return bool(self._lines)

    def add(self, user_id: str, waiting: _Waiting) -> None:
        """Add an entry that waits for a turn of this user."""
        self._lines.setdefault(user_id, deque()).append(waiting)

    def remove(self, user_id: str, waiting: _Waiting) -> None:
        """Remove an entry, which may already have had its turn."""
        line = self._lines.get(user_id, deque())
        if waiting in line:
            line.remove(waiting)
            if not line:
                del self._lines[user_id]

    def take(self, may_begin: Callable[[str], bool] = lambda _: True) -> tuple[str, _Waiting] | None:
        """Return the next user who may begin, and the first entry of that user; None if there is nobody."""
        user_id = next(filter(may_begin, self._lines), None)
        if user_id is None:
            return None
        line = self._lines.pop(user_id)
        waiting = line.popleft()
        if line:
            self._lines[user_id] = line  # behind all others
        return user_id, waiting


class Beginnings:
    """Limits how many requests begin in one round of the event loop, so that other work runs in between.

    When very many arrive at once, their senders take turns.
    """

    def __init__(self) -> None:
        self._turns = Turns[Callable[[], None]]()
        self._begun = 0  # in this round, and in earlier rounds that stayed below MAX_BEGUN

    def may_begin(self) -> bool:
        """Return whether one more request may begin in this round, and count it."""
        self._begun += 1
        if self._begun == MAX_BEGUN:  # a lone request schedules nothing; at worst, one later waits a round for no need
            # In its own context: what begins in the next round must not inherit this sender's.
            asyncio.get_running_loop().call_soon(self._begin_round, context=Context())
        return self._begun <= MAX_BEGUN

    def put_off(self, sender: str, begin: Callable[[], None]) -> None:
        """Let a request begin in one of the next rounds."""
        self._turns.add(sender, begin)

    def _begin_round(self) -> None:
        self._begun = 0
        while self._turns and self.may_begin() and (first := self._turns.take()):
            first[1]()
