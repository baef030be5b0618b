"""Turning a bearer token into a user id: shape, header, key and signature."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from backend.identity.claims import Expectations
from backend.identity.jwt import verifier_from_jwks
from tests.fixtures.identity.issuer import running_issuer
from tests.fixtures.identity.tokens import (
    SECRET,
    USER,
    KeyPair,
    base64url,
    compact,
    ec_pair,
    ed25519_pair,
    hmac_signer,
    hmac_token,
    key_set,
    rsa_pair,
)
from tests.fixtures.identity.verifying import NOT_A_JWT, Clock, good, refusal_of, secret_verifier, user_of

BAD_SIGNATURE = "The token's signature is not valid."
BAD_ALGORITHM = "The token's algorithm is not accepted."


@pytest.mark.requirement("FR-001", "FR-005")
def test_an_hs256_token_gives_its_subject() -> None:
    assert user_of(secret_verifier(), hmac_token(SECRET, good(sub="auth0|123"))) == "auth0|123"


@pytest.mark.requirement("FR-005")
def test_a_secret_accepts_a_token_whatever_key_id_it_names() -> None:
    assert user_of(secret_verifier(), hmac_token(SECRET, good(), kid="anything")) == USER


@pytest.mark.requirement("FR-006", "FR-079")
@pytest.mark.parametrize("pair", [rsa_pair, ec_pair, ed25519_pair])
@pytest.mark.parametrize("without", [(), ("alg",), ("alg", "use")])
def test_a_token_of_each_kind_of_published_key_is_accepted(pair: Callable[[], KeyPair], without: tuple[str]) -> None:
    with running_issuer() as issuer:
        issuer.document = key_set(rsa_pair("x"), ec_pair("y"), ed25519_pair("z"), pair().jwk(*without))
        verifier = verifier_from_jwks(issuer.url, Expectations(), now=Clock())
        assert user_of(verifier, pair().token(good())) == USER


@pytest.mark.requirement("FR-006", "FR-079")
@pytest.mark.parametrize("name_in_key", ["EdDSA", "Ed25519"])
@pytest.mark.parametrize("name_in_token", ["EdDSA", "Ed25519"])
def test_ed25519_goes_by_both_of_its_names(name_in_key: str, name_in_token: str) -> None:
    with running_issuer() as issuer:
        issuer.document = key_set(ed25519_pair().jwk(alg=name_in_key))
        verifier = verifier_from_jwks(issuer.url, Expectations(), now=Clock())
        assert user_of(verifier, ed25519_pair().token(good(), alg=name_in_token)) == USER


@pytest.mark.requirement("FR-003", "FR-073")
@pytest.mark.parametrize(
    "token",
    [
        "",
        "opaque-session-token",
        "..",
        "a.b",
        "a.b.c",
        "eyJhbGciOiJIUzI1NiJ9..",
        "é.é.é",
        "\udcff.a.a",
        "eyJhbGciOiJIUzI1NiJ9.e30.AA==",
        "eyJhbGciOiJIUzI1NiJ9.e30.A+/_",
        "eyJhbGciOiJIUzI1NiJ9.e30.AA\n",
        " eyJhbGciOiJIUzI1NiJ9.e30.AA",
        "eyJhbGciOiJIUzI1NiJ9.e30.AAAAA",
        "eyJhbGciOiJIUzI1NiJ9.e30.AA.AA.AA",
    ],
)
def test_what_has_not_the_shape_of_a_jwt_is_refused(token: str) -> None:
    assert refusal_of(secret_verifier(), token) == NOT_A_JWT


@pytest.mark.requirement("FR-003", "FR-073")
def test_junk_and_unused_bits_after_the_signature_are_refused() -> None:
    token = hmac_token(SECRET, good())
    last_bits = {"A": "B", "E": "F", "I": "J", "M": "N", "Q": "R", "U": "V", "Y": "Z", "c": "d", "g": "h", "k": "l"}
    last_bits |= {"o": "p", "s": "t", "w": "x", "0": "1", "4": "5", "8": "9"}
    twin = token[:-1] + last_bits[token[-1]]
    assert urlsafe_b64decode(twin.split(".")[2] + "=") == urlsafe_b64decode(token.split(".")[2] + "=")
    for changed in (token + "!!!!", token + "=", token + ".", token + "\x00", twin):
        assert refusal_of(secret_verifier(), changed) == NOT_A_JWT
    assert refusal_of(secret_verifier(), token + "AAAAA") == BAD_SIGNATURE


@pytest.mark.requirement("FR-003", "FR-073")
@pytest.mark.parametrize("padding", [8193, 1_000_000])
def test_an_overlong_token_is_refused_unread(padding: int) -> None:
    token = hmac_token(SECRET, good(padding="x" * padding))
    assert refusal_of(secret_verifier(), token) == "The token is longer than 8192 bytes."


@pytest.mark.requirement("FR-003", "FR-073")
def test_the_longest_token_has_8192_bytes() -> None:
    token, longer = (hmac_token(SECRET, good(padding="x" * size)) for size in (6010, 6011))
    assert (len(token), len(longer)) == (8192, 8193)
    assert user_of(secret_verifier(), token) == USER
    assert "longer" in refusal_of(secret_verifier(), longer)


@pytest.mark.requirement("FR-003", "FR-073")
@pytest.mark.parametrize(
    "junk",
    [
        b"\x00",
        b"{",
        b"[]",
        b"null",
        b'"HS256"',
        b'{"alg":"HS256"}junk',
        b'{"alg":NaN}',
        b'{"alg":-Infinity}',
        b"\xff\xfe",
        '{"alg":"HS256"}'.encode("utf-16"),
        b'\xef\xbb\xbf{"alg":"HS256"}',
        b'{"x":' + b"1" * 5000 + b"}",
    ],
)
def test_a_header_or_payload_that_is_no_json_object_is_refused(junk: bytes) -> None:
    assert refusal_of(secret_verifier(), compact(junk, good(), hmac_signer(SECRET))) == NOT_A_JWT
    assert refusal_of(secret_verifier(), hmac_token(SECRET, junk)) == NOT_A_JWT


@pytest.mark.requirement("FR-003", "FR-073")
@pytest.mark.parametrize("depth", [64, 1200, 2900])
def test_deep_nesting_is_refused(depth: int) -> None:
    nested = b'{"alg":"HS256","x":' + b"[" * depth + b"]" * depth + b"}"
    refusal_of(secret_verifier(), compact(nested, good(), lambda _: b"no signature"))
    refusal_of(secret_verifier(), hmac_token(SECRET, nested))


@pytest.mark.requirement("FR-003", "FR-073")
@pytest.mark.parametrize(
    "algorithm", ["none", "None", "", "HS2", "HS384", "HS512", "RS256", "EdDSA", "dir", None, 256, ["HS256"], {}]
)
def test_an_algorithm_other_than_the_secrets_is_refused(algorithm: object) -> None:
    token = compact({"alg": algorithm}, good(), hmac_signer(SECRET))
    assert refusal_of(secret_verifier(), token) == BAD_ALGORITHM
    refusal_of(secret_verifier(), compact({}, good(), hmac_signer(SECRET)))


@pytest.mark.requirement("FR-003", "FR-073")
def test_an_hs512_token_of_the_hs256_secret_is_refused() -> None:
    assert refusal_of(secret_verifier(), hmac_token(SECRET, good(), algorithm="HS512")) == BAD_ALGORITHM


@pytest.mark.requirement("FR-003", "FR-073")
@pytest.mark.parametrize(
    "extension", [{"crit": ["exp"]}, {"crit": []}, {"b64": False}, {"b64": True}, {"b64": False, "crit": ["b64"]}]
)
def test_a_token_with_extensions_is_refused(extension: dict[str, object]) -> None:
    message = refusal_of(secret_verifier(), hmac_token(SECRET, good(), **extension))  # type: ignore[arg-type]
    assert message == "The token uses unsupported extensions."


@pytest.mark.requirement("FR-003", "FR-073")
@pytest.mark.parametrize("key_id", [None, 1, ["a"], {}])
def test_a_key_id_that_is_no_text_is_refused(key_id: object) -> None:
    assert (
        refusal_of(secret_verifier(), hmac_token(SECRET, good(), kid=key_id))
        == "The token's key id (kid) is not a string."
    )


@pytest.mark.requirement("FR-003", "FR-073")
def test_a_token_of_another_secret_or_without_its_own_signature_is_refused() -> None:
    other = hmac_token(SECRET + "!", good())
    borrowed = (
        hmac_token(SECRET, good(sub="mallory")).rsplit(".", 1)[0] + "." + hmac_token(SECRET, good()).split(".")[2]
    )
    for token in (other, borrowed):
        assert refusal_of(secret_verifier(), token) == BAD_SIGNATURE


@pytest.mark.requirement("FR-003", "FR-006", "FR-073")
@pytest.mark.parametrize("pair", [rsa_pair, ec_pair, ed25519_pair])
def test_a_published_key_is_never_taken_as_a_secret(pair: Callable[[], KeyPair]) -> None:
    public = pair().private_key.public_key()
    secrets = [public.public_bytes(form, PublicFormat.SubjectPublicKeyInfo) for form in (Encoding.PEM, Encoding.DER)]
    secrets.append(
        next(iter(urlsafe_b64decode(str(pair().jwk()[name]) + "==") for name in ("n", "x") if name in pair().jwk()))
    )
    with running_issuer(pair()) as issuer:
        verifier = verifier_from_jwks(issuer.url, Expectations(), now=Clock())
        assert user_of(verifier, pair().token(good())) == USER
        for secret in secrets:
            assert refusal_of(verifier, hmac_token(secret, good(), kid=pair().key_id)) == BAD_ALGORITHM
            for disguise in ("RS256", "ES256", "EdDSA"):
                forged = compact({"alg": disguise, "kid": pair().key_id}, good(), hmac_signer(secret))
                refusal_of(verifier, forged)


@pytest.mark.requirement("FR-003", "FR-006", "FR-073")
def test_the_algorithm_must_be_that_of_the_key_named() -> None:
    with running_issuer(rsa_pair(), ec_pair(), ed25519_pair()) as issuer:
        verifier = verifier_from_jwks(issuer.url, Expectations(), now=Clock())
        token = rsa_pair().token(good(), kid=ec_pair().key_id)
        assert refusal_of(verifier, token) == "The token's algorithm does not match its key."
        wrong_key = rsa_pair("not-published").token(good(), kid=rsa_pair().key_id)
        assert refusal_of(verifier, wrong_key) == BAD_SIGNATURE
        for signature in (b"\x00", b"\x00" * 64, b"\x00" * 256):
            for pair in (rsa_pair(), ec_pair(), ed25519_pair()):
                signed = pair.token(good()).rsplit(".", 1)[0]
                forged = f"{signed}.{base64url(signature)}"
                assert refusal_of(verifier, forged) == BAD_SIGNATURE


@pytest.mark.requirement("FR-003", "FR-083")
def test_keys_and_addresses_that_a_token_brings_along_are_ignored() -> None:
    own = ed25519_pair("own")
    with running_issuer(ed25519_pair()) as issuer, running_issuer(own) as elsewhere:
        verifier = verifier_from_jwks(issuer.url, Expectations(), now=Clock())
        luggage: dict[str, object] = {"jku": elsewhere.url, "x5u": elsewhere.url, "jwk": own.jwk(), "x5c": ["MII"]}
        assert user_of(verifier, ed25519_pair().token(good(), **luggage)) == USER
        assert "unknown key" in refusal_of(verifier, own.token(good(), **luggage))
        assert elsewhere.requests == []
