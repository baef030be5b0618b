"""Hashes and compares passwords beside the event loop, one at a time.

One thread, because more of them cost other requests more than they bring: two at once halve the reads of a worker.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, ParamSpec, TypeVar

from backend.errors import ServiceUnavailable
from backend.identity.password_rules import MAX_PASSWORD_LENGTH

MAX_WAITING = 32  # hashes of a worker
MAX_WAIT_SECONDS = 2.0

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


class Verification(NamedTuple):
    """Whether a password is right, and a new hash to store if the old hash is out of date."""

    matches: bool
    renewed: str | None


class PasswordsBusy(ServiceUnavailable):
    """Too many passwords wait to be hashed."""

    message = "Too many people are signing in. Try again shortly."

    def __init__(self) -> None:
        super().__init__(retry_after_seconds=2)


class Passwords:
    """Hashes passwords in a thread, in the order in which they come. A worker has one such object."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="passwords")
        self._slot = asyncio.Semaphore(1)
        self._waiting = 0

    async def hashed(self, password: str) -> str:
        """Return a new hash of a password; raises PasswordsBusy."""
        return await self._in_turn(_hash, password)

    async def verified(self, password: str, stored: str | None) -> Verification:
        """Compare a password with a stored hash; raises PasswordsBusy.

        Without a hash it takes as long, and never matches: nobody learns which addresses have an account.
        """
        return await self._in_turn(_verify, password, stored)

    async def _in_turn(
        self, work: Callable[_Arguments, _Result], *arguments: _Arguments.args, **_none: _Arguments.kwargs
    ) -> _Result:
        if self._waiting >= MAX_WAITING:
            raise PasswordsBusy
        self._waiting += 1
        try:
            async with asyncio.timeout(MAX_WAIT_SECONDS):
                await self._slot.acquire()
        except TimeoutError:
            raise PasswordsBusy from None
        finally:
            self._waiting -= 1
        running = asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)
        # The slot is the thread's: a request that is cancelled stops no hash, so it must not let in the next one.
        running.add_done_callback(lambda _: self._slot.release())
        return await asyncio.shield(running)


def _hash(password: str) -> str:
    from backend.identity.password_hash import hash_password  # noqa: PLC0415

    return hash_password(password)


def _verify(password: str, stored: str | None) -> Verification:
    from backend.identity.password_hash import NOBODYS, verify_password  # noqa: PLC0415

    # A password that is too long to be anybody's is compared in part, so that it takes no longer than others.
    is_possible = stored is not None and len(password) <= MAX_PASSWORD_LENGTH
    matches, renewed = verify_password(password[:MAX_PASSWORD_LENGTH], stored if stored and is_possible else NOBODYS)
    return Verification(matches and is_possible, renewed)
