"""A change answers what it has decided, written by Python: byte for byte what Postgres writes for reads."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Text, cast, select, true
from sqlalchemy import bindparam as bind

from backend.database.engine import Engine
from backend.database.session import SessionFactory
from backend.database.statements import Compiled, compile_statement
from backend.models.access_token import AccessTokenCreate, Scope
from backend.models.tables import tasks
from backend.models.task import TaskCreate
from backend.services.access_tokens.service import AccessTokenService
from backend.services.tasks.columns import PUBLIC, RARE, as_json_of_many
from backend.services.tasks.loaded import task_json
from backend.services.tasks.rules import Row
from backend.utils.priorities import word_of
from tests.fixtures.calls.api import new_user
from tests.fixtures.postgres.database import execute
from tests.fixtures.postgres.statements import send
from tests.fixtures.postgres.tenant_statements import tasks_of

pytestmark = pytest.mark.requirement("FR-038")

TIMES = st.datetimes(datetime(1970, 1, 1), datetime(9000, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - naive bounds
# Half of them whole seconds, or with zeros at the end.
SHORT_TIMES = TIMES.map(lambda time: time.replace(microsecond=time.microsecond // 100_000 * 100_000))
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)
ROWS = st.builds(
    Row,
    id=st.uuids(),
    title=TEXTS,
    description=st.none() | TEXTS,
    completed=st.booleans(),
    completed_at=st.none() | TIMES | SHORT_TIMES,
    created_at=TIMES | SHORT_TIMES,
    updated_at=TIMES | SHORT_TIMES,
    deleted_at=st.none() | TIMES,
    revision=st.integers(1, 2**53 - 1),
    request_hash=st.none(),
    open_status=st.sampled_from(["todo", "in_progress", "cancelled"]),
    due_date=st.none() | st.dates(),
    due_at=st.none() | TIMES | SHORT_TIMES | st.just(datetime(1, 1, 1, tzinfo=UTC)),
    start_date=st.none() | st.dates(),
    start_at=st.none() | TIMES | SHORT_TIMES,
    timezone=st.none() | st.sampled_from(["Europe/Berlin", "Etc/GMT+1"]),
    priority=st.integers(1, 10),
    labels=st.lists(TEXTS, max_size=3),
    list_id=st.none() | st.uuids(),
    position=st.sampled_from(["a0", "i00000000g", "ZzV"]),
    parent_id=st.none() | st.uuids(),
)
WRITTEN = """
SET LOCAL TimeZone = 'UTC';
SELECT row_to_json(task)::text FROM (SELECT %s::uuid AS id, %s::text AS user_id, %s::text AS title,
    %s::text AS description, %s AS completed, %s::timestamptz AS completed_at, %s::timestamptz AS created_at,
    %s::timestamptz AS updated_at, %s AS revision, %s::text AS status, %s::date AS due_date, %s::timestamptz AS due_at,
    %s::date AS start_date, %s::timestamptz AS start_at, %s::text AS timezone, %s::text AS priority,
    %s::text[] AS labels, %s::uuid AS list_id, %s::text AS position, %s::uuid AS parent_id,
    %s::timestamptz AS deleted_at) AS task
"""


@settings(max_examples=300, deadline=None)
@given(ROWS, TEXTS)
def test_a_task_is_written_as_postgres_writes_it(database_url: str, task: Row, user_id: str) -> None:
    values = (str(task.id), user_id, task.title, task.description, task.completed)
    moments = (task.completed_at, task.created_at, task.updated_at)
    dates = (task.due_date, task.due_at, task.start_date, task.start_at, task.timezone)
    priority = (*["high"] * 4, "medium", *["low"] * 4, None)[task.priority - 1]
    list_id, parent_id = (str(each) if each else None for each in (task.list_id, task.parent_id))
    place = (list_id, task.position, parent_id)
    rest = (task.revision, task.status, *dates, priority, task.labels, *place, task.deleted_at)
    ((written,),) = execute(database_url, WRITTEN, *values, *moments, *rest)

    if task.deleted_at is None:
        written = written.replace(',"deleted_at":null}', "}")
    assert task_json(task, user_id) == written


def long_page() -> Compiled:
    """Write one task, whose columns are parameters, as long pages do."""
    types = {name: tasks.c[name].type if name in tasks.c and name != "priority" else Text() for name in PUBLIC}
    source = select(*(cast(bind(f"of_{name}"), kind).label(name) for name, kind in types.items())).subquery("found")
    whole = select(*source.c).correlate(source).lateral("shown")
    return compile_statement(select(as_json_of_many(source, whole)).select_from(source.join(whole, true())))


LONG_PAGE = long_page()
# Half of the rows have nothing that is rare.
PLAIN_ROWS = ROWS.map(lambda task: task._replace(**{name: Row._field_defaults[name] for name in RARE}))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ROWS | PLAIN_ROWS, TEXTS)
def test_a_task_in_a_long_page_is_written_alike(engine: Engine, task: Row, user_id: str) -> None:
    shown = {**task._asdict(), "user_id": user_id, "status": task.status, "priority": word_of(task.priority)}
    values = {f"of_{name}": str(shown[name]) if isinstance(shown[name], UUID) else shown[name] for name in PUBLIC}
    sql = f"SET LOCAL TimeZone = 'UTC'; {LONG_PAGE.sql}"
    ((written,),) = send(engine, sql, {**values, "principal": user_id})

    assert written == task_json(task._replace(deleted_at=None), user_id)


def test_a_change_answers_what_a_read_answers(engine: Engine) -> None:
    service = tasks_of(engine, new_user())
    created = service.create(TaskCreate(title='"Milk"\n\t\u2028/\\ 🥛', description="\x7f\x85é", completed=True))

    assert service.get(created.id).json == created.json
    assert service.toggle(created.id).json == service.get(created.id).json


def test_a_token_is_answered_as_it_is_listed(engine: Engine) -> None:
    tokens = AccessTokenService(SessionFactory(engine), new_user(), new_id=lambda: uuid.UUID(int=7))
    made = tokens.create(AccessTokenCreate(name='"a"', scopes=[*Scope], expires_in_days=1))

    without_the_token = made.partition(',"token":')[0] + "}"
    assert tokens.list() == f"[{without_the_token}]"
