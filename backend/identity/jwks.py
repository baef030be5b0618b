"""The keys that an issuer publishes as a JSON Web Key Set (RFC 7517): fetched, checked and cached."""

from __future__ import annotations

import asyncio
import json
import math
import re
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import urlsplit

import structlog

from backend.config import LOCAL_HOSTS, NOT_HTTPS, is_https_or_local
from backend.errors import ConfigurationError, ServiceUnavailable

FETCH_TIMEOUT_SECONDS = 5
MAX_KEY_SET_BYTES = 1024 * 1024  # 500 of the largest usual keys, with their certificates
REFETCH_INTERVAL_SECONDS = 60  # between fetches caused by unknown key ids
RETRY_INTERVAL_SECONDS = 2  # between attempts until the first fetch succeeds
# A key that the issuer withdraws is gone within an hour. Halfway, the set is fetched again while it is still used, so
# that only the first request after a long silence has to wait.
KEYS_REFRESH_SECONDS = 1800
KEYS_MAX_AGE_SECONDS = 3600
MIN_RSA_BITS = 2048  # RFC 7518 section 3.3

BASE64URL = re.compile(r"[A-Za-z0-9_-]+")
# (kty, crv): the `alg` names valid for such a key, and the members that make up the public key. `oct` is absent on
# purpose: a published key is not secret, so no HMAC key may ever come from here.
KINDS: Mapping[tuple[object, object], tuple[tuple[str, ...], tuple[str, ...]]] = {
    ("RSA", None): (("RS256",), ("n", "e")),
    ("EC", "P-256"): (("ES256",), ("x", "y")),
    ("OKP", "Ed25519"): (("EdDSA", "Ed25519"), ("x",)),  # RFC 9864 renames the first to the second
}
PUBLISHED_ALGORITHMS = frozenset(name for names, _ in KINDS.values() for name in names)

logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """A key that checks signatures. `prepared` is the signature library's object for the parameters."""

    key_id: str | None
    algorithms: tuple[str, ...]
    parameters: Mapping[str, str]
    prepared: object = field(compare=False)


Prepare = Callable[[str, Mapping[str, str]], object]


def read_key_set(document: bytes, prepare: Prepare) -> tuple[VerificationKey, ...]:
    """Return the usable keys of a JWK Set (RFC 7517 section 5); raises ValueError when there is none.

    `prepare(algorithm, parameters)` builds the library's key and may raise. Keys for other purposes, of other kinds or
    with defects are skipped without affecting the rest; of two keys with the same id, the first counts.
    """
    try:
        content = json.loads(document.decode())
    except (ValueError, RecursionError):
        raise ValueError("not JSON: does JWT_JWKS_URL point to the issuer's keys?") from None
    entries = content.get("keys") if isinstance(content, dict) else None
    if not isinstance(entries, list):
        raise ValueError("not a JSON Web Key Set: does JWT_JWKS_URL point to the issuer's keys?")  # noqa: TRY004 - it came over the network, no caller passed it
    keys: dict[object, VerificationKey] = {}
    for position, entry in enumerate(entries):
        try:
            key = _read_key(entry, prepare)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one entry, the others still count
            logger.info("key_skipped", position=position, error=type(error).__name__)
        else:
            keys.setdefault(position if key.key_id is None else key.key_id, key)
    if not keys:
        raise ValueError("no usable key")
    return tuple(keys.values())


def _read_key(entry: object, prepare: Prepare) -> VerificationKey:
    if not isinstance(entry, dict):
        raise TypeError("not a JSON object")
    algorithms, names = KINDS[entry.get("kty"), entry.get("crv")]
    if entry.get("use", "sig") != "sig" or "verify" not in entry.get("key_ops", ["verify"]):
        raise ValueError("not for signatures")
    if entry.get("alg", algorithms[0]) not in algorithms:
        raise ValueError("for an algorithm that is not used here")
    key_id = entry.get("kid")
    if not (key_id is None or isinstance(key_id, str)):
        raise TypeError("the key id is no text")
    parameters: dict[str, str] = {name: entry[name] for name in names}
    if not all(BASE64URL.fullmatch(value) for value in parameters.values()):
        raise ValueError("not base64url")
    if "n" in parameters and _bits(parameters["n"]) < MIN_RSA_BITS:
        raise ValueError("too short to be safe")
    shape = {"kty": entry["kty"], "crv": entry.get("crv", "")}
    return VerificationKey(key_id, algorithms, parameters, prepare(algorithms[0], shape | parameters))


def _bits(value: str) -> int:
    return int.from_bytes(urlsafe_b64decode(value + "==")).bit_length()


