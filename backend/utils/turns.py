"""Turns: who comes next when many wait."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextvars import Context
from typing import Generic, TypeVar

MAX_BEGUN = 16  # requests in one round of the event loop: a few milliseconds of work

_Waiting = TypeVar("_Waiting")


class Turns(Generic[_Waiting]):
    """Who waits: users take turns, and of one user, first come is first served."""

    def __init__(self) -> None:
        self._lines: dict[str, deque[_Waiting]] = {}  # by user, in the order of their turns

    def __bool__(self) -> bool:
        return bool(self._lines)

    def add(self, user_id: str, waiting: _Waiting) -> None:
        """Let somebody wait for a turn of this user."""
        self._lines.setdefault(user_id, deque()).append(waiting)

    def remove(self, user_id: str, waiting: _Waiting) -> None:
        """Let somebody wait no more, who may have had a turn meanwhile."""
        line = self._lines.get(user_id, deque())
        if waiting in line:
            line.remove(waiting)
            if not line:
                del self._lines[user_id]

    def take(self, may_begin: Callable[[str], bool] = lambda _: True) -> tuple[str, _Waiting] | None:
        """Return the user whose turn it is, of those who may begin, and who waited for it; None if there is nobody."""
        user_id = next(filter(may_begin, self._lines), None)
        if user_id is None:
            return None
        line = self._lines.pop(user_id)
        waiting = line.popleft()
        if line:
            self._lines[user_id] = line  # behind all others
        return user_id, waiting


class Beginnings:
    """Lets requests begin, so many in one round of the event loop: what else is due comes in between.

    When very many arrive at once, their senders take turns.
    """

    def __init__(self) -> None:
        self._turns = Turns[Callable[[], None]]()
        self._begun = 0  # in this round, and in those before it in which there were few

    def may_begin(self) -> bool:
        """Tell whether one more request may begin in this round, and count it."""
        self._begun += 1
        if self._begun == MAX_BEGUN:  # and not for each that comes alone; at worst, one then waits for a round in vain
            # In a context of its own: what begins in the next round is nothing of this sender's.
            asyncio.get_running_loop().call_soon(self._begin_round, context=Context())
        return self._begun <= MAX_BEGUN

    def put_off(self, sender: str, begin: Callable[[], None]) -> None:
        """Let a request begin in one of the next rounds."""
        self._turns.add(sender, begin)

    def _begin_round(self) -> None:
        self._begun = 0
        while self._turns and self.may_begin() and (first := self._turns.take()):
            first[1]()
