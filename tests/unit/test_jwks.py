"""Which of the keys that an issuer publishes are used."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from backend.errors import ConfigurationError
from backend.identity.claims import Expectations
from backend.identity.jwks import VerificationKey, read_key_set
from backend.identity.jwt import Verifier, verifier_from_jwks
from tests.fixtures.identity.issuer import Issuer, running_issuer
from tests.fixtures.identity.tokens import USER, ec_pair, ed25519_pair, key_set, rsa_pair
from tests.fixtures.identity.verifying import Clock, good, refusal_of, user_of

PAIR = ed25519_pair()
NOT_KNOWN = "The token is signed with an unknown key."


def verifier_of(issuer: Issuer, clock: Clock | None = None) -> Verifier:
    return verifier_from_jwks(issuer.url, Expectations(), now=Clock(), monotonic=clock or Clock(0))


def token(key_id: str = PAIR.key_id, *without: str) -> str:
    return PAIR.token(good(), *without, kid=key_id)


def as_given(algorithm: str, parameters: Mapping[str, str]) -> object:
    return algorithm, dict(parameters)


def read(*entries: object) -> list[VerificationKey]:
    return list(read_key_set(json.dumps({"keys": entries}).encode(), as_given))


@pytest.mark.requirement("FR-006", "FR-079")
def test_keys_of_all_kinds_are_read_from_one_set_with_their_public_parameters_only() -> None:
    keys = read(rsa_pair().jwk("alg"), ec_pair().jwk("use"), PAIR.jwk(d="private", x5u="https://elsewhere.example"))
    assert [(key.key_id, key.algorithms) for key in keys] == [
        ("rsa-1", ("RS256",)),
        ("ec-1", ("ES256",)),
        ("ed-1", ("EdDSA", "Ed25519")),
    ]
    assert keys[2].prepared == ("EdDSA", {"kty": "OKP", "crv": "Ed25519", "x": PAIR.jwk()["x"]})


@pytest.mark.requirement("FR-006", "FR-079")
@pytest.mark.parametrize(
    "entry",
    [
        None,
        [],
        "key",
        {},
        {"kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA", "alg": "HS256", "kid": "o"},
        {"kty": ["RSA"]},
        {"kty": "OKP", "crv": "X25519", "x": PAIR.jwk()["x"]},
        {"kty": "EC", "crv": "P-384", "x": "AA", "y": "AA"},
        PAIR.jwk(use="enc"),
        PAIR.jwk(key_ops=["sign"]),
        PAIR.jwk(key_ops=3),
        PAIR.jwk(alg="ES256"),
        PAIR.jwk(alg="HS256"),
        PAIR.jwk(alg=None),
        rsa_pair().jwk(alg="PS256"),
        rsa_pair().jwk(alg="RS512"),
        PAIR.jwk(kid=7),
        PAIR.jwk("x"),
        PAIR.jwk(x=5),
        PAIR.jwk(x=""),
        PAIR.jwk(x="not base64url!"),
        rsa_pair("short", 1024).jwk(),
        rsa_pair().jwk(n="AQAB"),
    ],
)
def test_an_unusable_entry_is_left_out_without_harm_to_the_others(entry: object) -> None:
    assert [key.key_id for key in read(entry, ec_pair().jwk(), entry)] == ["ec-1"]
    with pytest.raises(ValueError, match="no usable key"):
        read(entry)


@pytest.mark.requirement("FR-006", "FR-079")
@pytest.mark.parametrize("entry", [PAIR.jwk(x="AAAA"), ec_pair().jwk(x="AAAA"), rsa_pair().jwk(e="AA")])
def test_a_key_that_the_library_refuses_is_left_out(entry: dict[str, object]) -> None:
    with running_issuer() as issuer:
        issuer.document = key_set(entry, rsa_pair("good"))
        verifier = verifier_of(issuer)
        assert user_of(verifier, rsa_pair("good").token(good())) == USER
        assert refusal_of(verifier, PAIR.token(good(), kid=str(entry["kid"]))) == NOT_KNOWN


@pytest.mark.requirement("FR-006", "FR-079")
def test_a_verification_key_may_say_so() -> None:
    assert [key.key_id for key in read(PAIR.jwk(key_ops=["verify"], use="sig"))] == ["ed-1"]


@pytest.mark.requirement("FR-006", "FR-079")
def test_of_two_keys_with_one_id_the_first_counts() -> None:
    with running_issuer(ed25519_pair("same"), ec_pair("same")) as issuer:
        verifier = verifier_of(issuer)
        assert user_of(verifier, ed25519_pair("same").token(good())) == USER
        assert "algorithm" in refusal_of(verifier, ec_pair("same").token(good()))


@pytest.mark.requirement("FR-006", "FR-079")
def test_a_token_without_key_id_is_accepted_only_when_one_key_fits() -> None:
    with running_issuer(PAIR, ec_pair(), rsa_pair(), rsa_pair("rsa-2")) as issuer:
        issuer.document = key_set(PAIR.jwk("kid"), ec_pair(), rsa_pair(), rsa_pair("rsa-2"))
        verifier = verifier_of(issuer)
        assert user_of(verifier, token("", "kid")) == USER
        assert user_of(verifier, ec_pair().token(good(), "kid")) == USER
        assert refusal_of(verifier, rsa_pair().token(good(), "kid")) == NOT_KNOWN
        assert refusal_of(verifier, PAIR.token(good(), kid="")) == NOT_KNOWN


@pytest.mark.requirement("FR-083")
@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"<html>",
        b"[]",
        b"null",
        b"{}",
        b'{"keys":{}}',
        b'{"keys":[]}',
        b"\xff",
        pytest.param(b'{"keys":' + b"[" * 100_000, id="deep"),
    ],
)
def test_what_is_no_key_set_is_refused(document: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_key_set(document, as_given)


@pytest.mark.requirement("FR-010", "FR-083")
@pytest.mark.parametrize(
    "url", ["http://issuer.example/jwks", "ftp://localhost/jwks", "https:///jwks", "file:///etc/passwd", "jwks", ""]
)
def test_an_address_that_is_not_private_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="JWT_JWKS_URL"):
        verifier_from_jwks(url, Expectations())
