"""Builds the token verifier from the settings."""

from __future__ import annotations

from backend.config import Settings
from backend.errors import ConfigurationError
from backend.identity.claims import Expectations
from backend.identity.jwt import Verifier, verifier_from_jwks, verifier_from_secret


def verifier_of(settings: Settings) -> Verifier:
    """Return the verifier that the settings describe; raises ConfigurationError for a missing or unusable key."""
    expected = Expectations(settings.jwt_issuer, settings.jwt_audience, settings.jwt_authorized_parties)
    if settings.jwt_jwks_url:
        return verifier_from_jwks(settings.jwt_jwks_url, expected)
    if settings.jwt_secret:
        previous = settings.jwt_previous_secret.get_secret_value() if settings.jwt_previous_secret else None
        return verifier_from_secret(settings.jwt_secret.get_secret_value(), expected, previous_secret=previous)
    raise ConfigurationError("JWT_SECRET: is not set, and neither is JWT_JWKS_URL")
