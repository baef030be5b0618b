"""Databases and services that several tests share."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from pydantic import SecretStr

from backend.config import Settings
from backend.database.engine import Engine
from tests.fixtures.calls.access_tokens import READ, WRITE, make_token, with_token
from tests.fixtures.calls.api import API, serve
from tests.fixtures.calls.lists import List, make
from tests.fixtures.http.connection import CLIENT_TIMEOUT_SECONDS, PATIENT_SECONDS
from tests.fixtures.postgres.expired import purge
from tests.fixtures.postgres.partitions import migrated_database
from tests.fixtures.postgres.proxy import Proxy, counting_proxy


@pytest.fixture(scope="module")
def module_url(server_url: str) -> Iterator[str]:
    """A migrated database for the tests of one module, which they may purge, close and break for a while."""
    with migrated_database(server_url) as url:
        yield url


@pytest.fixture
def engine(module_url: str) -> Iterator[Engine]:
    """An engine for that database, in which nothing has expired."""
    engine = Engine(module_url, pool_size=4, timeout_seconds=60)
    purge(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def shared(client: httpx.Client) -> List:
    """A list of the client's user, of which tests make tokens."""
    return make(client, "Shared")


@pytest.fixture
def guest(api: API, client: httpx.Client, shared: List) -> Iterator[httpx.Client]:
    """Somebody who may read and change this list."""
    with with_token(api, make_token(client, READ, WRITE, list_id=shared["id"])["token"]) as guest:
        yield guest


@pytest.fixture(scope="module")
def hasty(settings: Settings) -> Iterator[API]:
    """A service with short client timeouts."""
    with serve(settings.model_copy(update={"client_timeout_seconds": CLIENT_TIMEOUT_SECONDS})) as running:
        yield running


@pytest.fixture(scope="module")
def patient(settings: Settings) -> Iterator[API]:
    """A service with slightly longer client timeouts, for clients that are to finish in time."""
    with serve(settings.model_copy(update={"client_timeout_seconds": PATIENT_SECONDS})) as running:
        yield running


@pytest.fixture
def weathered(settings: Settings, database_url: str) -> Iterator[tuple[API, Proxy]]:
    """A service, its database, and the proxy between them."""
    with counting_proxy(database_url) as proxy:
        changes = {"database_url": SecretStr(proxy.url), "rate_limit_enabled": False}
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr("backend.api.main.FIRST_PURGE_SECONDS", 3600)
            with serve(settings.model_copy(update=changes)) as running:
                yield running, proxy