class IssuerKeys:
    """The issuer's current keys. Fetches them on first use, for an unknown key id, and when they are old.

    There is only one fetch at a time, and at most one per interval, because anybody can make up key ids. Fetched keys
    stay until a later fetch succeeds. `changed` is called when their content has changed.
    """

    algorithms = PUBLISHED_ALGORITHMS

    def __init__(
        self,
        url: str,
        *,
        prepare: Prepare,
        changed: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not is_https_or_local(url):
            raise ConfigurationError(f"JWT_JWKS_URL: {NOT_HTTPS}")
        # Imports httpx, which only this class needs; here, so that no request waits for it.
        from backend.identity.fetch import download  # noqa: PLC0415

        is_local = urlsplit(url).hostname in LOCAL_HOSTS
        self._download = partial(download, url, is_local=is_local, max_bytes=MAX_KEY_SET_BYTES)
        self._prepare = prepare
        self._changed = changed
        self._clock = clock
        self._keys: tuple[VerificationKey, ...] = ()
        self._fetch_again_at = -math.inf
        self._fresh_until = self._trusted_until = -math.inf
        self._running_fetch: asyncio.Task[None] | None = None

    async def find(self, algorithm: str, key_id: str | None) -> VerificationKey | None:
        """Return the key with this id or, without an id, the only key for the algorithm; None when there is none.

        Raises ServiceUnavailable until a fetch has succeeded. The caller must not await between this call and the use
        of the key, or it might use a key that has just been withdrawn.
        """
        key = self._known(algorithm, key_id)
        if key is not None and self._clock() < self._trusted_until:
            if not self.are_fresh:
                self._due_fetch()  # fetched in the background: this request need not wait
            return key
        if not await self._fetched():
            return key
        key = self._known(algorithm, key_id)
        if key is None:
            # The set was just fetched, so the next unknown id has to wait, even right after the first fetch.
            self._fetch_again_at = self._clock() + REFETCH_INTERVAL_SECONDS
        return key

    @property
    def are_fresh(self) -> bool:
        """Return whether the keys are still too young to be fetched again."""
        return self._clock() < self._fresh_until

    def _known(self, algorithm: str, key_id: str | None) -> VerificationKey | None:
        if key_id is not None:
            fitting = [key for key in self._keys if key.key_id == key_id]
        else:
            fitting = [key for key in self._keys if algorithm in key.algorithms]
        return fitting[0] if len(fitting) == 1 else None

    async def _fetched(self) -> bool:
        """Join the running fetch, or start one if it is due; returns False when it is not."""
        fetch = self._due_fetch()
        if fetch is not None:
            # Shielded: a client that hangs up must not cancel the fetch for all others that wait for it.
            await asyncio.shield(fetch)
        self._require_keys()
        return fetch is not None

    def _due_fetch(self) -> asyncio.Task[None] | None:
        """Return the running fetch, or a new one if it is due; None when it is not."""
        loop = asyncio.get_running_loop()
        # A fetch of another event loop never finishes: that loop is gone.
        if self._running_fetch is None or self._running_fetch.done() or self._running_fetch.get_loop() is not loop:
            if self._clock() < self._fetch_again_at:
                return None
            self._running_fetch = loop.create_task(self._fetch())
        return self._running_fetch

    def _require_keys(self) -> None:
        if not self._keys:
            raise ServiceUnavailable(
                "The keys that verify tokens cannot be fetched right now. Try again shortly.",
                retry_after_seconds=RETRY_INTERVAL_SECONDS,
            )

    async def _fetch(self) -> None:
        asked_at = self._clock()
        try:
            keys = read_key_set(await self._download(timeout_seconds=FETCH_TIMEOUT_SECONDS), self._prepare)
        except Exception as error:  # noqa: BLE001 - whatever the other side does, known keys stay good
            logger.warning("keys_not_fetched", error=type(error).__name__, reason=str(error))
            pause = REFETCH_INTERVAL_SECONDS if self._keys else RETRY_INTERVAL_SECONDS
            self._fetch_again_at = self._fresh_until = self._clock() + pause
            self._trusted_until = asked_at + KEYS_MAX_AGE_SECONDS  # no request waits for an issuer that is down
            return
        self._fresh_until = asked_at + KEYS_REFRESH_SECONDS
        self._trusted_until = asked_at + KEYS_MAX_AGE_SECONDS
        if self._keys:
            self._fetch_again_at = self._clock() + REFETCH_INTERVAL_SECONDS
        if keys != self._keys:
            self._keys = keys
            self._changed()
