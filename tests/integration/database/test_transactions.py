"""A unit of work: all of it takes effect or nothing, it leaves its connection clean, and it keeps no lock for long."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from sqlalchemy import func, make_url, select, text

from backend.database.engine import Engine
from backend.database.errors import StatementRefused
from backend.database.session import SessionFactory, Sessions
from backend.errors import ServiceUnavailable
from backend.models.task import TaskCreate
from backend.services.tasks.queries import NAMED
from backend.services.tasks.rules import TaskNotFound
from backend.services.tasks.service import TaskService
from backend.services.unit_of_work import UnitOfWork, unit_of_work
from tests.fixtures.calls.api import new_user
from tests.fixtures.http.deadlines import time_left
from tests.fixtures.postgres.database import execute
from tests.fixtures.running.waiting import until

OURS = "datname = current_database() AND application_name = 'task-api'"
IN_TRANSACTION = f"SELECT count(*) FROM pg_stat_activity WHERE {OURS} AND state LIKE 'idle in transaction%%'"  # noqa: S608


def _tasks(sessions: Sessions, user_id: str) -> TaskService:
    return TaskService(sessions, user_id, max_tasks=1000)


@pytest.fixture
def engine(own_url: str) -> Iterator[Engine]:
    """An engine with one connection, which all sessions share."""
    engine = Engine(own_url, pool_size=1, timeout_seconds=60)
    yield engine
    engine.dispose()


def _create_and(sessions: SessionFactory, user_id: str, then: Callable[[UnitOfWork], object]) -> None:
    """Create a task, and do something else before it is stored."""
    with unit_of_work(sessions, user_id) as unit:
        replace(_tasks(sessions, user_id), unit=unit).create(TaskCreate(title="a"))
        then(unit)


@pytest.mark.requirement("FR-124")
def test_what_joins_a_unit_of_work_is_seen_by_others_at_its_end(engine: Engine, own_url: str) -> None:
    sessions, user_id = SessionFactory(engine), new_user()

    def look(_unit: UnitOfWork) -> None:
        assert execute(own_url, "SELECT FROM tasks") == []
        assert execute(own_url, IN_TRANSACTION) == [(1,)]

    _create_and(sessions, user_id, look)

    assert execute(own_url, "SELECT revision FROM tasks") == [(1,)]
    assert execute(own_url, IN_TRANSACTION) == [(0,)]


def _sleep(unit: UnitOfWork) -> None:
    with time_left():
        unit.store(text("SELECT pg_sleep(600)"))
        unit.finish()


def _fail(_unit: UnitOfWork) -> None:
    raise TaskNotFound


@pytest.mark.requirement("FR-124", "FR-126")
def test_a_unit_of_work_that_fails_is_taken_back_and_leaves_its_connection_clean(engine: Engine, own_url: str) -> None:
    sessions, user, other = SessionFactory(engine), new_user(), new_user()
    too_long = TaskCreate.model_construct(id=None, title="a" * 501, description=None, completed=False)
    before = _backend(engine, other)

    with pytest.raises(TaskNotFound):
        _create_and(sessions, user, _fail)
    with pytest.raises(StatementRefused):
        _tasks(sessions, user).create(too_long)
    with pytest.raises(TaskNotFound):
        _tasks(sessions, user).delete(uuid.uuid4())

    assert execute(own_url, IN_TRANSACTION) == [(0,)]
    assert execute(own_url, "SELECT FROM users") == []
    assert _backend(engine, other) == before  # the same connection, in its own transaction and for its own user
    with sessions(other) as session:
        session.exec(text("SELECT 1"))
        assert execute(own_url, IN_TRANSACTION) == [(0,)]


@pytest.mark.requirement("FR-124")
def test_two_statements_of_a_unit_cannot_give_a_parameter_two_values(engine: Engine, own_url: str) -> None:
    def store_another_title(unit: UnitOfWork) -> None:
        unit.store(text("SELECT 1"), new_title="a")
        unit.store(text("SELECT 1"), new_title="b")

    with pytest.raises(ValueError, match="two statements need different values of new_title"):
        _create_and(SessionFactory(engine), new_user(), store_another_title)

    assert execute(own_url, "SELECT FROM users") == []


@pytest.mark.requirement("FR-124", "FR-126")
def test_a_store_that_takes_too_long_is_taken_back(engine: Engine, own_url: str) -> None:
    with pytest.raises(ServiceUnavailable):
        _create_and(SessionFactory(engine), new_user(), _sleep)

    assert execute(own_url, IN_TRANSACTION) == [(0,)]
    assert execute(own_url, "SELECT FROM users") == []


def _backend(engine: Engine, user_id: str) -> tuple[int, str]:
    """Return which connection serves a user, and for which user it works."""
    with SessionFactory(engine)(user_id) as session:
        ((process, name),) = session.exec(text("SELECT pg_backend_pid(), current_setting('app.user_id')"))
    return process, name


@pytest.mark.requirement("FR-124", "FR-051")
def test_a_worker_that_stops_between_load_and_store_does_not_keep_the_users_row(engine: Engine, own_url: str) -> None:
    sessions, user_id = SessionFactory(engine), new_user()

    def rest(_unit: UnitOfWork) -> None:
        until(lambda: execute(own_url, IN_TRANSACTION) == [(0,)], "the transaction rests for ever")

    with pytest.raises(ServiceUnavailable), time_left():
        _create_and(sessions, user_id, rest)

    assert _tasks(sessions, user_id).create(TaskCreate(title="c")).revision == 1


@pytest.mark.requirement("FR-124")
def test_a_load_sees_what_was_committed_while_it_waited_whatever_the_servers_default(own_url: str) -> None:
    name = make_url(own_url).database
    execute(own_url, f"ALTER DATABASE {name} SET default_transaction_isolation = 'repeatable read'")
    user_id, engine = new_user(), Engine(own_url, pool_size=1, timeout_seconds=60)
    isolation = replace(NAMED, once={"isolation": func.current_setting("transaction_isolation")})

    with unit_of_work(SessionFactory(engine), user_id) as unit:
        found = unit.load(isolation, task_ids=[])

    assert found.once["isolation"] == "read committed"
    engine.dispose()


@pytest.mark.requirement("FR-493")
def test_no_statement_is_compiled_just_in_time_whatever_the_server_would_do(own_url: str) -> None:
    name = make_url(own_url).database
    execute(own_url, f"ALTER DATABASE {name} SET jit = on")
    user_id, engine = new_user(), Engine(own_url, pool_size=1, timeout_seconds=60)
    jit = func.current_setting("jit")

    with SessionFactory(engine)(user_id) as session:
        assert list(session.exec(select(jit))) == [("off",)]
    with unit_of_work(SessionFactory(engine), user_id) as unit:
        assert unit.load(replace(NAMED, once={"jit": jit}), task_ids=[]).once["jit"] == "off"
    engine.dispose()
