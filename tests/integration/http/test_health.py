"""Readiness: true only if the database responds with a current schema; cached so as not to wake the database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from backend.config import Settings
from backend.database.engine import Engine
from backend.database.migrations import runner as migrations
from backend.database.session import SessionFactory
from backend.errors import ServiceUnavailable
from backend.services.health.readiness import Readiness
from tests.fixtures.calls.api import serve
from tests.fixtures.calls.tasks import error_of
from tests.fixtures.http.readiness import check
from tests.fixtures.postgres.database import execute
from tests.fixtures.postgres.proxy import counting_proxy


@pytest.fixture
def sessions(empty_database_url: str) -> Iterator[SessionFactory]:
    """Sessions on this test's own empty database."""
    engine = Engine(empty_database_url, pool_size=1, timeout_seconds=60)
    yield SessionFactory(engine)
    engine.dispose()


@pytest.mark.requirement("FR-054")
def test_the_service_is_ready_once_its_schema_is_current(settings: Settings, empty_database_url: str) -> None:
    changes = {"database_url": SecretStr(empty_database_url)}
    with serve(settings.model_copy(update=changes)) as running, running.client() as client:
        running.app.state.readiness.retry_seconds = 0
        unready = client.get("/health/ready")
        error_of(unready, 503, "SERVICE_UNAVAILABLE")
        assert unready.headers["Retry-After"]

        migrations.apply(empty_database_url)
        migrations.rollback(empty_database_url)
        error = error_of(client.get("/health/ready"), 503, "SERVICE_UNAVAILABLE")
        assert "1 migration" in error["message"]

        migrations.apply(empty_database_url)
        assert client.get("/health/ready").status_code == 200


@pytest.mark.requirement("FR-054")
def test_a_good_answer_is_remembered_for_a_while_and_a_bad_one_for_a_moment(
    sessions: SessionFactory, empty_database_url: str
) -> None:
    now = 0.0
    readiness = Readiness(sessions, frozenset(migrations.known()), remember_seconds=600, clock=lambda: now)
    with pytest.raises(ServiceUnavailable):
        check(readiness)
    migrations.apply(empty_database_url)
    now = 0.9
    with pytest.raises(ServiceUnavailable):
        check(readiness)
    now = 1.0
    check(readiness)
    execute(empty_database_url, "DELETE FROM _yoyo_migration")

    now, readiness.is_used = 600.9, True
    check(readiness)
    readiness.is_used = False
    now = 100_000.0
    check(readiness)  # the database has not been used since
    readiness.is_used = True
    with pytest.raises(ServiceUnavailable):
        check(readiness)


@pytest.mark.requirement("FR-054")
def test_a_newer_schema_is_good_enough(sessions: SessionFactory, empty_database_url: str) -> None:
    migrations.apply(empty_database_url)
    older = frozenset(migrations.known()[:-1])

    check(Readiness(sessions, older))


@pytest.mark.requirement("FR-054")
def test_a_good_answer_outlives_the_five_minutes_after_which_an_idle_database_is_suspended(
    sessions: SessionFactory,
) -> None:
    assert Readiness(sessions, frozenset()).remember_seconds > 300


@pytest.mark.requirement("FR-054")
def test_a_schema_that_cannot_be_read_is_not_called_missing(
    sessions: SessionFactory, empty_database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    migrations.apply(empty_database_url)
    execute(empty_database_url, "REVOKE SELECT ON _yoyo_migration FROM task_api")

    with pytest.raises(ServiceUnavailable, match="temporarily unavailable"):
        check(Readiness(sessions, frozenset(migrations.known())))
    assert "permission denied" in caplog.text


@pytest.mark.requirement("FR-054", "FR-101")
def test_polling_a_service_that_is_not_ready_does_not_keep_its_database_busy(
    settings: Settings, empty_database_url: str
) -> None:
    with counting_proxy(empty_database_url) as proxy:
        changes = {"database_url": SecretStr(proxy.url)}
        with serve(settings.model_copy(update=changes)) as running, running.client() as client:
            running.app.state.readiness.retry_seconds = 60
            error_of(client.get("/health/ready"), 503, "SERVICE_UNAVAILABLE")
            before = proxy.round_trips
            for _ in range(5):
                error_of(client.get("/health/ready"), 503, "SERVICE_UNAVAILABLE")
            assert proxy.round_trips == before > 0
