"""When the issuer's keys are fetched, and what happens when they cannot be."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
from base64 import urlsafe_b64encode

import pytest

from backend.errors import ServiceUnavailable, Unauthorized
from backend.identity import jwks
from backend.identity.claims import Expectations
from backend.identity.jwt import Verifier, verifier_from_jwks
from tests.fixtures.identity.issuer import Issuer, running_issuer
from tests.fixtures.identity.tokens import USER, ec_pair, ed25519_pair, key_set
from tests.fixtures.identity.verifying import Clock, good, refusal_of, user_of
from tests.fixtures.running.waiting import PATIENCE_SECONDS

PAIR = ed25519_pair()
NOT_KNOWN = "The token is signed with an unknown key."


def verifier_of(issuer: Issuer, clock: Clock | None = None) -> Verifier:
    return verifier_from_jwks(issuer.url, Expectations(), now=Clock(), monotonic=clock or Clock(0))


def token(key_id: str = PAIR.key_id, *without: str) -> str:
    return PAIR.token(good(), *without, kid=key_id)


def unavailable(verifier: Verifier) -> ServiceUnavailable:
    with pytest.raises(ServiceUnavailable) as caught:
        user_of(verifier, token())
    assert caught.value.status == 503
    return caught.value


@pytest.mark.requirement("FR-080")
def test_nothing_is_fetched_before_a_token_asks_for_it() -> None:
    with running_issuer(PAIR) as issuer:
        verifier = verifier_of(issuer)
        for junk in ("", "a.b.c", "x" * 9000, PAIR.token(good(), alg="none"), PAIR.token(good(), crit=["a"])):
            refusal_of(verifier, junk)
        assert issuer.requests == []


@pytest.mark.requirement("FR-080", "FR-204")
def test_nothing_is_fetched_for_tokens_of_other_issuers() -> None:
    with running_issuer(PAIR) as issuer:
        clock, expected = Clock(0), Expectations("https://ours.example")
        verifier = verifier_from_jwks(issuer.url, expected, now=Clock(), monotonic=clock)
        assert user_of(verifier, PAIR.token(good(iss=expected.issuer))) == USER
        clock.now += 61  # an unknown key may trigger a fetch again
        for said in ({"iss": "https://theirs.example"}, {}, {"iss": ["https://ours.example"]}):
            assert "issuer" in refusal_of(verifier, ec_pair("theirs").token(good(**said)))
        assert len(issuer.requests) == 1
        issuer.publish(PAIR, ec_pair("new"))
        assert user_of(verifier, ec_pair("new").token(good(iss=expected.issuer))) == USER


@pytest.mark.requirement("FR-251", "FR-009")
def test_five_hundred_large_keys_are_fetched_once_and_each_is_found() -> None:
    modulus = urlsafe_b64encode((2**4095 + 1).to_bytes(512)).decode().rstrip("=")
    large = {"kty": "RSA", "use": "sig", "alg": "RS256", "e": "AQAB", "n": modulus, "x5c": ["A" * 1300]}
    ours = json.loads(key_set(*(ec_pair(f"ec-{number}") for number in range(3))))["keys"]
    with running_issuer() as issuer:
        issuer.document = json.dumps(
            {"keys": [*({**large, "kid": f"rsa-{number}"} for number in range(497)), *ours]}
        ).encode()
        verifier = verifier_of(issuer)
        for number in range(3):
            assert user_of(verifier, ec_pair(f"ec-{number}").token(good(sub=f"{number}"))) == f"{number}"
            assert refusal_of(verifier, ec_pair(f"ec-{number}").token(good(), kid="rsa-1")) != NOT_KNOWN
        assert len(issuer.requests) == 1


@pytest.mark.requirement("FR-010", "FR-080")
def test_keys_are_fetched_once_for_many_tokens_at_once_and_later() -> None:
    with running_issuer(PAIR, ec_pair()) as issuer:
        issuer.delay_seconds = 0.05
        verifier = verifier_of(issuer)

        async def many() -> list[str]:
            tokens = [pair.token(good(sub=str(n))) for n in range(20) for pair in (PAIR, ec_pair())]
            return await asyncio.gather(*(verifier.user_id(each) for each in tokens))

        assert asyncio.run(many()) == [str(n) for n in range(20) for _ in range(2)]
        assert user_of(verifier, PAIR.token(good(sub="later"))) == "later"
        assert issuer.requests == ["/jwks"]


@pytest.mark.requirement("FR-010", "FR-080", "FR-082")
def test_a_new_key_is_found_at_once_and_a_thousand_made_up_ones_cost_one_fetch_per_interval() -> None:
    clock = Clock(1000)
    with running_issuer(PAIR) as issuer:
        verifier = verifier_of(issuer, clock)
        assert user_of(verifier, token()) == USER
        issuer.publish(PAIR, ec_pair("new"))
        assert user_of(verifier, ec_pair("new").token(good())) == USER
        assert len(issuer.requests) == 2

        async def made_up(count: int) -> None:
            async def one(number: int) -> None:
                with pytest.raises(Unauthorized, match="unknown key"):
                    await verifier.user_id(token(f"made-up-{number}"))

            await asyncio.gather(*(one(number) for number in range(count)))

        asyncio.run(made_up(500))
        clock.now += 59.9
        asyncio.run(made_up(500))
        assert len(issuer.requests) == 2
        clock.now += 0.1
        asyncio.run(made_up(1000))
        assert len(issuer.requests) == 3
        assert user_of(verifier, token()) == USER


@pytest.mark.requirement("FR-010", "FR-080")
def test_a_thousand_made_up_keys_at_a_cold_start_cost_one_fetch() -> None:
    with running_issuer(PAIR) as issuer:
        verifier = verifier_of(issuer)
        for number in range(100):
            assert refusal_of(verifier, token(f"made-up-{number}")) == NOT_KNOWN
        assert user_of(verifier, token()) == USER
        assert len(issuer.requests) == 1


BROKEN: dict[str, dict[str, object]] = {
    "error": {"status": 500},
    "not found": {"status": 404},
    "no content": {"status": 204, "document": b""},
    "hanging up": {"hangs_up": True},
    "not json": {"document": b"<html>"},
    "empty": {"document": b'{"keys":[]}'},
    "too big": {"document": key_set(PAIR) + b" " * jwks.MAX_KEY_SET_BYTES},
    "compressed": {"document": gzip.compress(key_set(PAIR)), "headers": {"Content-Encoding": "gzip"}},
}


@pytest.mark.requirement("FR-010", "FR-081", "FR-083", "FR-251")
@pytest.mark.parametrize("name", BROKEN)
def test_a_failing_issuer_is_503_before_the_first_keys_and_harmless_afterwards(name: str) -> None:
    clock = Clock(0)
    with running_issuer(PAIR) as issuer:
        healthy = dict(vars(issuer))
        vars(issuer).update(BROKEN[name])
        verifier = verifier_of(issuer, clock)
        assert unavailable(verifier).headers == {"Retry-After": "2"}
        vars(issuer).update({key: healthy[key] for key in BROKEN[name]})
        clock.now = 2
        assert user_of(verifier, token()) == USER
        vars(issuer).update(BROKEN[name])
        clock.now = 100
        assert refusal_of(verifier, token("unknown")) == NOT_KNOWN
        assert len(issuer.requests) == 3
        assert user_of(verifier, PAIR.token(good(sub="still"))) == "still"


@pytest.mark.requirement("FR-010", "FR-080")
def test_a_failing_first_fetch_is_not_retried_for_every_request() -> None:
    clock = Clock(0)
    with running_issuer(PAIR) as issuer:
        issuer.status = 500
        verifier = verifier_of(issuer, clock)
        for moment in (0, 0.5, 1.999):
            clock.now = moment
            unavailable(verifier)
        assert len(issuer.requests) == 1
        clock.now = 2
        unavailable(verifier)
        assert len(issuer.requests) == 2


@pytest.mark.requirement("FR-010")
def test_an_issuer_that_cannot_be_reached_is_503() -> None:
    with running_issuer(PAIR) as issuer:
        verifier = verifier_of(issuer)
    unavailable(verifier)


@pytest.mark.requirement("FR-083")
def test_redirects_are_not_followed() -> None:
    with running_issuer(PAIR) as issuer, running_issuer(PAIR) as elsewhere:
        issuer.status, issuer.headers = 302, {"Location": elsewhere.url}
        unavailable(verifier_of(issuer))
        assert elsewhere.requests == []


@pytest.mark.requirement("FR-083")
@pytest.mark.parametrize("slowness", [{"delay_seconds": 2.0 * PATIENCE_SECONDS}, {"drip_seconds": 0.05}])
def test_a_slow_issuer_is_given_up_in_time(slowness: dict[str, float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jwks, "FETCH_TIMEOUT_SECONDS", 0.3)
    with running_issuer(PAIR) as issuer:
        vars(issuer).update(slowness)
        started = time.monotonic()
        unavailable(verifier_of(issuer))
        assert 0.25 < time.monotonic() - started < PATIENCE_SECONDS


@pytest.mark.requirement("FR-010", "FR-081")
def test_known_keys_need_not_wait_for_a_fetch_that_is_under_way() -> None:
    with running_issuer(PAIR) as issuer:
        verifier = verifier_of(issuer)
        assert user_of(verifier, token()) == USER
        issuer.delay_seconds = 60

        async def both() -> str:
            unknown = asyncio.ensure_future(verifier.user_id(token("unknown")))
            while len(issuer.requests) < 2:  # noqa: ASYNC110 - the other side is a thread
                await asyncio.sleep(0.01)
            found = await asyncio.wait_for(verifier.user_id(PAIR.token(good(sub="second"))), 10)
            assert not unknown.done()
            unknown.cancel()
            return found

        assert asyncio.run(both()) == "second"


@pytest.mark.requirement("FR-010", "FR-080")
def test_a_client_that_hangs_up_takes_the_fetch_from_nobody_else() -> None:
    with running_issuer(PAIR) as issuer:
        issuer.delay_seconds = 0.3
        verifier = verifier_of(issuer)

        async def both() -> str:
            first = asyncio.ensure_future(verifier.user_id(token()))
            second = asyncio.ensure_future(verifier.user_id(token()))
            while not issuer.requests:  # noqa: ASYNC110 - the other side is a thread
                await asyncio.sleep(0.01)
            first.cancel()
            return await second

        assert asyncio.run(both()) == USER
        assert len(issuer.requests) == 1


@pytest.mark.requirement("FR-010", "FR-080")
def test_a_failed_fetch_counts_also_when_the_client_that_caused_it_has_gone() -> None:
    clock = Clock(0)
    with running_issuer(PAIR) as issuer:
        verifier = verifier_of(issuer, clock)
        assert user_of(verifier, token()) == USER
        issuer.status, issuer.delay_seconds = 500, 0.2

        async def ask_and_go() -> None:
            asking = asyncio.ensure_future(verifier.user_id(token("unknown")))
            while len(issuer.requests) < 2:  # noqa: ASYNC110 - the other side is a thread
                await asyncio.sleep(0.01)
            asking.cancel()
            others = asyncio.all_tasks() - {asyncio.current_task()}
            await asyncio.gather(*others, return_exceptions=True)

        asyncio.run(ask_and_go())
        clock.now = 59
        assert refusal_of(verifier, token("unknown")) == NOT_KNOWN
        assert len(issuer.requests) == 2


def test_a_fetch_cut_off_with_its_event_loop_does_not_block_the_next_loop() -> None:
    with running_issuer(PAIR) as issuer:
        issuer.delay_seconds = 60
        verifier = verifier_of(issuer)

        async def cut_off() -> None:
            waiting = asyncio.ensure_future(verifier.user_id(token()))
            while not issuer.requests:  # noqa: ASYNC110 - the other side is a thread
                await asyncio.sleep(0.01)
            waiting.cancel()

        asyncio.run(cut_off())
        issuer.delay_seconds = 0
        assert user_of(verifier, token()) == USER


def test_a_fetch_left_hanging_in_another_event_loop_is_not_waited_for() -> None:
    with running_issuer(PAIR) as issuer:
        issuer.delay_seconds = 60
        verifier = verifier_of(issuer)
        stopped = asyncio.new_event_loop()
        hanging = stopped.create_task(verifier.user_id(token()))
        while not issuer.requests:
            stopped.run_until_complete(asyncio.sleep(0.01))
        issuer.delay_seconds = 0
        assert user_of(verifier, token()) == USER  # in its own event loop
        hanging.cancel()
        for task in asyncio.all_tasks(stopped):
            task.cancel()
        stopped.run_until_complete(asyncio.gather(*asyncio.all_tasks(stopped), return_exceptions=True))
        stopped.close()


@pytest.mark.requirement("FR-083")
def test_an_issuer_on_this_machine_is_reached_without_the_proxy_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with running_issuer(PAIR) as issuer, running_issuer() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url.removesuffix("/jwks"))
        monkeypatch.delenv("NO_PROXY", raising=False)
        assert user_of(verifier_of(issuer), token()) == USER
        assert proxy.requests == []
