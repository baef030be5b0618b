"""Fixtures for every test: one migrated database and one running service for each test process.

Each test folder belongs to one of two tiers. `make test` runs the first tier; `make test-all` runs both.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Generator, Iterator
from contextlib import ExitStack, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import hypothesis
import pytest
from pydantic import SecretStr
from sqlalchemy import make_url

from backend.config import Rate, Settings
from backend.database.embedded.postgres import EmbeddedPostgres
from backend.identity import jwks
from tests.fixtures.calls.api import API, ORIGIN, new_user, serve
from tests.fixtures.identity.tokens import SECRET
from tests.fixtures.postgres.database import postgres_server, scratch_database
from tests.fixtures.postgres.partitions import migrated_database
from tests.fixtures.postgres.proxy import Proxy, counting_proxy
from tests.fixtures.running import failures, needs
from tests.fixtures.running.inherited import forget_what_was_inherited
from tests.fixtures.running.long_first import long_first
from tests.fixtures.running.measured import keep_measuring, unmeasured
from tests.fixtures.telemetry import service_logs
from tests.fixtures.telemetry.logs import logs_carried_to_caplog

# Everything else starts processes, breaks servers, fuzzes for long, opens browsers, or builds clients.
FIRST_TIER = {"unit", "integration", "contract", "security"}
TESTS = Path(__file__).parent

forget_what_was_inherited()
keep_measuring()
# A busy machine, or one that measures coverage, may take long over any example.
hypothesis.settings.register_profile("patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("patient")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a run choose its tier."""
    parser.addoption("--tier", choices=["first", "second"], help="run the tests of this tier only")
    parser.addoption("--failures", type=Path, help="write the ids of the tests that fail into this file, a line each")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out the folders of the other tier."""
    tier = config.getoption("tier")
    if tier is None or collection_path.parent != TESTS or not collection_path.is_dir():
        return None
    return (collection_path.name in FIRST_TIER) != (tier == "first") or None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let long tests begin first."""
    workers = getattr(config, "workerinput", {}).get("workercount", 1)
    items[:] = long_first(items, lambda item: item.path.relative_to(TESTS).as_posix(), workers)


def pytest_xdist_auto_num_workers() -> int:
    """Run more tests at once than there are processors, because many of them only wait."""
    return 2 * (os.cpu_count() or 1)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """When a test fails, show what the service processes have logged since it began."""
    report = yield
    if report.failed:
        report.sections += service_logs.since_the_test_began()
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Measure no test that computes for long, reaches no line of its own, and fills no cache that hides lines."""
    with unmeasured() if item.get_closest_marker("unmeasured") else nullcontext():
        return (yield)


def pytest_runtest_setup() -> None:
    """Note where the service logs end: services of earlier tests may still be running."""
    service_logs.begin_test()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config) -> None:
    """Say what was skipped and what to install for it, how to run the rest, and in a file, what failed."""
    if config.getoption("failures"):
        reports = [report for kind in ("failed", "error") for report in terminalreporter.stats.get(kind, [])]
        config.getoption("failures").write_text(failures.lines_of(reports, exitstatus))
    terminalreporter.ensure_newline()
    reasons = [report.longrepr[2] for report in terminalreporter.stats.get("skipped", []) if report.longrepr]
    if reasons:
        terminalreporter.write_line(needs.summary(reasons))
    if config.getoption("tier") == "first":
        terminalreporter.write_line("This was the first tier. To run all tests: make test-all")


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A folder for this test only.

    Pytest's own `tmp_path` does not work: each new test session closes it to other users, and under root the embedded
    Postgres runs as another user.
    """
    with TemporaryDirectory(prefix="task-api-test-", ignore_cleanup_errors=True) as folder:
        yield Path(folder).resolve()


@pytest.fixture(scope="session", autouse=True)
def _empty_working_directory() -> Iterator[None]:
    """Run tests in an empty folder, so that no settings are read from a .env in the checkout."""
    before = Path.cwd()
    with TemporaryDirectory(prefix="task-api-test-") as folder:
        os.chdir(folder)
        yield
        os.chdir(before)


@pytest.fixture(autouse=True)
def _logs() -> Iterator[None]:
    with logs_carried_to_caplog():
        yield


