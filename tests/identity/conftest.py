"""Better Auth servers shared within a process; each test has its own users and its own service."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from backend.config import Settings
from tests.fixtures.calls.api import API, serve
from tests.fixtures.node.better_auth import SHORT_SECONDS, BetterAuth, Start, better_auth


@pytest.fixture(scope="session")
def identity() -> Iterator[BetterAuth]:
    """A server with default settings."""
    with better_auth() as server:
        yield server


@pytest.fixture(scope="session")
def short_lived() -> Iterator[BetterAuth]:
    """A server whose tokens live for a few seconds."""
    with better_auth(jwt={"expirationTime": f"{SHORT_SECONDS}s"}) as server:
        yield server


@pytest.fixture
def start(settings: Settings) -> Iterator[Start]:
    """Return a function that starts a service for a server's users, set as documented plus the test's changes."""
    with ExitStack() as running:

        def started(server: BetterAuth, **changes: object) -> API:
            chosen = server.settings()
            of_the_issuer = {
                "jwt_secret": None,
                "jwt_jwks_url": chosen["JWT_JWKS_URL"],
                "jwt_issuer": chosen["JWT_ISSUER"],
                "jwt_audience": (chosen["JWT_AUDIENCE"],),
            }
            return running.enter_context(serve(settings.model_copy(update={**of_the_issuer, **changes})))

        yield started
