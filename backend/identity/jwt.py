"""Turns a bearer token (JWT, RFC 7519) into a user id. The only module that imports jose.

jose raises more than its JWTError, and accepts a missing `exp`, a missing `aud` and an `iat` in the future. So any
exception of it means a refusal, and our own code checks the claims.
"""

from __future__ import annotations

import time
from base64 import urlsafe_b64decode
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Generic, Protocol, TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from jose import jwk, jws
from jose.backends.base import Key
from jose.exceptions import JWKError

from backend.errors import ConfigurationError
from backend.identity.claims import (
    MAX_USER_ID_LENGTH,
    Expectations,
    is_user_id,
    judge_claims,
    judge_header,
    read_header,
    read_object,
    refusal,
    refuse_other_issuers,
)
from backend.identity.jwks import IssuerKeys, VerificationKey
from backend.identity.shared_secret import checked_secret, not_a_secret

MAX_REMEMBERED_TOKENS = 10_000
MAX_REMEMBERED_CHARACTERS = 16 * 1024 * 1024  # so that long tokens cannot fill the memory either


_Known = TypeVar("_Known")


class Ed25519Key(Key):  # type: ignore[misc]  # jose has no types
    """An Ed25519 public key (RFC 8037) in python-jose's interface; jose itself has none."""

    def __init__(self, key: Mapping[str, str], algorithm: str) -> None:
        super().__init__(key, algorithm)
        self._public_key = Ed25519PublicKey.from_public_bytes(urlsafe_b64decode(key["x"] + "=="))

    def verify(self, msg: bytes, sig: bytes) -> bool:
        """Return whether this key made the signature of the message."""
        try:
            self._public_key.verify(sig, msg)
        except InvalidSignature:
            return False
        return True


# The only way to add an algorithm to jose. It applies to the whole process and changes none of jose's own algorithms.
# The name Ed25519 (RFC 9864) needs no entry: keys are built under the older name and accept both.
jwk.register_key("EdDSA", Ed25519Key)


class Keys(Protocol):
    """The source of the keys that check signatures."""

    @property
    def algorithms(self) -> frozenset[str]:
        """Every `alg` that a token may name."""

    async def find(self, algorithm: str, key_id: str | None) -> VerificationKey | None:
        """Return the key for a token; raises ServiceUnavailable when no keys are available."""

    @property
    def are_fresh(self) -> bool:
        """Return whether a token that these keys have verified can be accepted without finding its key again."""


class SecretKeys:
    """One shared secret, whatever key id a token names; while it is being replaced, also the previous one."""

    algorithms = frozenset({"HS256"})
    are_fresh = True  # a secret is never withdrawn while we run

    def __init__(self, secret: str, previous_secret: str | None = None) -> None:
        prepared = _prepared_secret(secret)
        if previous_secret is not None:
            # jose tries them in this order.
            prepared = (prepared, _prepared_secret(previous_secret, "JWT_PREVIOUS_SECRET"))
        self._key = VerificationKey(None, ("HS256",), {}, prepared)

    async def find(self, algorithm: str, key_id: str | None) -> VerificationKey:  # noqa: ARG002 - as Keys has it
        """Return the key for the secret, or for both."""
        return self._key


class TokenMemory(Generic[_Known]):
    """Verified tokens, each with what is known of it and until when. Bounded: the oldest is dropped first."""

    def __init__(self) -> None:
        self._tokens: OrderedDict[str, tuple[_Known, float]] = OrderedDict()
        self._characters = 0

    def find(self, token: str, now: float) -> _Known | None:
        """Return what is known of a token that was verified before and is still valid."""
        remembered = self._tokens.get(token)
        return remembered[0] if remembered is not None and now < remembered[1] else None

    def keep(self, token: str, known: _Known, until: float) -> None:
        """Remember a token that was just verified."""
        if token not in self._tokens:
            self._characters += len(token)
        self._tokens[token] = (known, until)
        self._tokens.move_to_end(token)
        while len(self._tokens) > MAX_REMEMBERED_TOKENS or self._characters > MAX_REMEMBERED_CHARACTERS:
            oldest, _ = self._tokens.popitem(last=False)
            self._characters -= len(oldest)

    def forget(self, is_meant: Callable[[_Known], bool]) -> None:
        """Forget the tokens for which `is_meant` returns true."""
        for token in [token for token, (known, _) in self._tokens.items() if is_meant(known)]:
            del self._tokens[token]
            self._characters -= len(token)

    def clear(self) -> None:
        """Forget everything, for example when a key was withdrawn."""
        self._tokens.clear()
        self._characters = 0


