"""Malformed tokens of every shape, over HTTP: each gets a 401, and a good token still passes afterwards."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterator

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from backend.config import Settings
from tests.fixtures.identity.doors import PAIRS, Door, good_claims, opened_doors, passed, refused
from tests.fixtures.identity.issuer import running_issuer
from tests.fixtures.identity.tokens import SECRET, KeyPair, base64url, compact, ed25519_pair, hmac_signer, key_set

pytestmark = pytest.mark.requirement("FR-073")

ALGORITHMS = [
    *("none", "None", "nONE", "NONE", "", " ", "null", "HS256 ", "hs256", "HS2", "HS256\x00", "HS384", "HS512"),
    *("RS256", "RS384", "RS512", "PS256", "ES256", "ES256K", "ES384", "ES512", "EdDSA", "Ed25519", "Ed448"),
    *("dir", "RSA-OAEP", "A128GCM", "A256KW", "ECDH-ES"),
    *(None, True, 0, 256, 1.5, [], ["none"], ["HS256"], ["EdDSA"], {}, {"alg": "HS256"}),
]
NAMES = {"HS256": {"HS256"}, "RS256": {"RS256"}, "ES256": {"ES256"}, "EdDSA": {"EdDSA", "Ed25519"}}


@pytest.fixture(scope="module")
def doors(settings: Settings) -> Iterator[tuple[Door, ...]]:
    with opened_doors(settings) as doors:
        yield doors


def none_passes(doors: tuple[Door, ...], make: Callable[[Door], str | bytes]) -> None:
    for door in doors:
        token = make(door)
        refused(door.api, b"Bearer " + (token.encode() if isinstance(token, str) else token))
        passed(door.api, f"Bearer {door.token()}")


@pytest.mark.parametrize("algorithm", ALGORITHMS, ids=repr)
def test_another_algorithm_is_refused_signed_and_unsigned(doors: tuple[Door, ...], algorithm: object) -> None:
    others = [door for door in doors if algorithm not in [*NAMES[str(door.header["alg"])]]]
    assert others
    for door in others:
        signed = door.token(alg=algorithm)
        for token in (signed, signed.rpartition(".")[0] + ".", signed.rpartition(".")[0] + ".AA"):
            refused(door.api, f"Bearer {token}")
        passed(door.api, f"Bearer {door.token()}")


def test_no_algorithm_at_all_is_refused(doors: tuple[Door, ...]) -> None:
    none_passes(doors, lambda door: compact({"kid": door.header.get("kid", "a")}, good_claims(), door.sign))


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_the_secret_signs_with_one_algorithm_only(doors: tuple[Door, ...], algorithm: str) -> None:
    for names in (algorithm, "HS256"):
        token = compact({"alg": names}, good_claims(), hmac_signer(SECRET, algorithm))
        refused(doors[0].api, f"Bearer {token}")


def forms(pair: KeyPair) -> Iterator[bytes]:
    """List all byte forms in which a public key could be used as a secret."""
    public = pair.private_key.public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    yield from (pem, pem.strip(), pem.replace(b"\n", b"\r\n"), b"".join(pem.splitlines()[1:-1]))
    yield public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    yield public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    for name in {"n", "x"} & set(pair.jwk()):
        yield str(pair.jwk()[name]).encode()
        yield urlsafe_b64decode(str(pair.jwk()[name]) + "==")
    for document in (json.dumps(pair.jwk()), json.dumps(pair.jwk(), separators=(",", ":")), key_set(pair).decode()):
        yield document.encode()
    yield b""


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.algorithm)
def test_a_public_key_signs_nothing(doors: tuple[Door, ...], pair: KeyPair) -> None:
    door = next(door for door in doors if door.header["alg"] == pair.algorithm)
    for public in forms(pair):
        for algorithm in ("HS256", "HS384", "HS512"):
            for named in (algorithm, pair.algorithm):
                for header in ({"alg": named, "kid": pair.key_id}, {"alg": named}):
                    forged = compact(header, good_claims(), hmac_signer(public, algorithm))
                    refused(door.api, f"Bearer {forged}")
    passed(door.api, f"Bearer {door.token()}")


def test_a_key_of_the_set_does_not_answer_for_another(doors: tuple[Door, ...]) -> None:
    _, *fetching = doors
    for door in fetching:
        for other in fetching:
            if other is not door:
                refused(door.api, f"Bearer {compact(door.header, good_claims(), other.sign)}")
                refused(door.api, f"Bearer {door.token(kid=other.header['kid'])}")


@pytest.mark.parametrize(
    "extension",
    [
        {"crit": ["exp"]}, {"crit": []}, {"crit": None}, {"crit": "b64"}, {"b64": False}, {"b64": True}, {"b64": None},
        {"b64": False, "crit": ["b64"]}, {"crit": ["unknown"], "unknown": 1},
    ],
)  # fmt: skip
def test_extensions_are_refused(doors: tuple[Door, ...], extension: dict[str, object]) -> None:
    none_passes(doors, lambda door: door.token(**extension))


@pytest.mark.parametrize("key_id", [None, True, 1, [], ["rsa-1"], {}])
def test_a_key_id_of_another_type_is_refused(doors: tuple[Door, ...], key_id: object) -> None:
    none_passes(doors, lambda door: door.token(kid=key_id))


@pytest.mark.parametrize("key_id", ["", "o", "e", "RSA-1", "rsa-1\x00", "\ud800", "../../x", "' OR '1'='1", "x" * 5000])
def test_an_unknown_key_id_is_refused(doors: tuple[Door, ...], key_id: str) -> None:
    none_passes(doors[1:], lambda door: door.token(kid=key_id))


def nested(door: Door, depth: int, kind: str) -> bytes:
    opening, closing = ("[", "]") if kind == "list" else ('{"a":', "}")
    return json.dumps(door.header)[:-1].encode() + f',"x":{opening * depth}1{closing * depth}}}'.encode()


@pytest.mark.parametrize("depth", [64, 1200, 2500])
@pytest.mark.parametrize("kind", ["list", "object"])
def test_a_deeply_nested_header_is_refused_although_it_is_signed(
    doors: tuple[Door, ...], depth: int, kind: str
) -> None:
    if kind == "object" and depth == 2500:
        depth = 900  # deeper ones do not fit into a token
    none_passes(doors, lambda door: compact(nested(door, depth, kind), good_claims(), door.sign))
    for door in doors:
        passed(door.api, f"Bearer {compact(nested(door, 63, kind), good_claims(), door.sign)}")


@pytest.mark.parametrize("end", [b"]" * 2500 + b"}", b""], ids=["closed", "open"])
def test_a_deeply_nested_payload_is_refused(doors: tuple[Door, ...], end: bytes) -> None:
    none_passes(doors, lambda door: door.token(b'{"sub":"a","x":' + b"[" * 2500 + end))


DOCUMENTS = [
    *(b"", b" ", b"\x00", b"{", b"[]", b"[{}]", b"null", b"true", b"1", b'"text"', b"{}{}", b"{}x", b"\xff\xfe"),
    *(b'{"a":NaN}', b'{"a":Infinity}', b'{"a":-Infinity}', b'{"a":"\xff"}', b'{"a":"\n"}', b"{'a':1}"),
    b'{"a":' + b"9" * 4301 + b"}",
    *(json.dumps({"alg": "HS256", **good_claims()}).encode(name) for name in ("utf-8-sig", "utf-16", "utf-32")),
]  # fmt: skip


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: repr(document[:20]))
def test_a_header_or_payload_that_is_no_json_object_is_refused(doors: tuple[Door, ...], document: bytes) -> None:
    none_passes(doors, lambda door: door.token(document))
    none_passes(doors, lambda door: compact(document, good_claims(), door.sign))


SHAPES: dict[str, Callable[[str], str | bytes]] = {
    "opaque": lambda _: "8pGwBIlUS9nUbTzZXs0uYhWmQ2aVq5Kx",
    "one part": lambda token: token.split(".")[0],
    "one part and a dot": lambda token: token.split(".")[0] + ".",
    "two parts": lambda token: token.rpartition(".")[0],
    "an empty signature": lambda token: token.rpartition(".")[0] + ".",
    "an empty header": lambda token: "." + token.partition(".")[2],
    "an empty payload": lambda token: "{0}..{2}".format(*token.split(".")),
    "four parts": lambda token: token + ".AA",
    "four parts, one empty": lambda token: token + ".",
    "five parts": lambda token: token + ".AA.AA",
    "six parts": lambda token: f"{token}.{token}",
    "dots": lambda _: "..",
    "many dots": lambda _: "." * 3000,
    "twice": lambda token: f"{token} {token}",
    "twice with a comma": lambda token: f"{token},{token}",
    "with a scheme": lambda token: f"Bearer {token}",
    "quoted": lambda token: f'"{token}"',
    "a parameter": lambda token: f"token={token}",
    "padded": lambda token: token + "=",
    "padded inside": lambda token: token.replace(".", "=.", 1),
    "junk after it": lambda token: token + "!!!!",
    "a character more": lambda token: token + "A",
    "four characters more": lambda token: token + "AAAA",
    "percent": lambda token: token.replace(".", "%2E"),
    "a blank inside": lambda token: token.replace(".", " .", 1),
    "a no-break space": lambda token: b"\xa0" + token.encode(),
    "a next line": lambda token: token.encode() + b"\x85",
    "latin-1": lambda token: token.encode() + b"\xe9",
    "utf-8": lambda token: token + "é",
    "full width": lambda token: token.replace(".", "\uff0e"),
    "no utf-8": lambda token: token.encode() + b"\xff\xfe\xc3",
    "the standard alphabet": lambda token: token.rpartition(".")[0] + "." + "A+/A" * 10,
    "half of it": lambda token: token[: len(token) // 2],
    "reversed": lambda token: ".".join(reversed(token.split("."))),
    "upper case": str.upper,
    "8193 bytes": lambda token: token + "A" * (8193 - len(token)),
    "9 KB": lambda token: token + "A" * 9000,
    "30 KB": lambda token: token + "A" * 30_000,
    "9 KB of dots": lambda _: "." * 9000,
    "9 KB of brackets": lambda _: f"{base64url(b'[' * 6750)}.e30.AA",
    "a public key": lambda _: base64url(key_set(ed25519_pair())),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_not_a_token_is_refused(doors: tuple[Door, ...], shape: str) -> None:
    none_passes(doors, lambda door: SHAPES[shape](door.token()))


@pytest.mark.parametrize("padding", [7000, 20_000])
def test_an_overlong_token_is_refused_although_it_is_signed(doors: tuple[Door, ...], padding: int) -> None:
    none_passes(doors, lambda door: door.token(good_claims(padding="x" * padding)))


@pytest.mark.requirement("FR-083")
def test_keys_and_addresses_that_a_token_brings_along_are_never_used(doors: tuple[Door, ...]) -> None:
    own = ed25519_pair("own")
    with running_issuer(own) as elsewhere:
        luggage = {"jku": elsewhere.url, "x5u": elsewhere.url, "jwk": own.jwk(), "x5c": ["MIIB"], "x5t": "AA"}
        for door in doors:
            for header in ({"alg": "EdDSA", "kid": "own"}, {"alg": "EdDSA"}, dict(door.header)):
                refused(door.api, f"Bearer {compact({**header, **luggage}, good_claims(), own.sign)}")
            passed(door.api, f"Bearer {door.token(**luggage)}")
        assert elsewhere.requests == []
