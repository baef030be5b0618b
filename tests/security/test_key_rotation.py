"""A service and its issuer, over HTTP: which keys count, when they are fetched, and what happens if that fails."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from jose import jws

from backend.config import Settings
from backend.identity import jwks
from tests.fixtures.calls.api import API, serve
from tests.fixtures.identity.doors import ask, keys_of, passed, refused
from tests.fixtures.identity.issuer import Issuer, running_issuer
from tests.fixtures.identity.tokens import KeyPair, claims, ec_pair, ed25519_pair, key_set, rsa_pair
from tests.fixtures.running.waiting import PATIENCE_SECONDS

PAIR = ed25519_pair()
NOT_KNOWN = "The token is signed with an unknown key."
JUNK: tuple[object, ...] = (
    *(None, [], "key", 1, {}, {"kty": "oct", "k": "AAAA", "kid": PAIR.key_id}, {"kty": "PQC", "kid": "a"}),
    *({"kty": ["RSA"]}, {"kty": "OKP", "crv": "X25519", "x": "AAAA", "kid": "x"}, {"kty": "AKP", "alg": "ML-DSA-44"}),
    *(PAIR.jwk(use="enc"), PAIR.jwk(key_ops=["encrypt"]), PAIR.jwk(x="AAAA"), PAIR.jwk(x=1), PAIR.jwk(kid=1)),
    *(ec_pair().jwk(alg="ECDH-ES"), rsa_pair().jwk(alg="RSA-OAEP-256"), rsa_pair().jwk(n="!"), rsa_pair().jwk("e")),
)


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with running_issuer(PAIR) as issuer:
        yield issuer


@pytest.fixture
def start(settings: Settings, issuer: Issuer) -> Iterator[Callable[[], API]]:
    """Give a function that starts a service which has not fetched its issuer's keys yet."""
    with ExitStack() as running:
        yield lambda: running.enter_context(serve(settings.model_copy(update=keys_of(issuer))))


def bearer(pair: KeyPair = PAIR, *without: str, **header: object) -> str:
    return f"Bearer {pair.token(claims(), *without, **header)}"


@pytest.mark.requirement("FR-080")
def test_a_thousand_unknown_keys_cost_one_fetch_and_a_good_token_passes_meanwhile(
    start: Callable[[], API], issuer: Issuer
) -> None:
    api = start()
    passed(api, bearer())
    made_up = [bearer(kid=f"made-up-{number}") for number in range(1000)]
    with ThreadPoolExecutor(8) as clients:
        assert set(clients.map(lambda value: refused(api, value), made_up)) == {NOT_KNOWN}
    passed(api, bearer())
    assert len(issuer.requests) == 2


@pytest.mark.requirement("FR-080")
def test_all_who_come_before_the_first_keys_share_one_fetch(start: Callable[[], API], issuer: Issuer) -> None:
    api = start()
    issuer.delay_seconds = 0.3
    together = threading.Barrier(8)

    def come(number: int) -> None:
        together.wait(PATIENCE_SECONDS)
        if number % 2:
            passed(api, bearer())
        else:
            refused(api, bearer(kid=f"made-up-{number}"))

    with ThreadPoolExecutor(8) as clients:
        list(clients.map(come, range(8)))
    assert len(issuer.requests) == 1


BROKEN: dict[str, dict[str, object]] = {
    "failing": {"status": 500},
    "hanging up": {"hangs_up": True},
    "no keys": {"document": b'{"keys":[]}'},
    "unusable keys": {"document": key_set(*[entry for entry in JUNK if isinstance(entry, dict)])},
    "a page": {"document": b"<html>"},
    "too big": {"document": key_set(PAIR) + b" " * jwks.MAX_KEY_SET_BYTES},
    "compressed": {"document": gzip.compress(key_set(PAIR)), "headers": {"Content-Encoding": "gzip"}},
    "too slow": {"delay_seconds": 2 * PATIENCE_SECONDS},
    "slower and slower": {"drip_seconds": 0.05},
}
SLOW = {"too slow", "slower and slower"}
SHORT_SECONDS = 2.0  # still long enough for a busy machine to send its request


