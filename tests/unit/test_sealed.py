"""Refresh tokens and invitations: only what was made here is good, and only in the spelling in which it was made."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.errors import ConfigurationError
from backend.identity.invitations import Invitations
from backend.identity.refresh_token import MAX_COUNTER, RefreshToken, RefreshTokens
from backend.identity.sealed import SignInSecrets
from tests.fixtures.identity.tokens import SECRET

SECRETS = SignInSecrets(SECRET)
OTHER = SignInSecrets("another-secret-that-is-long-enough-for-this")
USER = "0197c1f0-7a3b-7c4d-8e5f-6a7b8c9d0e1f"
SESSION = UUID("0197c1f0-7a3b-7c4d-8e5f-6a7b8c9d0e20")
NOW = datetime(2026, 11, 26, tzinfo=UTC)
TOKENS = RefreshTokens(SECRETS)
TOKEN = RefreshToken(USER, SESSION, 7)
SIGNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@pytest.mark.requirement("FR-531")
@given(st.uuids(), st.uuids(), st.integers(0, MAX_COUNTER))
def test_a_refresh_token_says_what_was_written(user: UUID, session: UUID, counter: int) -> None:
    token = RefreshToken(str(user), session, counter)
    text = TOKENS.write(token)

    assert TOKENS.read(text) == token
    assert TOKENS.write(token) == text
    assert len(text) == TOKENS.length


@pytest.mark.requirement("FR-531")
def test_no_other_spelling_of_a_token_is_read() -> None:
    text = TOKENS.write(TOKEN)
    changed = {text[:place] + sign + text[place + 1 :] for place in range(len(text)) for sign in SIGNS} - {text}
    others = {
        f"{text}=",
        f"{text}A",
        text[:-1],
        text.upper(),
        f" {text}",
        text.replace("rt1.", "rt2."),
        "é" * len(text),
    }

    assert [
        each for each in changed | others | {"", "rt1.", "rt1." + "!" * 100, "rt1.!" + text[5:]} if TOKENS.read(each)
    ] == []


@pytest.mark.requirement("FR-531")
@given(st.text(max_size=200))
def test_no_rubbish_is_read(text: str) -> None:
    assert TOKENS.read(text) is None
    assert TOKENS.read(f"rt1.{text}") is None


@pytest.mark.requirement("FR-531", "FR-536")
def test_only_a_service_with_the_secret_or_the_one_before_reads_a_token() -> None:
    text = TOKENS.write(TOKEN)
    renewed = RefreshTokens(SignInSecrets(OTHER.current, previous=SECRET))

    assert RefreshTokens(OTHER).read(text) is None
    assert renewed.read(text) == TOKEN
    assert RefreshTokens(OTHER).read(renewed.write(TOKEN)) == TOKEN


def test_a_weak_secret_is_refused_by_its_name() -> None:
    with pytest.raises(ConfigurationError, match="SIGN_IN_SECRET: must have at least 32 bytes"):
        RefreshTokens(SignInSecrets("short"))
    with pytest.raises(ConfigurationError, match="SIGN_IN_PREVIOUS_SECRET: must have at least 32 bytes"):
        RefreshTokens(SignInSecrets(SECRET, "short"))


@pytest.mark.requirement("FR-526")
def test_an_invitation_is_for_one_address_until_its_end() -> None:
    invitations = Invitations(SECRETS)
    invitation = invitations.new("Anna@Example.com", NOW, days=7)
    last = NOW + timedelta(days=7, seconds=-1)

    assert invitations.admits(invitation, " anna@example.com", NOW)
    assert invitations.admits(invitation, "anna@example.com", last)
    assert not invitations.admits(invitation, "anna@example.com", NOW + timedelta(days=7))
    assert not invitations.admits(invitation, "anne@example.com", NOW)
    assert not invitations.admits(TOKENS.write(TOKEN), "anna@example.com", NOW)
    assert not Invitations(OTHER).admits(invitation, "anna@example.com", NOW)
