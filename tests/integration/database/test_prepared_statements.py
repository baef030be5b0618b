"""What direct connections prepare, and that nobody notices when the server has lost it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from sqlalchemy import make_url

from backend.database.engine import Engine
from backend.database.errors import Interrupted
from backend.database.session import SessionFactory
from backend.database.statements import describe
from backend.models.list import ListCreate, ListUpdate
from backend.models.task import TaskCreate, TaskUpdate
from backend.models.task_query import TaskQuery
from backend.services.lists.service import ListService
from backend.services.tasks.listing import ListingService
from backend.services.unit_of_work import unit_of_work
from tests.fixtures.calls.api import new_user
from tests.fixtures.postgres.database import execute
from tests.fixtures.postgres.logins import LOGINS, database_of
from tests.fixtures.postgres.pooler import running_pooler
from tests.fixtures.postgres.statements import noted_statements, send
from tests.fixtures.postgres.tenant_statements import tasks_of

Calls = dict[str, Callable[[], object]]


@pytest.fixture
def engine(own_url: str) -> Iterator[Engine]:
    found = Engine(own_url, pool_size=1, timeout_seconds=60)
    yield found
    found.dispose()


def calls_of(engine: Engine) -> Calls:
    """Make a task and a list of a new user, and return reads and changes of these."""
    user_id, sessions = new_user(), SessionFactory(engine)
    tasks, lists = tasks_of(engine, user_id), ListService(sessions, user_id)
    task, made = tasks.create(TaskCreate(title="milk")), lists.create(ListCreate(name="shop"))
    return {
        "get": lambda: tasks.get(task.id),
        "list": lambda: ListingService(sessions, user_id).list(TaskQuery()),
        "create": lambda: tasks.create(TaskCreate(title="bread")),
        "edit": lambda: tasks.update(task.id, TaskUpdate(title=uuid.uuid4().hex)),
        "name a list": lambda: lists.update(made.id, ListUpdate(name=uuid.uuid4().hex)),
    }


TITLES = "SELECT title FROM tasks WHERE user_id = %s"
NAMES = ("get", "list", "create", "edit", "name a list")


def messages(engine: Engine, call: Callable[[], object]) -> list[str]:
    """Return what a call sends."""
    with noted_statements(engine) as sent:
        call()
    return [sql for sql, _ in sent]


@pytest.mark.requirement("FR-505")
@pytest.mark.parametrize("name", NAMES)
def test_a_direct_connection_prepares_a_statement_once_and_in_the_same_message(engine: Engine, name: str) -> None:
    call = calls_of(engine)[name]
    engine.dispose()  # the next connection has nothing prepared

    first, later = messages(engine, call), messages(engine, call)

    assert len(first) == len(later)
    assert any("PREPARE" in sql for sql in first)
    assert not any("PREPARE" in sql for sql in later)
    assert any("EXECUTE" in sql for sql in later)


@pytest.mark.requirement("FR-506")
@pytest.mark.parametrize("name", NAMES)
def test_a_server_that_has_lost_what_was_prepared_is_noticed_by_nobody(engine: Engine, name: str) -> None:
    call = calls_of(engine)[name]
    call()
    send(engine, "DEALLOCATE ALL")

    call()

    assert not any("PREPARE" in sql for sql in messages(engine, call))


def create_while_it_is_lost(engine: Engine, user_id: str) -> None:
    with unit_of_work(SessionFactory(engine), user_id) as unit:
        replace(tasks_of(engine, user_id), unit=unit).create(TaskCreate(title="bread"))
        unit.transaction.connection.send("DEALLOCATE ALL", None, describe("DEALLOCATE ALL"))


@pytest.mark.requirement("FR-506")
def test_what_is_lost_between_two_messages_was_not_done(engine: Engine) -> None:
    user_id = new_user()
    tasks_of(engine, user_id).create(TaskCreate(title="milk"))  # prepares what both messages send
    with pytest.raises(Interrupted) as lost:
        create_while_it_is_lost(engine, user_id)

    assert not lost.value.may_be_done  # so every service method may try it again
    assert [title for (title,) in send(engine, TITLES, (user_id,))] == ["milk"]


@pytest.mark.requirement("FR-506")
def test_a_migration_that_changes_a_result_is_noticed_by_nobody(engine: Engine, own_url: str) -> None:
    calls = calls_of(engine)
    calls["edit"]()
    execute(own_url, "ALTER TABLE tasks ALTER COLUMN timezone TYPE varchar")

    calls["edit"]()

    execute(own_url, "ALTER TABLE tasks ADD COLUMN added text")
    calls["edit"]()


@pytest.fixture(scope="module")
def behind_neon(server_url: str, database_url: str) -> Iterator[str]:
    """The URL of a proxy that gives each connection a session of its own, under another number."""
    assert database_url  # creates the role task_api on this server
    with (
        database_of(server_url, LOGINS["neon"]) as url,
        running_pooler(url, pool_size=5, mode="session") as proxy,
    ):
        yield proxy.url


@pytest.mark.requirement("FR-515")
@pytest.mark.parametrize(
    ("host", "is_prepared"),
    [
        ("ep-cool-darkness-123456.us-east-2.aws.neon.tech", True),
        ("ep-cool-darkness-123456-pooler.us-east-2.aws.neon.tech", False),
        ("ep-cool-darkness-123456.example.com", False),  # the numbers differ
    ],
)
def test_on_neon_the_name_tells_what_is_direct(behind_neon: str, host: str, *, is_prepared: bool) -> None:
    url = make_url(behind_neon).set(host=host).update_query_dict({"hostaddr": "127.0.0.1"})
    engine = Engine(url.render_as_string(hide_password=False), pool_size=1, timeout_seconds=60)
    call = calls_of(engine)["edit"]
    call()

    sent = messages(engine, call)

    assert any(sql.count("EXECUTE") for sql in sent) is is_prepared
    assert not any("PREPARE" in sql for sql in sent)
    engine.dispose()