@pytest.mark.requirement("FR-081", "FR-083")
@pytest.mark.parametrize("how", BROKEN)
def test_before_the_first_keys_the_answer_is_503_and_afterwards_they_keep_working(
    start: Callable[[], API], issuer: Issuer, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    timeout_seconds = SHORT_SECONDS if how in SLOW else PATIENCE_SECONDS
    monkeypatch.setattr(jwks, "FETCH_TIMEOUT_SECONDS", timeout_seconds)
    monkeypatch.setattr(jwks, "RETRY_INTERVAL_SECONDS", 0)
    healthy = dict(vars(issuer))
    vars(issuer).update(BROKEN[how])
    api = start()

    answer = ask(api, bearer())
    assert (answer.status, answer.headers["content-type"]) == (503, "application/json")
    assert "retry-after" in answer.headers
    refused(api, "Bearer x.y.z")  # no key could make it valid
    vars(issuer).update({name: healthy[name] for name in BROKEN[how]})
    monkeypatch.setattr(jwks, "FETCH_TIMEOUT_SECONDS", PATIENCE_SECONDS)
    passed(api, bearer())

    monkeypatch.setattr(jwks, "FETCH_TIMEOUT_SECONDS", timeout_seconds)
    vars(issuer).update(BROKEN[how])
    fetched = len(issuer.requests)
    assert refused(api, bearer(kid="unknown")) == NOT_KNOWN
    assert len(issuer.requests) == fetched + 1
    passed(api, f"Bearer {PAIR.token(claims(sub='new here'))}")


@pytest.mark.requirement("FR-083")
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(start: Callable[[], API], issuer: Issuer, status: int) -> None:
    with running_issuer(PAIR) as elsewhere:
        issuer.status, issuer.headers = status, {"Location": elsewhere.url}
        assert ask(start(), bearer()).status == 503
        assert (elsewhere.requests, len(issuer.requests)) == ([], 1)


@pytest.mark.requirement("FR-082")
def test_a_new_key_is_used_without_a_restart_beside_the_old_one(start: Callable[[], API], issuer: Issuer) -> None:
    api = start()
    passed(api, bearer())
    issuer.publish(PAIR, ec_pair("new"))
    passed(api, bearer(ec_pair("new")))
    passed(api, bearer())
    assert len(issuer.requests) == 2


@pytest.mark.requirement("FR-082")
def test_a_token_of_a_withdrawn_key_is_refused_as_soon_as_the_new_keys_are_there(
    start: Callable[[], API], issuer: Issuer
) -> None:
    api = start()
    remembered = bearer()
    passed(api, remembered)
    issuer.publish(ec_pair("new"))
    passed(api, bearer(ec_pair("new")))
    assert refused(api, remembered) == NOT_KNOWN


@pytest.mark.requirement("FR-079")
@pytest.mark.parametrize("without", [(), ("alg",), ("alg", "use")])
def test_good_keys_work_among_all_kinds_of_others(
    start: Callable[[], API], issuer: Issuer, without: tuple[str, ...]
) -> None:
    pairs = [PAIR, ec_pair(), rsa_pair(), rsa_pair("second"), ed25519_pair("later")]
    issuer.document = _with_junk(*(pair.jwk(*without) for pair in pairs))
    api = start()
    for pair in pairs:
        passed(api, bearer(pair))
    passed(api, bearer(alg="Ed25519"))
    passed(api, bearer(ec_pair(), "kid"))
    refused(api, bearer(rsa_pair(), "kid"))  # two keys match
    refused(api, bearer(kid=ec_pair().key_id))
    assert len(issuer.requests) == 2


def _with_junk(*entries: dict[str, object]) -> bytes:
    return key_set(*JUNK, *(part for entry in entries for part in (entry, *JUNK)))  # type: ignore[arg-type]


@pytest.mark.requirement("FR-079")
def test_of_keys_with_one_id_the_first_counts_and_short_ones_never_do(start: Callable[[], API], issuer: Issuer) -> None:
    short = rsa_pair("short", 1024)
    issuer.publish(short, ed25519_pair("same"), ec_pair("same"))
    api = start()
    passed(api, bearer(ed25519_pair("same")))
    refused(api, bearer(ec_pair("same")))
    assert refused(api, bearer(short)) == NOT_KNOWN


@pytest.mark.requirement("FR-009", "FR-080")
def test_a_token_that_was_verified_once_is_neither_verified_nor_are_keys_fetched_for_it_again(
    start: Callable[[], API], issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified: list[str] = []
    verify = jws.verify

    def counted(token: str, *arguments: object, **options: object) -> bytes:
        verified.append(token)
        result: bytes = verify(token, *arguments, **options)
        return result

    monkeypatch.setattr(jws, "verify", counted)
    api = start()
    value = bearer()
    for _ in range(50):
        passed(api, value)
    assert len(verified) == 1
    assert len(issuer.requests) == 1
    passed(api, f"Bearer {PAIR.token(claims(sub='another'))}")
    assert len(verified) == 2
    assert len(issuer.requests) == 1