@pytest.fixture(scope="session", autouse=True)
def _patient_fetches() -> Iterator[None]:
    """On a busy machine, even a healthy issuer may take a while."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(jwks, "FETCH_TIMEOUT_SECONDS", 60)
        yield


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """A Postgres server on which tests can create databases."""
    with TemporaryDirectory(prefix="task-api-test-") as folder, postgres_server(Path(folder)) as url:
        yield url


@pytest.fixture(scope="session")
def database_url(server_url: str) -> Iterator[str]:
    """A migrated database. Each test uses its own users, so tests do not affect each other."""
    with migrated_database(server_url) as url:
        yield url


@pytest.fixture
def empty_database_url(server_url: str) -> Iterator[str]:
    """An empty database for this test only."""
    with scratch_database(server_url) as url:
        yield url


@pytest.fixture(scope="session")
def migrated_name(server_url: str) -> Iterator[str]:
    """The name of a migrated database that nobody uses: to copy it takes a fraction of the time of the migrations."""
    with migrated_database(server_url) as url:
        yield str(make_url(url).database)


@pytest.fixture
def own_url(server_url: str, migrated_name: str) -> Iterator[str]:
    """A migrated database for this test only, which it may break."""
    with scratch_database(server_url, migrated_name) as url:
        yield url


@pytest.fixture(scope="session")
def settings(database_url: str) -> Settings:
    """The settings of a small deployment, not read from any file or environment variable."""
    return Settings.model_construct(
        database_url=SecretStr(database_url),
        database_pool_size=5,
        jwt_secret=SecretStr(SECRET),
        cors_origins=(ORIGIN,),
        rate_limit="100000000/day",  # a service with a shorter period would delete the counts of others
        rate_limit_anonymous="1000000/minute",
        rate_limit_sign_up="1000000/minute",
        slow_statement_seconds=0,  # a busy machine is slow, and no test expects that log line
        request_timeout_seconds=60,  # for the same reason; tests of timeouts set their own
        client_timeout_seconds=60,
    )


@pytest.fixture(scope="session")
def api(settings: Settings) -> Iterator[API]:
    """The running service. Its streams end after the existing events, so that every response can be read to its end."""
    with pytest.MonkeyPatch.context() as patched, ExitStack() as stack:
        # Rows that a test backdates must stay until the test itself purges them.
        patched.setattr("backend.api.main.FIRST_PURGE_SECONDS", 3600)
        # All tests are one network. Only at the start, because others of this process try the limit itself.
        with pytest.MonkeyPatch.context() as at_start:
            at_start.setattr("backend.rate_limits.sign_in_failures.FROM_A_NETWORK", Rate(10**6, 900))
            running = stack.enter_context(serve(settings))
        running.app.state.feed.stream_seconds = 0
        yield running


@pytest.fixture(scope="module")
def proxy(database_url: str) -> Iterator[Proxy]:
    """A proxy in front of the database, which counts round trips."""
    with counting_proxy(database_url) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def proxied(settings: Settings, proxy: Proxy) -> Iterator[API]:
    """The service, connected to its database through the proxy."""
    with pytest.MonkeyPatch.context() as patched:
        # Background rate-limit sync and purging belong to no request, but their round trips would be counted here.
        patched.setattr("backend.api.main.SYNC_SECONDS", 3600)
        patched.setattr("backend.api.main.FIRST_PURGE_SECONDS", 3600)
        with serve(settings.model_copy(update={"database_url": SecretStr(proxy.url)})) as running:
            running.app.state.feed.stream_seconds = 0
            yield running


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """The folder where the services of a module run and write their logs."""
    with TemporaryDirectory(prefix="task-api-test-", ignore_cleanup_errors=True) as name:
        yield Path(name).resolve()


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A path for a data folder that does not exist yet."""
    return tmp_path / "data"


@pytest.fixture(scope="session")
def template() -> Iterator[Path]:
    """A folder with the files of a server that was never started."""
    with TemporaryDirectory(prefix="task-api-test-") as name:
        with EmbeddedPostgres(Path(name)):
            pass
        yield Path(name)


@pytest.fixture
def made(data_dir: Path, template: Path) -> Path:
    """A data folder for this test only, copied with its database because creating one takes a second."""
    subprocess.run(["cp", "-a", template, data_dir], check=True)  # noqa: S603, S607 - copytree would change the owner
    return data_dir


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A folder for the test's own migrations."""
    path = tmp_path / "migrations [of a test]"  # glob characters in a path must be taken literally
    path.mkdir()
    return path


@pytest.fixture
def user_id() -> str:
    """A user that no other test uses."""
    return new_user()


@pytest.fixture
def client(api: API, user_id: str) -> Iterator[httpx.Client]:
    """A client with that user's token."""
    with api.client(user_id) as client:
        yield client


@pytest.fixture
def stranger(api: API) -> Iterator[httpx.Client]:
    """A client with another user's token."""
    with api.client(new_user()) as client:
        yield client


@pytest.fixture
def anonymous(api: API) -> Iterator[httpx.Client]:
    """A client without a token."""
    with api.client() as client:
        yield client
