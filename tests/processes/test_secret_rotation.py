"""Replacing a shared secret signs nobody out: the previous secret's tokens stay valid while it is configured."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from backend.config import Settings
from tests.fixtures.calls.api import API, serve
from tests.fixtures.identity.doors import passed, refused
from tests.fixtures.identity.tokens import SECRET, USER, claims, hmac_token
from tests.fixtures.processes.process import environment, run

OLD = "the-secret-before-it-and-long-enough-as-well"
OLDER = "the-secret-before-that-which-nobody-knows-now"

pytestmark = pytest.mark.requirement("FR-183")


@pytest.fixture(scope="module")
def rotating(settings: Settings) -> Iterator[API]:
    """A service whose secret has just been replaced."""
    with serve(settings.model_copy(update={"jwt_previous_secret": SecretStr(OLD)})) as running:
        yield running


def bearer(secret: str, user_id: str = USER) -> str:
    """Return the header with a valid token of this secret."""
    return f"Bearer {hmac_token(secret, claims(sub=user_id))}"


def test_tokens_of_either_secret_are_good_each_for_its_own_user(rotating: API) -> None:
    new, old = bearer(SECRET, "anne"), bearer(OLD, "ben")

    for _ in range(2):  # the second time they are cached
        assert (passed(rotating, new), passed(rotating, old)) == ("anne", "ben")


def test_tokens_of_any_other_secret_are_not(rotating: API) -> None:
    for secret in (OLDER, OLD + SECRET, SECRET + OLD, OLD[::-1], OLD[:-1], ""):
        assert refused(rotating, bearer(secret)) == "The token's signature is not valid."


def test_a_token_of_the_secret_before_is_judged_like_any_other(rotating: API) -> None:
    assert refused(rotating, f"Bearer {hmac_token(OLD, claims(exp=1))}") == "The token has expired."
    assert refused(rotating, f"Bearer {hmac_token(OLD, claims(), algorithm='HS512')}")
    good = bearer(OLD)
    assert passed(rotating, good)
    assert refused(rotating, f"{good[:-2]}{'AA' if good[-2:] != 'AA' else 'BB'}")


def test_without_the_setting_the_secret_before_is_worth_nothing(api: API, rotating: API) -> None:
    token = bearer(OLD)

    assert passed(rotating, token)

    assert refused(api, token) == "The token's signature is not valid."


def test_new_tokens_are_signed_with_the_new_secret_alone(rotating: API, api: API, tmp_path: Path) -> None:
    env = environment(tmp_path / "data", JWT_SECRET=SECRET, JWT_PREVIOUS_SECRET=OLD)

    token = run("token", "anne", env=env, cwd=tmp_path).stdout.strip()

    assert passed(rotating, f"Bearer {token}") == passed(api, f"Bearer {token}") == "anne"


@pytest.mark.parametrize(
    ("chosen", "reason"),
    [
        ({"JWT_PREVIOUS_SECRET": OLD}, "but JWT_SECRET is not"),
        (
            {"JWT_PREVIOUS_SECRET": OLD, "JWT_JWKS_URL": "https://issuer.example.com/keys"},
            "but JWT_SECRET is not",
        ),
        ({"JWT_PREVIOUS_SECRET": SECRET, "JWT_SECRET": SECRET}, "the same as JWT_SECRET"),
        ({"JWT_PREVIOUS_SECRET": "too short", "JWT_SECRET": SECRET}, "at least 32 bytes"),
        ({"JWT_PREVIOUS_SECRET": f"ssh-rsa {'A' * 372}", "JWT_SECRET": SECRET}, "a key of a key pair"),
    ],
)
def test_what_cannot_be_the_secret_before_is_refused_at_start(
    tmp_path: Path, database_url: str, chosen: dict[str, str], reason: str
) -> None:
    env = environment(tmp_path / "data", DATABASE_URL=database_url, **chosen)

    done = run("serve", "--port", "0", env=env, cwd=tmp_path)

    assert (done.returncode, done.stdout) == (1, "")
    (line,) = [line for line in done.stderr.splitlines() if "JWT_PREVIOUS_SECRET" in line]
    assert reason in line
    assert not [secret for secret in (OLD, SECRET, "too short", "AAAA") if secret in done.stderr]
