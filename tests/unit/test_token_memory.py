"""A verified token is cached exactly as long as it is valid."""

from __future__ import annotations

from typing import NoReturn

import pytest
from jose import jws

from backend.identity import jwt
from backend.identity.claims import Expectations
from backend.identity.jwt import TokenMemory, verifier_from_jwks, verifier_from_secret
from tests.fixtures.identity.issuer import running_issuer
from tests.fixtures.identity.tokens import SECRET, USER, ec_pair, hmac_token, rsa_pair
from tests.fixtures.identity.verifying import NOW, Clock, good, refusal_of, secret_verifier, user_of


def _no_parsing(*_: object, **__: object) -> NoReturn:
    raise AssertionError("a remembered token must not be verified again")


@pytest.mark.requirement("FR-009")
def test_a_remembered_token_needs_no_cryptography_until_it_expires_to_the_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock()
    verifier = secret_verifier(clock=clock)
    token = hmac_token(SECRET, good(exp=NOW + 60))
    assert user_of(verifier, token) == USER
    with monkeypatch.context() as patch:
        patch.setattr(jws, "verify", _no_parsing)
        patch.setattr(jwt, "read_header", _no_parsing)
        clock.now = NOW + 59.999
        assert user_of(verifier, token) == USER
    clock.now = NOW + 60
    assert refusal_of(verifier, token) == "The token has expired."


@pytest.mark.requirement("FR-009", "FR-183")
def test_tokens_of_both_secrets_are_remembered_each_until_it_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    verifier = verifier_from_secret(SECRET, Expectations(), previous_secret=SECRET[::-1], now=clock)
    new, old = hmac_token(SECRET, good(exp=NOW + 60)), hmac_token(SECRET[::-1], good(exp=NOW + 30, sub="other"))
    assert (user_of(verifier, new), user_of(verifier, old)) == (USER, "other")
    with monkeypatch.context() as patch:
        patch.setattr(jws, "verify", _no_parsing)
        clock.now = NOW + 29.999
        assert (user_of(verifier, new), user_of(verifier, old)) == (USER, "other")
    clock.now = NOW + 30
    assert refusal_of(verifier, old) == "The token has expired."
    assert user_of(verifier, new) == USER


@pytest.mark.requirement("FR-009")
def test_a_refused_token_is_not_remembered() -> None:
    verifier = secret_verifier(issuer="https://a")
    for _ in range(2):
        assert "issuer" in refusal_of(verifier, hmac_token(SECRET, good(iss="https://b")))


@pytest.mark.requirement("FR-009")
def test_the_memory_is_bounded_in_tokens_and_in_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jwt, "MAX_REMEMBERED_TOKENS", 3)
    monkeypatch.setattr(jwt, "MAX_REMEMBERED_CHARACTERS", 20)
    memory = TokenMemory[str]()

    def known() -> list[str]:
        return [token for token in ("a", "b", "c", "d", "long" * 5) if memory.find(token, NOW)]

    for token in "abcd":
        memory.keep(token, USER, NOW + 1)
        memory.keep(token, USER, NOW + 1)
    assert known() == ["b", "c", "d"]
    memory.keep("long" * 5, USER, NOW + 1)
    assert known() == ["long" * 5]
    memory.clear()
    assert known() == []
    for token in "abcd":
        memory.keep(token, USER, NOW + 1)
    assert known() == ["b", "c", "d"]


@pytest.mark.requirement("FR-009", "FR-010", "FR-082")
def test_tokens_of_a_withdrawn_key_are_forgotten() -> None:
    clock = Clock(0)
    with running_issuer(rsa_pair(), ec_pair()) as issuer:
        verifier = verifier_from_jwks(issuer.url, Expectations(), now=Clock(), monotonic=clock)
        old, kept = rsa_pair().token(good()), ec_pair().token(good())
        assert (user_of(verifier, old), user_of(verifier, kept)) == (USER, USER)
        issuer.publish(ec_pair(), rsa_pair("rsa-2"))
        assert user_of(verifier, old) == USER  # the new keys have not been fetched yet
        assert user_of(verifier, rsa_pair("rsa-2").token(good())) == USER
        assert "unknown key" in refusal_of(verifier, old)
        assert user_of(verifier, kept) == USER


@pytest.mark.requirement("FR-009", "FR-082")
def test_a_token_of_a_key_that_changed_under_its_id_is_forgotten() -> None:
    with running_issuer(ec_pair("same")) as issuer:
        verifier = verifier_from_jwks(issuer.url, Expectations(), now=Clock())
        token = ec_pair("same").token(good())
        assert user_of(verifier, token) == USER
        issuer.publish(rsa_pair("same"))
        assert "unknown key" in refusal_of(verifier, ec_pair("other").token(good()))
        assert refusal_of(verifier, token) == "The token's algorithm does not match its key."


@pytest.mark.requirement("FR-009")
def test_a_fetch_that_brings_the_same_keys_makes_nobody_verify_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with running_issuer(ec_pair()) as issuer:
        verifier = verifier_from_jwks(issuer.url, Expectations(), now=Clock())
        token = ec_pair().token(good())
        assert user_of(verifier, token) == USER
        assert "unknown key" in refusal_of(verifier, ec_pair("other").token(good()))
        assert len(issuer.requests) == 2
        monkeypatch.setattr(jws, "verify", _no_parsing)
        assert user_of(verifier, token) == USER
