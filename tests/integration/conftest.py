"""Folders for embedded servers, and databases that several tests share."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from pydantic import SecretStr

from backend.config import Settings
from backend.database.embedded import EmbeddedPostgres
from backend.database.engine import Engine
from tests.fixtures.api import API, serve
from tests.fixtures.connection import CLIENT_TIMEOUT_SECONDS
from tests.fixtures.expired import purge
from tests.fixtures.partitions import migrated_database
from tests.fixtures.proxy import Proxy, counting_proxy


@pytest.fixture(scope="module")
def module_url(server_url: str) -> Iterator[str]:
    """A migrated database of one module's tests alone, which they may purge, close and break for a while."""
    with migrated_database(server_url) as url:
        yield url


@pytest.fixture
def engine(module_url: str) -> Iterator[Engine]:
    """An engine for that database, in which nothing is past its time."""
    engine = Engine(module_url, pool_size=4, timeout_seconds=5)
    purge(engine)
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def hasty(settings: Settings) -> Iterator[API]:
    """A service that gives its clients little time."""
    with serve(settings.model_copy(update={"client_timeout_seconds": CLIENT_TIMEOUT_SECONDS})) as running:
        yield running


@pytest.fixture
def weathered(settings: Settings, database_url: str) -> Iterator[tuple[API, Proxy]]:
    """A service that waits for its database but a second, and what is between the two."""
    with counting_proxy(database_url) as proxy:
        changes = {"database_url": SecretStr(proxy.url), "request_timeout_seconds": 1, "rate_limit_enabled": False}
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr("backend.api.main.FIRST_PURGE_SECONDS", 3600)
            with serve(settings.model_copy(update=changes)) as running:
                yield running, proxy


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A place for a data folder, where nothing is yet."""
    return tmp_path / "data"


@pytest.fixture(scope="session")
def template() -> Iterator[Path]:
    """A folder with the files of a server that never served."""
    with TemporaryDirectory(prefix="task-api-test-") as name:
        with EmbeddedPostgres(Path(name)):
            pass
        yield Path(name)


@pytest.fixture
def made(data_dir: Path, template: Path) -> Path:
    """A data folder of this test alone, with a database in it: making one takes a second."""
    subprocess.run(["cp", "-a", template, data_dir], check=True)  # noqa: S603, S607 - copytree would change the owner
    return data_dir


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A folder for migrations of the test's own."""
    path = tmp_path / "migrations [of a test]"  # glob characters in a path are only characters
    path.mkdir()
    return path
