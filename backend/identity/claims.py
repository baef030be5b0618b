"""Reads a JWT (RFC 7519) and checks its claims. Keys and signatures are checked elsewhere."""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass

from backend.errors import Unauthorized
from backend.utils.strict_json import refuse_constant

MAX_TOKEN_LENGTH = 8192
MAX_HEADER_BRACKETS = 64  # [ and {: limits the nesting of a header, independent of this Python's own limit
MAX_USER_ID_LENGTH = 255
LEEWAY_SECONDS = 30  # how far the issuer's clock may be ahead of ours
LATEST_DATE = 253_402_300_800  # the end of the year 9999; anything later is milliseconds or malicious

COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")  # RFC 7515 section 7.1
FORBIDDEN_IN_USER_ID = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")  # controls and lone surrogates
NOT_A_JWT = "The bearer token is not a JSON Web Token."
WHOLE = "Send it complete and unchanged, without quotes and without a second Bearer."
SHORTER = "Configure its issuer to put less into it."
RENEW = "Sign in again; in development, task-api token prints a new one."
FROM_ISSUER = (
    "Send a complete token from the issuer that this service trusts. In development, task-api token prints one; run it "
    "with the same DATA_DIR or JWT_SECRET as the service."
)


@dataclass(frozen=True, slots=True)
class Expectations:
    """What a token must say in addition to being signed; None and () are not checked."""

    issuer: str | None = None
    audiences: tuple[str, ...] = ()
    authorized_parties: tuple[str, ...] = ()


def refusal(what: str, advice: str = FROM_ISSUER) -> Unauthorized:
    """Return the error for a bad token: what is wrong and what to do, without any text from the token."""
    return Unauthorized(f"{what} {advice}", invalid_token=True)


def no_jwt() -> Unauthorized:
    """Return the error for text that is not a JSON Web Token."""
    return refusal(NOT_A_JWT, WHOLE)


def read_header(token: str) -> dict[str, object]:
    """Return the header of a JWS in compact form (RFC 7515 section 7.1), not verified yet.

    Raises Unauthorized for anything else, and for more than 8192 bytes without reading them.
    """
    if len(token) > MAX_TOKEN_LENGTH:
        raise refusal(f"The token is longer than {MAX_TOKEN_LENGTH} bytes.", SHORTER)
    if not COMPACT.fullmatch(token):
        raise no_jwt()
    try:
        header, _, _ = [_decode(part) for part in token.split(".")]
    except ValueError:
        raise no_jwt() from None
    if header.count(b"[") + header.count(b"{") > MAX_HEADER_BRACKETS:
        raise no_jwt()
    return read_object(header)


def read_object(data: bytes) -> dict[str, object]:
    """Parse a header or payload as a JSON object; raises Unauthorized if it is not one."""
    try:
        # Decoded first, because json.loads would accept UTF-16 and UTF-32 from bytes.
        content = json.loads(data.decode(), parse_constant=refuse_constant)
    except (ValueError, RecursionError):
        raise no_jwt() from None
    if not isinstance(content, dict):
        raise no_jwt()
    return content


def _decode(part: str) -> bytes:
    data = urlsafe_b64decode(part + "=" * (-len(part) % 4))
    # The last character may carry unused bits; only one spelling of a token is accepted.
    if urlsafe_b64encode(data).rstrip(b"=") != part.encode():
        raise ValueError("not canonical base64url")
    return data


def judge_header(header: Mapping[str, object], algorithms: frozenset[str]) -> tuple[str, str | None]:
    """Return `alg` and `kid`; raises Unauthorized if they cannot be used.

    `jku`, `x5u`, `jwk` and `x5c` are never looked at (RFC 8725 section 3.10).
    """
    if "crit" in header or "b64" in header:  # RFC 7515 section 4.1.11, RFC 7797: extensions we do not know
        raise refusal("The token uses unsupported extensions.", "Configure its issuer to leave out crit and b64.")
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in algorithms:
        raise refusal("The token's algorithm is not accepted.")
    key_id = header.get("kid")
    if isinstance(key_id, str) or "kid" not in header:
        return algorithm, key_id if isinstance(key_id, str) else None
    raise refusal("The token's key id (kid) is not a string.")


def refuse_other_issuers(token: str, expected: Expectations) -> None:
    """Raise Unauthorized for a token that claims another issuer, before verifying anything.

    Otherwise each would trigger a fetch for a key that cannot be there, and a new key of our own issuer would have to
    wait until keys may be fetched again. No other claim is trusted yet.
    """
    if expected.issuer is not None:
        _judge_issuer(read_object(_decode(token.split(".")[1])), expected.issuer)


def _judge_issuer(claims: Mapping[str, object], expected: str) -> None:
    if claims.get("iss") != expected:
        raise refusal("The token's issuer is not accepted.", _advice("iss", "JWT_ISSUER"))


def judge_claims(claims: Mapping[str, object], expected: Expectations, now: float) -> tuple[str, float]:
    """Return `sub` and `exp` of a token with a valid signature; raises Unauthorized if a claim is not acceptable.

    `now` is in seconds since 1970. `nbf` and `iat` may be up to 30 s in the future, in case the issuer's clock is ahead
    of ours. `exp` gets no leeway: the token is invalid from that second, and a clock that is ahead only makes it later.
    """
    expires_at = _date(claims, "exp")
    if expires_at is None:
        raise refusal("The token has no expiry (exp).", "Configure its issuer to add one.")
    if now >= expires_at:
        raise refusal("The token has expired.", RENEW)
    for name in ("nbf", "iat"):
        date = _date(claims, name)
        if date is not None and date > now + LEEWAY_SECONDS:
            raise refusal(
                "The token is not valid yet.",
                "Wait a little; if that does not help, check the clocks of issuer and service.",
            )
    if expected.issuer is not None:
        _judge_issuer(claims, expected.issuer)
    if expected.audiences and not _is_for(claims.get("aud"), expected.audiences):
        raise refusal("The token was not issued for this audience.", _advice("aud", "JWT_AUDIENCE"))
    if expected.authorized_parties and claims.get("azp") not in expected.authorized_parties:
        party = _advice("azp", "JWT_AUTHORIZED_PARTIES")
        raise refusal("The token was not issued to an authorized party (azp).", party)
    user_id = claims.get("sub")
    if not isinstance(user_id, str) or not is_user_id(user_id):
        raise refusal("The token has no valid user id (sub).", "Configure its issuer to put the user's id there.")
    return user_id, expires_at


def _advice(claim: str, setting: str) -> str:
    return f"This service accepts only tokens whose {claim} is exactly as in its setting {setting}."


def is_user_id(text: str) -> bool:
    """Return whether a text can be a user id: 1 to 255 characters, no control character, no lone surrogate."""
    return 1 <= len(text) <= MAX_USER_ID_LENGTH and not FORBIDDEN_IN_USER_ID.search(text)


def _date(claims: Mapping[str, object], name: str) -> float | None:
    """Return a NumericDate (RFC 7519 section 2), None when it is absent."""
    if name not in claims:
        return None
    date = claims[name]
    # The comparison also refuses infinity, and NaN because no comparison holds for it.
    if isinstance(date, bool) or not isinstance(date, int | float) or not -LATEST_DATE < date < LATEST_DATE:
        raise refusal(f"The token's {name} is not a date.", "Configure its issuer to send seconds since 1970.")
    return date


def _is_for(audience: object, accepted: tuple[str, ...]) -> bool:
    names = audience if isinstance(audience, list) else [audience]
    return all(isinstance(name, str) for name in names) and any(name in accepted for name in names)
