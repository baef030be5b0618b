"""Builds what checks and makes tokens from the settings."""

from __future__ import annotations

from backend.config import Settings
from backend.errors import ConfigurationError
from backend.identity.claims import Expectations
from backend.identity.jwt import Verifier, verifier_from_jwks, verifier_from_secret
from backend.identity.own_issuer import Issuers, OwnIssuer, TokenVerifier
from backend.identity.sealed import SignInSecrets
from backend.identity.shared_secret import checked_secret


def sign_in_secrets_of(settings: Settings) -> SignInSecrets | None:
    """Return the secrets of our own issuer, None if it is off; raises ConfigurationError if it lacks one.

    In development, JWT_SECRET is good enough. No key for its tokens is ever used for ours.
    """
    if not settings.signs_in:
        return None
    own, previous = settings.sign_in_secret, settings.sign_in_previous_secret
    if own is not None:
        return SignInSecrets(own.get_secret_value(), previous.get_secret_value() if previous else None)
    if settings.environment == "development" and settings.jwt_secret is not None:
        secret = settings.jwt_secret.get_secret_value()
        checked_secret(secret, "JWT_SECRET")  # what is wrong with it is said by the name under which it was set
        return SignInSecrets(secret)
    if settings.sign_in is None:
        return None
    raise ConfigurationError("SIGN_IN_SECRET: is not set, and SIGN_IN needs it")


def verifier_of(settings: Settings, own: OwnIssuer | None = None) -> TokenVerifier:
    """Return the verifier that the settings describe, beside our own issuer if it is on.

    Raises ConfigurationError for a missing or unusable key.
    """
    other = _other_verifier(settings)
    if own is not None:
        return Issuers(own, other)
    if other is None:
        raise ConfigurationError("JWT_SECRET: is not set, and neither is JWT_JWKS_URL")
    return other


def _other_verifier(settings: Settings) -> Verifier | None:
    expected = Expectations(settings.jwt_issuer, settings.jwt_audience, settings.jwt_authorized_parties)
    if settings.jwt_jwks_url:
        return verifier_from_jwks(settings.jwt_jwks_url, expected)
    if settings.jwt_secret:
        previous = settings.jwt_previous_secret.get_secret_value() if settings.jwt_previous_secret else None
        return verifier_from_secret(settings.jwt_secret.get_secret_value(), expected, previous_secret=previous)
    return None


def own_issuer_of(settings: Settings) -> OwnIssuer | None:
    """Return our own issuer, None if it is off; raises ConfigurationError if its secret is missing or weak."""
    secrets = sign_in_secrets_of(settings)
    return None if secrets is None else OwnIssuer(secrets)
