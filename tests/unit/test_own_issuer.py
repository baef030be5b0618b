"""Our own issuer beside another one: whose token it is, and that their users cannot meet."""

from __future__ import annotations

import asyncio
import json
from base64 import urlsafe_b64decode
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from backend.errors import Unauthorized
from backend.identity.claims import Expectations
from backend.identity.jwt import issue_token, verifier_from_secret
from backend.identity.own_issuer import ACCESS_SECONDS, OWN_ISSUER, Issuers, OwnIssuer, is_own_user
from backend.identity.sealed import SignInSecrets
from tests.fixtures.identity.tokens import SECRET, base64url, hmac_token

NOW = 1_795_000_000.0
USER, SESSION = str(uuid7()), uuid7()
OWN = OwnIssuer(SignInSecrets(SECRET), now=lambda: NOW)
OTHER = verifier_from_secret(SECRET, Expectations(), now=lambda: NOW)  # the same secret: our keys are derived from it
BOTH = Issuers(OWN, OTHER)
CLAIMS = {"sub": USER, "iat": int(NOW), "exp": int(NOW) + 900, "iss": OWN_ISSUER}


def user_of(token: str, issuers: Issuers = BOTH) -> str:
    """Return the user of a token."""
    return asyncio.run(issuers.user_id(token))


def foreign(user_id: str) -> str:
    """Return a token of the other issuer."""
    return issue_token(SECRET, user_id, ttl_seconds=600, now=lambda: NOW)


@pytest.mark.requirement("FR-529")
def test_an_access_token_names_user_session_and_issuer_for_fifteen_minutes() -> None:
    token = OWN.access_token(USER, SESSION)
    said = json.loads(urlsafe_b64decode(token.split(".")[1] + "=="))

    assert said == {**CLAIMS, "exp": int(NOW) + ACCESS_SECONDS, "sid": str(SESSION)}
    assert ACCESS_SECONDS == 15 * 60
    assert user_of(token) == USER


@pytest.mark.requirement("FR-530")
def test_both_issuers_tokens_are_good_side_by_side() -> None:
    assert user_of(foreign("alice")) == "alice"
    assert user_of(OWN.access_token(USER, SESSION)) == USER


@pytest.mark.requirement("FR-530")
def test_no_user_of_another_issuer_is_ever_one_of_ours() -> None:
    for user_id in (USER, str(uuid7()), "0197c1f0-7a3b-7c4d-8e5f-6a7b8c9d0e1f"):
        assert is_own_user(user_id)
        with pytest.raises(Unauthorized, match="Only the sign-in of this service"):
            user_of(foreign(user_id))
    others = ["0197c1f0-7a3b-4c4d-8e5f-6a7b8c9d0e1f", USER.upper(), f"{USER} ", USER.replace("-", "")]
    assert [user_of(foreign(each)) for each in others] == others


@pytest.mark.requirement("FR-530")
@pytest.mark.parametrize("header", [{}, {"kid": OWN_ISSUER}])
def test_neither_accepts_what_claims_to_be_of_the_other(header: dict[str, str]) -> None:
    with pytest.raises(Unauthorized):
        user_of(hmac_token(SECRET, CLAIMS, **header))  # made by whoever has the other issuer's secret
    ours = OWN.access_token(USER, SESSION)
    theirs = foreign("alice")
    with pytest.raises(Unauthorized):
        user_of(".".join([theirs.split(".")[0], *ours.split(".")[1:]]))
    with pytest.raises(Unauthorized):
        user_of(".".join([ours.split(".")[0], *theirs.split(".")[1:]]))


@pytest.mark.requirement("FR-530")
def test_alone_our_issuer_accepts_its_own_tokens_only() -> None:
    alone = Issuers(OWN, None)

    assert user_of(OWN.access_token(USER, SESSION), alone) == USER
    with pytest.raises(Unauthorized, match="not from the sign-in of this service"):
        user_of(foreign("alice"), alone)


@pytest.mark.requirement("FR-529")
def test_no_other_claims_are_signed_by_our_header_alone() -> None:
    head, payload, signature = OWN.access_token(USER, SESSION).split(".")
    said = json.loads(urlsafe_b64decode(payload + "=="))
    another = base64url(json.dumps({**said, "sub": str(UUID(int=7))}).encode())
    with pytest.raises(Unauthorized):
        user_of(f"{head}.{another}.{signature}")


@pytest.mark.requirement("FR-536")
def test_tokens_of_the_secret_before_stay_good() -> None:
    renewed = OwnIssuer(SignInSecrets("another-secret-that-is-long-enough-for-this", SECRET), now=lambda: NOW)

    assert user_of(OWN.access_token(USER, SESSION), Issuers(renewed, None)) == USER
    with pytest.raises(Unauthorized):
        user_of(renewed.access_token(USER, SESSION))
