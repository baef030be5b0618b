"""A key that the issuer has withdrawn stops working within an hour, and frequent users never wait for the fetch."""

from __future__ import annotations

import asyncio
import logging

import pytest
from jose import jws

from backend.errors import Unauthorized
from backend.identity.claims import Expectations
from backend.identity.jwt import Verifier, verifier_from_jwks
from tests.fixtures.identity.issuer import Issuer, running_issuer
from tests.fixtures.identity.tokens import USER, ec_pair, ed25519_pair
from tests.fixtures.identity.verifying import NOW, Clock, good, refusal_of, user_of
from tests.fixtures.telemetry.logs import events

PAIR = ed25519_pair()
MINUTE = 60.0
NOT_KNOWN = "The token is signed with an unknown key."


class Times:
    """The two clocks of a verifier, which advance together."""

    def __init__(self) -> None:
        self.now, self.monotonic = Clock(), Clock(0)

    def set(self, seconds: float) -> None:
        """Set both clocks to this many seconds after the start."""
        self.now.now, self.monotonic.now = NOW + seconds, seconds


def verifier_of(issuer: Issuer, times: Times) -> Verifier:
    return verifier_from_jwks(issuer.url, Expectations(), now=times.now, monotonic=times.monotonic)


def token(subject: str = USER) -> str:
    """Return a token valid for a day: only its key can end it sooner."""
    return PAIR.token(good(sub=subject, exp=NOW + 86_400))


async def landed() -> None:
    """Wait for all background tasks."""
    await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))


@pytest.mark.requirement("FR-082")
def test_old_keys_are_fetched_again_once_without_making_anybody_wait() -> None:
    times = Times()
    with running_issuer(PAIR) as issuer:
        verifier = verifier_of(issuer, times)

        async def story() -> None:
            await verifier.user_id(token())
            times.set(30 * MINUTE - 1)
            await verifier.user_id(token("a"))
            await landed()
            assert len(issuer.requests) == 1

            times.set(30 * MINUTE)
            issuer.publish(ec_pair())
            issuer.delay_seconds = 60
            for name in "bcd":
                assert await asyncio.wait_for(verifier.user_id(token(name)), 10) == name
            while len(issuer.requests) < 2:  # noqa: ASYNC110 - the other side is a thread
                await asyncio.sleep(0.01)
            issuer.stopped.set()  # ends the delay
            await landed()
            assert len(issuer.requests) == 2
            for name in (USER, "a", "b", "new"):
                with pytest.raises(Unauthorized, match="unknown key"):
                    await verifier.user_id(token(name))
            assert len(issuer.requests) == 2

        asyncio.run(story())


@pytest.mark.requirement("FR-082")
@pytest.mark.parametrize("minutes", [30, 45, 60, 600])
def test_a_withdrawn_key_ends_for_a_token_that_is_remembered_too(minutes: float) -> None:
    times = Times()
    with running_issuer(PAIR) as issuer:
        verifier = verifier_of(issuer, times)

        async def story() -> None:
            await verifier.user_id(token())
            issuer.publish(ec_pair())
            times.set(30 * MINUTE - 0.001)
            assert await verifier.user_id(token()) == USER
            times.set(minutes * MINUTE)
            if minutes < 60:  # halfway it is still good, and triggers a fetch in the background
                assert await verifier.user_id(token()) == USER
                await landed()
            with pytest.raises(Unauthorized, match="unknown key"):
                await verifier.user_id(token())

        asyncio.run(story())


@pytest.mark.requirement("FR-082", "FR-247")
@pytest.mark.parametrize("hours", [-10, 10])
def test_a_withdrawn_key_ends_after_the_same_time_when_the_clock_is_set(hours: int) -> None:
    times = Times()
    with running_issuer(PAIR) as issuer:
        verifier = verifier_of(issuer, times)
        assert user_of(verifier, token()) == USER
        issuer.publish(ec_pair())
        times.now.now += hours * 60 * MINUTE
        times.monotonic.now = 30 * MINUTE - 1
        assert user_of(verifier, token()) == USER
        times.monotonic.now = 60 * MINUTE
        assert refusal_of(verifier, token()) == NOT_KNOWN


