"""Building the application: what it refuses, and that it opens no connections."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi._compat.v2 import get_cached_model_fields
from pydantic import SecretStr

from backend.api.main import TaskAPI, create_app
from backend.config import Settings
from backend.errors import ConfigurationError
from tests.fixtures.identity.tokens import SECRET

NOWHERE = SecretStr("postgresql://nobody@127.0.0.1:1/nothing")


@pytest.mark.requirement("FR-067")
def test_without_a_database_it_is_refused() -> None:
    settings = Settings.model_construct(jwt_secret=SecretStr(SECRET))

    with pytest.raises(ConfigurationError, match="DATABASE_URL"):
        create_app(settings)


@pytest.mark.requirement("FR-067")
def test_without_a_key_it_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="JWT_SECRET"):
        create_app(Settings.model_construct(database_url=NOWHERE))


@pytest.mark.requirement("FR-066")
@pytest.mark.parametrize(
    "settings",
    [
        Settings.model_construct(database_url=NOWHERE, jwt_secret=SecretStr(SECRET)),
        Settings.model_construct(database_url=NOWHERE, jwt_jwks_url="https://127.0.0.1:1/jwks"),
    ],
    ids=["a secret", "an issuer"],
)
def test_it_is_built_without_a_database_that_answers_or_an_issuer_that_does(settings: Settings) -> None:
    app = create_app(settings)

    assert set(app.openapi()["paths"]) >= {"/api/tasks", "/api/me", "/health/live"}


def test_two_contracts_can_be_asked_for_at_once() -> None:
    settings = Settings.model_construct(database_url=NOWHERE, jwt_secret=SecretStr(SECRET))
    apps = [create_app(settings) for _ in range(4)]

    get_cached_model_fields.cache_clear()  # shared by all applications of a process, and filled by the first build
    with ThreadPoolExecutor(len(apps)) as threads:
        contracts = list(threads.map(TaskAPI.openapi, apps))

    assert contracts == [contracts[0]] * len(apps)


def test_connections_are_closed_when_the_application_ends() -> None:
    app = create_app(Settings.model_construct(database_url=NOWHERE, jwt_secret=SecretStr(SECRET)))
    engine = app.state.sessions.engine
    pool = engine.pool

    async def live() -> None:
        async with app.router.lifespan_context(app):
            assert engine.pool is pool

    asyncio.run(live())

    assert engine.pool is not pool  # a new, empty one
