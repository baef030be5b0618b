"""Recognises keys of key pairs, which must never serve as a shared secret: anybody can have the public one."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_der_public_key
from cryptography.x509 import load_der_x509_certificate

MARKS = re.compile(
    rb"-----BEGIN |"  # PEM, and OpenSSH's private keys
    rb'"kty"|'  # JWK
    rb"\A(?:\x00\x00\x00.)?(?:ssh-|ecdsa-|sk-)|\Aopenssh-key-v1\x00",
    re.DOTALL,
)


def is_key_of_a_pair(text: str) -> bool:
    """Return whether a text is a public or private key or a certificate: PEM, DER, OpenSSH, JWK, or base64 of one.

    The 32 bytes of a raw Ed25519 key in base64 are not recognised: they look like any 32 random bytes.
    """
    plain = text.encode("latin-1", "replace")
    base64 = "".join(text.split()).translate({ord("-"): "+", ord("_"): "/"}).rstrip("=")
    try:
        decoded = b64decode(base64 + "=" * (-len(base64) % 4), validate=True)
    except ValueError:
        decoded = plain
    if MARKS.search(plain) or MARKS.search(decoded):
        return True
    return any(_loads(load, decoded) for load in (load_der_public_key, load_der_x509_certificate, _load_private_key))


def _load_private_key(data: bytes) -> object:
    return load_der_private_key(data, password=None)


def _loads(load: Callable[[bytes], object], data: bytes) -> bool:
    try:
        load(data)
    except (ValueError, UnsupportedAlgorithm):
        return False
    except TypeError:  # an encrypted private key
        return True
    return True