@pytest.mark.requirement("FR-082")
def test_keys_that_are_still_published_keep_working_however_long() -> None:
    times = Times()
    with running_issuer(PAIR) as issuer:
        verifier = verifier_of(issuer, times)
        for hours in range(10):
            times.set(hours * 60 * MINUTE)
            assert user_of(verifier, token()) == USER
        assert len(issuer.requests) == 10


@pytest.mark.requirement("FR-081", "FR-082")
def test_while_the_issuer_is_away_old_keys_work_and_it_is_asked_once_a_minute(
    caplog: pytest.LogCaptureFixture,
) -> None:
    times = Times()
    with running_issuer(PAIR) as issuer:
        verifier = verifier_of(issuer, times)
        assert user_of(verifier, token()) == USER
        issuer.status = 500

        async def story() -> None:
            for minute in range(60, 70):
                for second in (0, 20, 40):
                    times.set(minute * MINUTE + second)
                    for name in (USER, "a", f"{minute}"):
                        assert await verifier.user_id(token(name)) == name
                    await landed()
            assert len(issuer.requests) == 11
            issuer.status = 200
            issuer.publish(ec_pair())
            times.set(70 * MINUTE)
            assert await verifier.user_id(token("in between")) == "in between"
            await landed()
            with pytest.raises(Unauthorized, match="unknown key"):
                await verifier.user_id(token())

        with caplog.at_level(logging.WARNING, "backend.identity.jwks"):
            asyncio.run(story())
    said = [(failed["error"], failed["reason"]) for failed in events(caplog, "keys_not_fetched")]
    assert said == [("ValueError", "status 500")] * 10


@pytest.mark.requirement("FR-009", "FR-081")
def test_while_the_issuer_is_away_a_token_is_verified_once_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    verified: list[str] = []
    verify = jws.verify

    def counted(token: str, *arguments: object, **options: object) -> object:
        verified.append(token)
        return verify(token, *arguments, **options)

    monkeypatch.setattr(jws, "verify", counted)
    times = Times()
    with running_issuer(PAIR) as issuer:
        verifier = verifier_of(issuer, times)

        async def story() -> None:
            await verifier.user_id(token())
            issuer.status = 500
            times.set(30 * MINUTE)
            await verifier.user_id(token())
            await landed()
            for second in (1, 20, 59):
                times.set(30 * MINUTE + second)
                await verifier.user_id(token())
            assert len(verified) == 2
            times.set(31 * MINUTE)
            await verifier.user_id(token())
            assert len(verified) == 3

        asyncio.run(story())


@pytest.mark.requirement("FR-080", "FR-082")
def test_after_a_long_silence_those_who_come_first_share_one_fetch() -> None:
    times = Times()
    with running_issuer(PAIR) as issuer:
        verifier = verifier_of(issuer, times)
        assert user_of(verifier, token()) == USER
        times.set(600 * MINUTE)
        issuer.delay_seconds = 0.1

        async def many() -> None:
            names = [str(number) for number in range(50)]
            assert await asyncio.gather(*(verifier.user_id(token(name)) for name in names)) == names

        asyncio.run(many())
        assert len(issuer.requests) == 2


@pytest.mark.requirement("FR-082")
def test_a_fetch_in_the_background_ends_quietly_with_the_service(caplog: pytest.LogCaptureFixture) -> None:
    times = Times()
    with running_issuer(PAIR) as issuer:
        verifier = verifier_of(issuer, times)
        assert user_of(verifier, token()) == USER
        times.set(30 * MINUTE)
        issuer.delay_seconds = 60

        async def ends_meanwhile() -> str:
            name = await verifier.user_id(token("a"))
            while len(issuer.requests) < 2:  # noqa: ASYNC110 - the other side is a thread
                await asyncio.sleep(0.01)
            return name

        assert asyncio.run(ends_meanwhile()) == "a"
        assert caplog.records == []
        issuer.delay_seconds = 0
        issuer.publish(ec_pair())
        times.set(60 * MINUTE)
        assert refusal_of(verifier, token()) == NOT_KNOWN