class Verifier:
    """Turns a bearer token into the user id it was issued for."""

    def __init__(self, keys: Keys, memory: TokenMemory[str], expected: Expectations, now: Callable[[], float]) -> None:
        self._keys = keys
        self._memory = memory
        self._expected = expected
        self._now = now

    async def user_id(self, token: str) -> str:
        """Return the `sub` of a good token.

        Raises Unauthorized for any other (RFC 6750 section 3.1), and ServiceUnavailable until the issuer's keys have
        been fetched once. A token verified before costs one look-up, until exactly its `exp` or until the issuer's keys
        are due again. The former is a date, by a clock that may be set; the latter is measured as elapsed time.
        """
        remembered = self._memory.find(token, self._now())
        if remembered is not None and self._keys.are_fresh:
            return remembered
        algorithm, key_id = judge_header(read_header(token), self._keys.algorithms)
        refuse_other_issuers(token, self._expected)
        key = await self._keys.find(algorithm, key_id)
        # No await from here on, so that no token is remembered after its key was withdrawn.
        if key is None:
            raise refusal("The token is signed with an unknown key.")
        if algorithm not in key.algorithms:
            raise refusal("The token's algorithm does not match its key.")
        claims = read_object(_signed_payload(token, key, algorithm))
        user_id, expires_at = judge_claims(claims, self._expected, self._now())
        self._memory.keep(token, user_id, expires_at)
        return user_id


def verifier_from_secret(
    secret: str,
    expected: Expectations,
    *,
    previous_secret: str | None = None,
    now: Callable[[], float] = time.time,
) -> Verifier:
    """Return a verifier of HS256 tokens that are signed with a secret or with the previous one.

    Raises ConfigurationError for a secret that is too short or a key pair's key.
    """
    return Verifier(SecretKeys(secret, previous_secret), TokenMemory[str](), expected, now)


def verifier_from_jwks(
    url: str,
    expected: Expectations,
    *,
    now: Callable[[], float] = time.time,
    monotonic: Callable[[], float] = time.monotonic,
) -> Verifier:
    """Return a verifier of tokens signed with the keys at this address; `monotonic` times the fetches.

    Fetches nothing yet. Raises ConfigurationError for an address that is not https.
    """
    memory = TokenMemory[str]()
    keys = IssuerKeys(url, prepare=_prepared_public_key, changed=memory.clear, clock=monotonic)
    return Verifier(keys, memory, expected, now)


class Signer:
    """Makes HS256 tokens with a secret, all with the same header."""

    def __init__(self, secret: str, key_id: str | None = None) -> None:
        """Raise ConfigurationError for a secret that no verifier would take."""
        self._key = _prepared_secret(secret)
        self._header = {} if key_id is None else {"kid": key_id}

    def sign(
        self, user_id: str, *, ttl_seconds: int, now: Callable[[], float] = time.time, **claims: str | None
    ) -> str:
        """Return a token of this user with these other claims, except None.

        Raises ConfigurationError for what is no user id.
        """
        if not is_user_id(user_id):
            raise ConfigurationError(
                f"A user id must have 1 to {MAX_USER_ID_LENGTH} characters and no control characters."
            )
        issued_at = int(now())
        dates = {"iat": issued_at, "exp": issued_at + ttl_seconds}
        present = {name: value for name, value in claims.items() if value is not None}
        token: str = jws.sign({"sub": user_id, **dates, **present}, self._key, headers=self._header, algorithm="HS256")
        return token


def issue_token(  # noqa: PLR0913 - each is one claim, or the clock
    secret: str,
    user_id: str,
    *,
    ttl_seconds: int,
    issuer: str | None = None,
    audience: str | None = None,
    authorized_party: str | None = None,
    now: Callable[[], float] = time.time,
) -> str:
    """Return an HS256 token for development and tests; raises ConfigurationError if no verifier would accept it."""
    claims = {"iss": issuer, "aud": audience, "azp": authorized_party}
    return Signer(secret).sign(user_id, ttl_seconds=ttl_seconds, now=now, **claims)


def _signed_payload(token: str, key: VerificationKey, algorithm: str) -> bytes:
    try:
        payload: bytes = jws.verify(token, key.prepared, algorithms=[algorithm])
    except Exception:  # noqa: BLE001 - jose lets TypeError, ValueError and others escape for some tokens
        raise refusal("The token's signature is not valid.") from None
    return payload


def _prepared_public_key(algorithm: str, parameters: Mapping[str, str]) -> object:
    key: object = jwk.construct(dict(parameters), algorithm)
    return key


def _prepared_secret(secret: str, setting: str = "JWT_SECRET") -> object:
    """Return the HS256 key, never the text, which jose would first try to read as JSON."""
    data = checked_secret(secret, setting)
    try:
        key: object = jwk.construct(data, "HS256")
    except JWKError:  # jose itself refuses some texts with an OpenSSH or PEM key in them
        raise not_a_secret(setting) from None
    return key
