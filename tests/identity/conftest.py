"""Better Auth servers for the tests of one process; each test has users and a service of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from backend.config import Settings
from tests.fixtures.api import API, serve
from tests.fixtures.better_auth import SHORT_SECONDS, BetterAuth, Start, better_auth


@pytest.fixture(scope="session")
def identity() -> Iterator[BetterAuth]:
    """A server as it comes."""
    with better_auth() as server:
        yield server


@pytest.fixture(scope="session")
def short_lived() -> Iterator[BetterAuth]:
    """A server whose tokens live for some seconds."""
    with better_auth(jwt={"expirationTime": f"{SHORT_SECONDS}s"}) as server:
        yield server


@pytest.fixture
def start(settings: Settings) -> Iterator[Start]:
    """Give what starts a service for the users of a server, set as the README says but for what a test changes."""
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
