"""Several statements in one transaction of one user: all or none take effect, and none stays open."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import make_url, text

from backend.database.engine import Engine
from backend.database.errors import StatementRefused
from backend.database.session import SessionFactory, Sessions
from backend.errors import ServiceUnavailable, TaskNotFound
from backend.models.task import TaskCreate
from backend.services.tasks.service import TaskService
from tests.fixtures.api import new_user
from tests.fixtures.database import execute
from tests.fixtures.deadlines import time_left
from tests.fixtures.waiting import until

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


@pytest.mark.requirement("FR-124")
def test_what_sessions_of_a_transaction_do_is_seen_by_others_at_its_end(engine: Engine, own_url: str) -> None:
    user_id = new_user()
    with SessionFactory(engine).transaction(user_id) as sessions:
        tasks = _tasks(sessions, user_id)
        task = tasks.create(TaskCreate(title="a"))
        with sessions.transaction(user_id) as joined:
            assert _tasks(joined, user_id).complete(task.id, completed=True).revision == 2
        assert tasks.get(task.id).revision == 2
        assert execute(own_url, "SELECT FROM tasks") == []
        assert execute(own_url, IN_TRANSACTION) == [(1,)]

    assert _tasks(SessionFactory(engine), user_id).get(task.id).revision == 2
    assert execute(own_url, IN_TRANSACTION) == [(0,)]


def _create_and(sessions: SessionFactory, user_id: str, then: Callable[[TaskService], object]) -> None:
    """Create a task and do something else, in one transaction."""
    with sessions.transaction(user_id) as joined:
        _tasks(joined, user_id).create(TaskCreate(title="a"))
        then(_tasks(joined, user_id))


def _sleep(tasks: TaskService) -> None:
    with time_left(), tasks.sessions(tasks.user_id) as session:
        session.exec(text("SELECT pg_sleep(600)"))


@pytest.mark.requirement("FR-124", "FR-126")
def test_a_transaction_that_fails_is_taken_back_and_leaves_its_connection_clean(engine: Engine, own_url: str) -> None:
    sessions, user, other = SessionFactory(engine), new_user(), new_user()
    too_long = TaskCreate.model_construct(id=None, title="a" * 501, description=None, completed=False)
    before = _backend(engine, other)

    failures: list[tuple[type[Exception], Callable[[TaskService], object]]] = [
        (TaskNotFound, lambda tasks: tasks.delete(uuid.uuid4())),
        (StatementRefused, lambda tasks: tasks.create(too_long)),
        (ServiceUnavailable, _sleep),
    ]
    for error, then in failures:
        with pytest.raises(error):
            _create_and(sessions, user, then)

    assert execute(own_url, IN_TRANSACTION) == [(0,)]
    assert execute(own_url, "SELECT FROM users") == []
    assert _backend(engine, other) == before  # the same connection, in its own transaction and for its own user
    with sessions(other) as session:
        session.exec(text("SELECT 1"))
        assert execute(own_url, IN_TRANSACTION) == [(0,)]


def _backend(engine: Engine, user_id: str) -> tuple[int, str]:
    """Return which connection serves a user, and for which user it works."""
    with SessionFactory(engine)(user_id) as session:
        ((process, name),) = session.exec(text("SELECT pg_backend_pid(), current_setting('app.user_id')"))
    return process, name


@pytest.mark.requirement("FR-013", "FR-124")
def test_a_transaction_is_of_one_user(engine: Engine) -> None:
    with SessionFactory(engine).transaction(new_user()) as sessions:
        for open_another in (sessions, sessions.transaction):
            with pytest.raises(ValueError, match="one user"), open_another(new_user()):
                pass


@pytest.mark.requirement("FR-124", "FR-051")
@pytest.mark.parametrize("goes_on", [True, False])
def test_a_worker_that_stops_in_a_transaction_does_not_keep_the_users_row(
    engine: Engine, own_url: str, *, goes_on: bool
) -> None:
    sessions, user_id = SessionFactory(engine), new_user()

    def rest(tasks: TaskService) -> None:
        with time_left(), tasks.sessions(user_id) as session:
            session.exec(text("SELECT 1"))
        until(lambda: execute(own_url, IN_TRANSACTION) == [(0,)], "the transaction rests for ever")
        if goes_on:
            tasks.create(TaskCreate(title="b"))

    with pytest.raises(ServiceUnavailable):
        _create_and(sessions, user_id, rest)

    assert _tasks(sessions, user_id).create(TaskCreate(title="c")).revision == 1


@pytest.mark.requirement("FR-124")
def test_a_transaction_sees_what_was_committed_while_it_waited_whatever_the_servers_default(own_url: str) -> None:
    name = make_url(own_url).database
    execute(own_url, f"ALTER DATABASE {name} SET default_transaction_isolation = 'repeatable read'")
    user_id, engine = new_user(), Engine(own_url, pool_size=1, timeout_seconds=1)

    with SessionFactory(engine).transaction(user_id) as sessions, sessions(user_id) as session:
        assert session.exec(text("SHOW transaction_isolation")) == [("read committed",)]
    engine.dispose()
