"""Shared secrets: which of them are accepted, and the secret that development makes for itself."""

from __future__ import annotations

import os
import re
import secrets
import stat
import tempfile
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_der_public_key
from cryptography.x509 import load_der_x509_certificate

from backend.config import MIN_SECRET_BYTES, OPENSSL, SHORT_SECRET
from backend.errors import ConfigurationError

DEVELOPMENT_SECRET_BYTES = 48  # 64 characters of base64url

MARKS = re.compile(
    rb"-----BEGIN |"  # PEM, and OpenSSH's private keys
    rb'"kty"|'  # JWK
    rb"\A(?:\x00\x00\x00.)?(?:ssh-|ecdsa-|sk-)|\Aopenssh-key-v1\x00",
    re.DOTALL,
)


def checked_secret(secret: str, setting: str) -> bytes:
    """Return the bytes of a secret; raises ConfigurationError if it is too short, or a key of a key pair."""
    try:
        data = secret.encode()
    except UnicodeEncodeError:
        raise ConfigurationError(f"{setting}: must be UTF-8 text") from None
    if len(data) < MIN_SECRET_BYTES:
        raise ConfigurationError(f"{setting}: {SHORT_SECRET}")
    if is_key_of_a_pair(secret):
        raise not_a_secret(setting)
    return data


def not_a_secret(setting: str) -> ConfigurationError:
    """Return the error for a key of a key pair: anybody can have the public one."""
    return ConfigurationError(
        f"{setting}: this is a key of a key pair, not a shared secret for HS256. Set JWT_JWKS_URL to the URL where "
        f"your issuer publishes its keys, or make a random secret with: {OPENSSL}"
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


def development_secret(path: Path, *, random: Callable[[int], str] = secrets.token_urlsafe) -> str:
    """Return the secret in this file, created at the first call (mode 0600).

    Processes that start at the same time get the same one. Raises ConfigurationError, with advice, for a file that
    cannot be read or written, that others may read, or that contains no proper secret.
    """
    advice = f"delete {path}, so that a new one is made, or set JWT_SECRET"
    try:
        if not path.exists():
            _make_secret_file(path, random(DEVELOPMENT_SECRET_BYTES))
        with path.open(encoding="utf-8") as file:
            mode = os.fstat(file.fileno()).st_mode
            secret = file.read().strip()
    except UnicodeDecodeError:
        raise ConfigurationError(f"The development secret is not text: {advice}") from None
    except OSError as error:
        raise ConfigurationError(
            f"DATA_DIR: cannot keep the development secret in {path} ({error.strerror}). "
            "Set DATA_DIR to a folder of your own, or set JWT_SECRET."
        ) from None
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigurationError(f"Others can read the development secret. Run: chmod 600 {path}. Or {advice}")
    if len(secret) < MIN_SECRET_BYTES:
        raise ConfigurationError(f"The development secret is shorter than {MIN_SECRET_BYTES} bytes: {advice}")
    return secret


def _make_secret_file(path: Path, secret: str) -> None:
    """Create the file complete or not at all, so that a second process never reads half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # O_EXCL, mode 0600
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secret)
        path.hardlink_to(draft)  # fails if the name is taken: then another process was first, and its secret counts
    except FileExistsError:
        pass
    finally:
        draft.unlink()
