"""A good token stops working when anything in it changes: every single byte, and many changes at once."""

from __future__ import annotations

import asyncio
import json
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, assume, given
from hypothesis import settings as repeatable
from hypothesis import strategies as st

from backend.config import Settings
from backend.errors import Unauthorized
from backend.identity.claims import Expectations
from backend.identity.jwt import Verifier, verifier_from_jwks
from tests.fixtures.identity.doors import PAIRS, Door, header_of, opened_doors, passed, refused
from tests.fixtures.identity.issuer import running_issuer
from tests.fixtures.identity.tokens import SECRET, USER, base64url, compact, hmac_signer
from tests.fixtures.identity.verifying import Clock, good, secret_verifier

pytestmark = pytest.mark.requirement("FR-073")

REPEATABLE = repeatable(derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))
INSERTED = b"A.=_-{\x00\xff"


@dataclass(frozen=True)
class Judge:
    """A verifier, a token that it has accepted, and an event loop to run it in."""

    verifier: Verifier
    token: bytes
    runner: asyncio.Runner

    def passing(self, candidates: Iterator[bytes]) -> list[bytes]:
        """List the candidates that are accepted."""

        async def judge_all() -> list[bytes]:
            return [candidate for candidate in candidates if await self._passes(candidate)]

        return self.runner.run(judge_all())

    async def _passes(self, candidate: bytes) -> bool:
        try:
            await self.verifier.user_id(candidate.decode("latin-1"))  # as headers are decoded
        except Unauthorized:
            return False
        return True


@pytest.fixture(scope="module")
def judges() -> Iterator[tuple[Judge, ...]]:
    with running_issuer(*PAIRS) as issuer, asyncio.Runner() as runner:

        def judge(verifier: Verifier, header: dict[str, object], sign: Callable[[bytes], bytes]) -> Judge:
            made = Judge(verifier, compact(header, good(name="Ann"), sign).encode(), runner)
            assert runner.run(verifier.user_id(made.token.decode())) == USER
            return made

        fetching = verifier_from_jwks(issuer.url, Expectations(), now=Clock())
        yield (
            judge(secret_verifier(), {"alg": "HS256"}, hmac_signer(SECRET)),
            *(judge(fetching, header_of(pair), pair.sign) for pair in PAIRS),
        )


def single_changes(token: bytes) -> Iterator[bytes]:
    """Change one place of a token in every way: each bit, one byte more, one less, two swapped, the rest cut off."""
    for place in range(len(token)):
        before, after = token[:place], token[place + 1 :]
        yield from (before + bytes([token[place] ^ 1 << bit]) + after for bit in range(8))
        yield from (before + bytes([byte]) + token[place:] for byte in INSERTED)
        yield before + after
        yield before
        yield before + after[:1] + token[place : place + 1] + after[1:]


@pytest.mark.parametrize("number", range(4), ids=["HS256", "RS256", "ES256", "EdDSA"])
def test_no_single_change_of_a_token_is_accepted(judges: tuple[Judge, ...], number: int) -> None:
    judge = judges[number]
    candidates = [changed for changed in single_changes(judge.token) if changed != judge.token]
    assert len(candidates) > 15 * len(judge.token)
    assert judge.passing(iter(candidates)) == []
    assert judge.passing(iter([judge.token])) == [judge.token]


@st.composite
def changed(draw: st.DrawFn, token: bytes) -> bytes:
    """Draw a token changed in one to four places: pieces removed, added, repeated, reversed or replaced."""
    data = token
    for _ in range(draw(st.integers(1, 4))):
        first, second = sorted(draw(st.tuples(st.integers(0, len(data)), st.integers(0, len(data)))))
        filling = draw(
            st.sampled_from([b"", data[second : second + 1], data[first:second] * 2, data[first:second][::-1]])
            | st.binary(max_size=3)
            | st.text("ABab019-_.=", max_size=5).map(str.encode)
        )
        data = data[:first] + filling + data[second:]
    return data


@st.composite
def rearranged(draw: st.DrawFn, token: bytes) -> bytes:
    """Draw a token made of parts of this one, in any order, some repeated or missing."""
    parts = draw(st.lists(st.sampled_from([*token.split(b"."), b"", b"e30"]), min_size=1, max_size=5))
    return b".".join(parts)


VALUES: st.SearchStrategy[object] = (
    st.none() | st.booleans() | st.integers() | st.text(max_size=10) | st.just("admin") | st.just([])
)
CLAIMS = st.dictionaries(st.sampled_from(["sub", "exp", "nbf", "aud", "iss", "role", "x"]), VALUES, max_size=3)
HEADER = st.dictionaries(st.sampled_from(["alg", "kid", "typ", "cty", "jku", "x"]), VALUES, max_size=2)


@st.composite
def reworded(draw: st.DrawFn, token: bytes) -> bytes:
    """Draw a token with changed or differently written content under the old signature."""
    *documents, signature = token.decode().split(".")
    separators = draw(st.sampled_from([(",", ":"), (", ", ": "), (" ,", ":")]))
    parts = []
    for document, changes in zip(documents, (draw(HEADER), draw(CLAIMS)), strict=True):
        content = {**json.loads(urlsafe_b64decode(document + "==")), **changes}
        parts.append(base64url(json.dumps(content, separators=separators).encode()))
    return ".".join([*parts, signature]).encode()


def mutations(token: bytes) -> st.SearchStrategy[bytes]:
    return st.one_of(changed(token), rearranged(token), reworded(token))


@repeatable(REPEATABLE, max_examples=300)
@given(st.data(), st.integers(0, 3))
def test_no_mutation_of_a_token_is_accepted(judges: tuple[Judge, ...], data: st.DataObject, number: int) -> None:
    judge = judges[number]
    candidate = data.draw(mutations(judge.token))
    assume(candidate != judge.token)
    assert judge.passing(iter([candidate])) == []


@pytest.fixture(scope="module")
def doors(settings: Settings) -> Iterator[tuple[Door, ...]]:
    with opened_doors(settings) as doors:
        yield doors


@repeatable(REPEATABLE, max_examples=100)
@given(st.data(), st.integers(0, 3))
def test_no_mutation_of_a_token_passes_the_service(doors: tuple[Door, ...], data: st.DataObject, number: int) -> None:
    door = doors[number]
    token = door.token().encode()
    passed(door.api, b"Bearer " + token)
    candidate = data.draw(mutations(token)).translate(None, bytes([*range(32), 127]))  # these bytes are not valid HTTP
    assume(candidate.strip(b" ") != token)  # blanks around a token are not part of it
    refused(door.api, b"Bearer " + candidate)
