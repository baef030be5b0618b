"""How passwords are hashed and compared: with argon2id, in a thread, one at a time."""

from __future__ import annotations

import asyncio
import threading
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field

import argon2
import pytest

from backend.identity import password_hash, passwords
from backend.identity.password_hash import NOBODYS, hash_password
from backend.identity.passwords import MAX_WAITING, Passwords, PasswordsBusy
from tests.fixtures.running.waiting import eventually

PARAMETERS = "m=19456,t=2,p=1"


@dataclass
class Hashing:
    """Hashes that go on until a test lets them end."""

    go_on: threading.Event = field(default_factory=threading.Event)
    begun: list[str] = field(default_factory=list)
    most_at_once: int = 0
    running: int = 0

    def __call__(self, password: str) -> str:
        self.begun.append(password)
        self.running += 1
        self.most_at_once = max(self.most_at_once, self.running)
        self.go_on.wait()
        self.running -= 1
        return f"hash of {password}"


@pytest.fixture
def hashing(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hashing]:
    slow = Hashing()
    monkeypatch.setattr(password_hash, "hash_password", slow)
    yield slow
    slow.go_on.set()


def verified(password: str, stored: str | None) -> passwords.Verification:
    return asyncio.run(Passwords().verified(password, stored))


@pytest.mark.requirement("FR-547")
def test_a_password_is_hashed_with_argon2id_and_a_salt_of_its_own() -> None:
    first, second = (asyncio.run(Passwords().hashed("correct horse")) for _ in range(2))

    assert first.startswith(f"$argon2id$v=19${PARAMETERS}$")
    assert first != second
    assert verified("correct horse", first) == (True, None)
    assert verified("correct hors", first) == (False, None)


@pytest.mark.requirement("FR-548")
@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        (unicodedata.normalize("NFC", "Škodač 12"), unicodedata.normalize("NFD", "Škodač 12"), True),
        ("abc", "abc\0def", False),
        ("abc\0def", "abc\0def", True),
        ("\ud800 half a pair", "\ud800 half a pair", True),
        ("\ud800 half a pair", "? half a pair", False),
        (" spaces ", "spaces", False),
        ("Case", "case", False),
        ("x" * 1024, "x" * 1025, False),
        ("x" * 1025, "x" * 1025, False),
        ("x" * 1_000_000, "x" * 1_000_000, False),
    ],
)
def test_passwords_that_are_alike(one: str, other: str, is_same: bool) -> None:  # noqa: FBT001
    stored = asyncio.run(Passwords().hashed(one))

    assert verified(other, stored).matches is is_same


@pytest.mark.requirement("FR-547")
def test_a_hash_with_other_parameters_is_made_anew_with_the_right_password_only() -> None:
    old = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("a long password")

    assert verified("another password", old) == (False, None)
    matches, renewed = verified("a long password", old)
    assert matches
    assert renewed is not None
    assert verified("a long password", renewed) == (True, None)


@pytest.mark.requirement("FR-524")
@pytest.mark.parametrize("password", ["not the right one", "x" * 1_000_000, "\ud800"])
def test_without_an_account_the_same_work_is_done(password: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = hash_password("the right one")
    done: list[tuple[str, str]] = []
    hash_it, compare = argon2.PasswordHasher.hash, argon2.PasswordHasher.verify

    def hash_noted(self: argon2.PasswordHasher, secret: bytes, *, salt: bytes | None = None) -> str:
        done.append(("hash", PARAMETERS))
        return hash_it(self, secret, salt=salt)

    def compare_noted(self: argon2.PasswordHasher, stored: str, secret: bytes) -> bool:
        done.append(("verify", stored.split("$")[3]))
        return compare(self, stored, secret)

    monkeypatch.setattr(argon2.PasswordHasher, "hash", hash_noted)
    monkeypatch.setattr(argon2.PasswordHasher, "verify", compare_noted)

    assert verified(password, stored) == verified(password, None) == (False, None)
    assert done == [("verify", PARAMETERS)] * 2


@pytest.mark.requirement("FR-524")
def test_nobody_has_the_hash_that_is_compared_without_an_account() -> None:
    assert NOBODYS.split("$")[3] == hash_password("").split("$")[3] == PARAMETERS
    assert not verified("", None).matches
    assert not verified("", NOBODYS).matches


@pytest.mark.requirement("FR-551")
def test_hashes_are_computed_one_at_a_time_in_order_and_beside_the_event_loop(hashing: Hashing) -> None:
    async def run() -> list[str]:
        hasher = Passwords()
        requests = [asyncio.create_task(hasher.hashed(str(number))) for number in range(5)]
        await eventually(lambda: hashing.begun)  # so the event loop goes on while the hash waits
        hashing.go_on.set()
        return await asyncio.gather(*requests)

    assert asyncio.run(run()) == [f"hash of {number}" for number in range(5)]
    assert hashing.begun == [str(number) for number in range(5)]
    assert hashing.most_at_once == 1


@pytest.mark.requirement("FR-551")
def test_more_than_may_wait_are_refused_at_once(hashing: Hashing) -> None:
    async def run() -> None:
        hasher = Passwords()
        first = asyncio.create_task(hasher.hashed("first"))
        await eventually(lambda: hashing.begun)
        waiting = [asyncio.create_task(hasher.hashed(str(number))) for number in range(MAX_WAITING)]
        await asyncio.sleep(0)
        with pytest.raises(PasswordsBusy) as refused:
            await hasher.verified("one more", None)
        assert refused.value.status == 503
        assert refused.value.headers == {"Retry-After": "2"}
        hashing.go_on.set()
        assert len(await asyncio.gather(first, *waiting)) == MAX_WAITING + 1
        assert not (await hasher.verified("later", None)).matches

    asyncio.run(run())


@pytest.mark.requirement("FR-551")
def test_nobody_waits_for_long(hashing: Hashing, monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        hasher = Passwords()
        first = asyncio.create_task(hasher.hashed("first"))
        await eventually(lambda: hashing.begun)
        monkeypatch.setattr(passwords, "MAX_WAIT_SECONDS", 0.01)
        with pytest.raises(PasswordsBusy):
            await hasher.hashed("second")
        hashing.go_on.set()
        assert await first == "hash of first"
        assert await hasher.hashed("third") == "hash of third"
        assert hashing.begun == ["first", "third"]

    asyncio.run(run())


@pytest.mark.requirement("FR-551")
def test_a_request_that_is_given_up_lets_in_no_other_hash_until_its_own_has_ended(hashing: Hashing) -> None:
    async def run() -> None:
        hasher = Passwords()
        given_up = asyncio.create_task(hasher.hashed("given up"))
        await eventually(lambda: hashing.begun)
        given_up.cancel()
        with pytest.raises(asyncio.CancelledError):
            await given_up
        waiting = [asyncio.create_task(hasher.hashed(str(number))) for number in range(MAX_WAITING)]
        await asyncio.sleep(0)
        with pytest.raises(PasswordsBusy):
            await hasher.hashed("one more")
        waiting[0].cancel()  # one that waits gives up its place
        await asyncio.gather(waiting[0], return_exceptions=True)
        waiting.append(asyncio.create_task(hasher.hashed("one more")))
        hashing.go_on.set()
        await asyncio.gather(*waiting[1:])

    asyncio.run(run())
    assert hashing.begun == ["given up", *(str(number) for number in range(1, MAX_WAITING)), "one more"]
    assert hashing.most_at_once == 1
