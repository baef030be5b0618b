"""*floor*: Starlette, raw psycopg2 and one statement per call; no authentication, validation or row-level security.

It has as many threads as connections, so that no thread waits for one.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import anyio.to_thread
from psycopg2.extras import register_uuid
from psycopg2.pool import ThreadedConnectionPool
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from uuid_utils.compat import uuid7

from backend.models.task_query import TaskQuery
from backend.services.tasks import queries as task_queries
from backend.services.tasks.listing import page_of_rows
from backend.services.tasks.listing_queries import MAX_IN_SHORT, Shape, list_statement
from tests.benchmarks.contenders import one_statement

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement in psycopg2's form, with its constant values."""

    sql: str
    constants: dict[str, Any]


def compiled(statement: Any) -> Statement:
    """Compile one of our statements."""
    done = statement.compile(dialect=PGDialect_psycopg2())  # type: ignore[no-untyped-call]
    return Statement(str(done), dict(done.params))


GET = compiled(task_queries.GET)
LIST, SHORT_LIST = (compiled(list_statement(Shape(is_short=is_short))) for is_short in (False, True))
CREATE, UPDATE, COMPLETE = map(compiled, (one_statement.CREATE, one_statement.UPDATE, one_statement.COMPLETE))


class Database:
    """A pool of connections in autocommit."""

    def __init__(self, url: str, size: int) -> None:
        register_uuid()
        # It keeps as many connections as its minimum, and closes each one beyond that after use. The service makes
        # these settings too, so that responses and plans are the same.
        self._pool = ThreadedConnectionPool(size, size, url, options="-c TimeZone=UTC -c enable_bitmapscan=off")

    def row(self, statement: Statement, **values: object) -> Row:
        """Run a statement that returns one row."""
        (row,) = self.rows(statement, **values)
        return row

    def rows(self, statement: Statement, **values: object) -> list[Row]:
        """Run a statement."""
        connection = self._pool.getconn()
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement.sql, statement.constants | values)
                rows: list[Row] = cursor.fetchall()
                return rows
        finally:
            self._pool.putconn(connection)


def user_of(request: Request) -> str:
    """Return the user named in the token."""
    payload = request.headers["Authorization"].split(".")[1]
    user_id: str = json.loads(base64.urlsafe_b64decode(payload + "=="))["sub"]
    return user_id


def answer(text: str, tag: object, status: int = 200, **headers: str) -> Response:
    """Respond with JSON that Postgres has written."""
    return Response(text, status, {"ETag": f'"{tag}"', **headers}, media_type="application/json")


def create_app() -> Starlette:
    """Build the application."""
    size = int(os.environ["POOL_SIZE"])
    database = Database(os.environ["DATABASE_URL"], size)

    def get_task(request: Request) -> Response:
        revision, text = database.row(GET, principal=user_of(request), task=UUID(request.path_params["task_id"]))
        return answer(f'{{"data":{text}}}', revision)

    def list_tasks(request: Request) -> Response:
        limit = int(request.query_params.get("limit", 1000))
        values = {"principal": user_of(request), "max_rows": limit, "known": []}
        statement = SHORT_LIST if limit <= MAX_IN_SHORT else LIST
        page = page_of_rows(TaskQuery(limit=limit), database.rows(statement, **values))
        has_more = page.next_cursor is not None
        rest = {"has_more": has_more, "next_cursor": page.next_cursor, "since": str(page.since)}
        page_of = json.dumps({"limit": limit, **rest})
        return answer(f'{{"data":{page.json},"page":{page_of}}}', page.tag)

    async def create_task(request: Request) -> Response:
        body = await request.json()
        return await run_in_threadpool(create, user_of(request), body)

    def create(user_id: str, body: dict[str, Any]) -> Response:
        task_id = uuid7()
        values = {"new_request_hash": None, "max_tasks": 100_000, **new_values(body)}
        values["new_completed"] = body.get("completed", False)
        revision, text, _ = database.row(CREATE, principal=user_id, task=task_id, **values)
        return answer(f'{{"data":{text}}}', revision, 201, Location=f"/api/tasks/{task_id}")

    async def update_task(request: Request) -> Response:
        body = await request.json()
        values = {"has_new_description": "description" in body, **new_values(body)}
        return await run_in_threadpool(change, UPDATE, request, values)

    def toggle_task(request: Request) -> Response:
        return change(COMPLETE, request, {"new_completed": None})

    def change(statement: Statement, request: Request, values: dict[str, Any]) -> Response:
        task_id = UUID(request.path_params["task_id"])
        revision, text, _ = database.row(statement, principal=user_of(request), task=task_id, expected=None, **values)
        return answer(f'{{"data":{text}}}', revision)

    routes = [
        Route("/health/ready", ready),
        Route("/api/tasks", list_tasks, methods=["GET"]),
        Route("/api/tasks", create_task, methods=["POST"]),
        Route("/api/tasks/{task_id}", get_task, methods=["GET"]),
        Route("/api/tasks/{task_id}", update_task, methods=["PUT"]),
        Route("/api/tasks/{task_id}/complete", toggle_task, methods=["PATCH"]),
    ]
    return Starlette(routes=routes, lifespan=_threads(size))


def new_values(body: dict[str, Any]) -> dict[str, Any]:
    """Return the values of a body under the statements' parameter names."""
    return {f"new_{name}": body.get(name) for name in ("title", "description", "completed")}


async def ready(_request: Request) -> Response:
    """Report that it runs."""
    return Response()


def _threads(size: int) -> Callable[[Starlette], Any]:
    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = size
        yield

    return lifespan
