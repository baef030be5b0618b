"""Tokens like those of well-known issuers are accepted with the settings read from docs/sign-in.md."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from backend.config import Settings
from tests.fixtures.calls.api import API, serve
from tests.fixtures.identity.doors import passed, refused
from tests.fixtures.identity.issuer import Issuer, running_issuer
from tests.fixtures.identity.sign_in import SECTION, documented_settings, synced
from tests.fixtures.identity.tokens import (
    KeyPair,
    claims,
    compact,
    ec_pair,
    ed25519_pair,
    hmac_token,
    key_set,
    rsa_pair,
)

pytestmark = pytest.mark.requirement("FR-084")

UUID = "7f1f0a4e-2f5e-4a43-9c1a-2f4f0f6f4f5e"
FRONTEND = "https://app.example.com"


@dataclass(frozen=True)
class Provider:
    """How an issuer makes its tokens; `{base}` stands for its address."""

    pair: KeyPair
    keys_path: str
    said: Mapping[str, object]
    placeholders: Mapping[str, str]  # what a reader puts in for the placeholders
    without: tuple[str, ...] = ()  # parameters that its published keys lack
    typ: bool = True


BETTER_AUTH = {
    "sub": "8pGwBIlUS9nUbTzZXs0uYhWmQ2aVq5Kx", "iss": "{base}", "aud": "{base}",
    "id": "8pGwBIlUS9nUbTzZXs0uYhWmQ2aVq5Kx", "name": "Ann", "email": "ann@example.com", "emailVerified": False,
    "image": None, "createdAt": "2026-01-01T00:00:00.000Z", "updatedAt": "2026-01-01T00:00:00.000Z",
}  # fmt: skip
SUPABASE = {
    "sub": UUID, "iss": "{base}/auth/v1", "aud": "authenticated", "role": "authenticated", "aal": "aal1", "phone": "",
    "session_id": UUID, "email": "ann@example.com", "is_anonymous": False, "user_metadata": {},
    "app_metadata": {"provider": "email", "providers": ["email"]}, "amr": [{"method": "password", "timestamp": 1}],
}  # fmt: skip
SUPABASE_PATH = "/auth/v1/.well-known/jwks.json"
AT_SUPABASE = {"https://<ref>.supabase.co": "{base}"}
PROVIDERS = {
    "Better Auth": Provider(
        ed25519_pair(), "/api/auth/jwks", BETTER_AUTH, {FRONTEND: "{base}"}, without=("alg", "use"), typ=False
    ),
    "Better Auth, keys with alg": Provider(
        ed25519_pair(), "/api/auth/jwks", BETTER_AUTH, {FRONTEND: "{base}"}, without=("use",), typ=False
    ),
    "Neon Auth": Provider(
        ed25519_pair(),
        "/neondb/auth/.well-known/jwks.json",
        {"sub": UUID, "iss": "{base}", "aud": "{base}", "role": "authenticated", "banned": False, "banReason": None},
        {"<auth URL>": "{base}/neondb/auth", "<origin of the auth URL>": "{base}"},
        typ=False,
    ),
    "Supabase": Provider(ec_pair(), SUPABASE_PATH, SUPABASE, AT_SUPABASE),
    "Supabase, a list": Provider(ec_pair(), SUPABASE_PATH, {**SUPABASE, "aud": ["authenticated"]}, AT_SUPABASE),
    "Supabase, RS256": Provider(rsa_pair(), SUPABASE_PATH, SUPABASE, AT_SUPABASE),
    "Auth0": Provider(
        rsa_pair(),
        "/.well-known/jwks.json",
        {
            "iss": "{base}/", "sub": "auth0|123", "aud": ["https://tasks.example.com", "{base}/userinfo"],
            "azp": "client-1", "scope": "openid profile email",
        },
        {
            "https://<domain>": "{base}", "<identifier of your API>": "https://tasks.example.com",
            "<client id of your frontend>": "client-1",
        },
    ),
    "Clerk": Provider(
        rsa_pair(),
        "/.well-known/jwks.json",
        {
            "iss": "{base}", "sub": "user_2NNEqL2nrIRdJ194ndJqAHwEfxC", "azp": FRONTEND, "sid": "sess_1",
            "nbf": int(time.time()) - 10, "fva": [0, -1], "sts": "active", "v": 2,
        },
        {"<frontend API URL>": "{base}", "<origin of your frontend>": FRONTEND},
    ),
}  # fmt: skip


def based(value: object, base: str) -> object:
    if isinstance(value, list):
        return [based(inner, base) for inner in value]
    return value.replace("{base}", base) if isinstance(value, str) else value


@contextmanager
def serving(
    settings: Settings, name: str, provider: Provider, monkeypatch: pytest.MonkeyPatch, **instead: str
) -> Iterator[tuple[API, Issuer, Callable[..., dict[str, object]]]]:
    """Serve with the documented settings; gives the service, the issuer, and a function that makes its tokens."""
    for setting in Settings.model_fields:
        monkeypatch.delenv(setting.upper(), raising=False)
    assert settings.database_url
    with running_issuer() as issuer:
        issuer.document = key_set(provider.pair.jwk(*provider.without))
        base = issuer.url.removesuffix("/jwks")
        values = {key: synced(text, provider.placeholders, base) for key, text in documented_settings()[name].items()}
        values |= instead
        for key, value in {**values, "DATABASE_URL": settings.database_url.get_secret_value()}.items():
            monkeypatch.setenv(key, value)

        def payload(*without: str, **changes: object) -> dict[str, object]:
            return {
                key: based(value, base)
                for key, value in claims(*without, now=None, **{**provider.said, **changes}).items()
            }

        with serve(Settings(_env_file=None)) as api:
            yield api, issuer, payload


@pytest.mark.requirement("FR-076")
@pytest.mark.parametrize("name", PROVIDERS)
def test_the_tokens_of_an_issuer_are_accepted_with_the_settings_of_the_readme(
    settings: Settings, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = PROVIDERS[name]
    header = {"alg": provider.pair.algorithm, "kid": provider.pair.key_id} | ({"typ": "JWT"} if provider.typ else {})
    with serving(settings, name.partition(",")[0], provider, monkeypatch) as (api, issuer, payload):

        def bearer(*without: str, **changes: object) -> str:
            return f"Bearer {compact(header, payload(*without, **changes), provider.pair.sign)}"

        assert passed(api, bearer()) == provider.said["sub"]
        assert issuer.requests == [provider.keys_path]
        said = str(payload()["iss"])
        assert "issuer" in refused(api, bearer(iss=said[:-1] if said.endswith("/") else said + "/"))
        for claim in {"aud", "azp"} & set(documented_claims(name)):
            refused(api, bearer(claim))
            refused(api, bearer(**{claim: "https://evil.example.com"}))
        refused(api, bearer("exp"))


def documented_claims(name: str) -> list[str]:
    """List the claims that the documented settings require."""
    claim_of = {"JWT_AUDIENCE": "aud", "JWT_AUTHORIZED_PARTIES": "azp"}
    return [claim_of[setting] for setting in documented_settings()[name.partition(",")[0]] if setting in claim_of]


@pytest.mark.parametrize("audience", ["authenticated", ["authenticated"]])
def test_tokens_of_supabases_shared_secret_are_accepted_with_that(
    settings: Settings, audience: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "set that as `JWT_SECRET` instead of JWT_JWKS_URL" in SECTION
    secret = "legacy-secret-of-a-project-as-its-dashboard-shows-it"  # noqa: S105 - it protects nothing
    provider = PROVIDERS["Supabase"]
    with serving(settings, "Supabase", provider, monkeypatch, JWT_SECRET=secret, JWT_JWKS_URL="") as (
        api,
        issuer,
        payload,
    ):
        passed(api, f"Bearer {hmac_token(secret, payload(aud=audience), kid='legacy')}")
        refused(api, f"Bearer {hmac_token(secret, payload(aud='anon'))}")
        refused(api, f"Bearer {provider.pair.token(payload())}")
        assert issuer.requests == []


def test_every_issuer_of_the_readme_is_tried() -> None:
    assert set(documented_settings()) == {name.partition(",")[0] for name in PROVIDERS}
    assert set(documented_claims("Auth0")) == {"aud", "azp"}
    assert documented_claims("Clerk") == ["azp"]
