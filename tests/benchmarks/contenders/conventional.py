"""*conventional*: the same contract in the layout that the tutorials of FastAPI and SQLModel teach.

It has what that layout usually has: a session from a dependency with yield, a connection that is tested before each use
(`pool_pre_ping`, a round trip for each request), a lookup of the user in each request, and commit and refresh after a
write. Otherwise, it runs only the queries that the contract requires. It may open as many connections as there are
concurrent requests: with fewer, this layout can deadlock, because requests that hold a connection wait for a thread
while all threads wait for a connection.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, FastAPI, HTTPException, Query, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from jose import JWTError, jwt
from sqlalchemy import ARRAY, BigInteger, Boolean, Column, Computed, DateTime, SmallInteger, Text, tuple_
from sqlmodel import Field, Session, SQLModel, col, create_engine, select, update
from uuid_utils.compat import uuid7

MAX_CONNECTIONS = 100
MAX_TASKS = 100_000


class User(SQLModel, table=True):
    """A user."""

    __tablename__ = "users"

    id: str = Field(primary_key=True)
    revision: int = Field(default=0, sa_type=BigInteger)
    task_count: int = Field(default=0, sa_type=BigInteger)
    created_at: datetime = Field(default_factory=lambda: datetime.now(UTC), sa_type=DateTime(timezone=True))


class TaskFields(SQLModel):
    """The fields of a task that its user sees."""

    id: UUID
    user_id: str
    title: str
    description: str | None
    completed: bool
    completed_at: datetime | None
    created_at: datetime
    updated_at: datetime
    revision: int
    status: str
    due_date: date | None
    due_at: datetime | None
    start_date: date | None
    start_at: datetime | None
    timezone: str | None
    priority: str | None
    labels: list[str]
    list_id: UUID | None
    position: str
    parent_id: UUID | None


class Task(SQLModel, table=True):
    """A task."""

    __tablename__ = "tasks"

    user_id: str = Field(primary_key=True, foreign_key="users.id")
    id: UUID = Field(default_factory=uuid7, primary_key=True)
    title: str
    description: str | None = None
    completed: bool = False
    completed_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    created_at: datetime = Field(default_factory=lambda: datetime.now(UTC), sa_type=DateTime(timezone=True))
    updated_at: datetime = Field(default_factory=lambda: datetime.now(UTC), sa_type=DateTime(timezone=True))
    deleted_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    revision: int = Field(sa_type=BigInteger)
    open_status: str = "todo"
    due_date: date | None = None
    due_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    start_date: date | None = None
    start_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    timezone: str | None = None
    priority_number: int = Field(default=10, sa_column=Column("priority", SmallInteger))
    labels: list[str] = Field(default=[], sa_type=ARRAY(Text))
    list_id: UUID | None = None
    position: str = Field(default_factory=lambda: f"p{uuid7().int >> 68:019}1")
    parent_id: UUID | None = None
    in_trash: bool = Field(
        default=None, sa_column=Column(Boolean, Computed("deleted_at IS NOT NULL"))
    )  # included in the indexes

    @property
    def status(self) -> str:
        """Return how far the task is."""
        return "done" if self.completed else self.open_status

    @property
    def priority(self) -> str | None:
        """Return how much the task matters."""
        ends = {"high": 4, "medium": 5, "low": 9}
        return next((word for word, end in ends.items() if self.priority_number <= end), None)


class TaskCreate(SQLModel):
    """A new task."""

    title: str = Field(min_length=1, max_length=500)
    description: str | None = Field(default=None, max_length=10_000)
    completed: bool = False


class TaskUpdate(SQLModel):
    """The fields to change."""

    title: str | None = Field(default=None, min_length=1, max_length=500)
    description: str | None = Field(default=None, max_length=10_000)
    completed: bool | None = None


class TaskAnswer(SQLModel):
    """One task."""

    data: TaskFields


class PageInfo(SQLModel):
    """Where a page ends."""

    limit: int
    has_more: bool
    next_cursor: str | None
    since: str


class TaskListAnswer(SQLModel):
    """A page of tasks."""

    data: list[TaskFields]
    page: PageInfo


engine = create_engine(
    os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg2://"),
    pool_pre_ping=True,
    pool_size=MAX_CONNECTIONS,
    max_overflow=0,
    connect_args={"options": "-c TimeZone=UTC"},
)
app = FastAPI()
bearer = HTTPBearer()


def get_session() -> Iterator[Session]:
    """Open a session for a request."""
    with Session(engine) as session:
        yield session


OpenSession = Annotated[Session, Depends(get_session)]


def get_current_user(
    session: OpenSession, credentials: Annotated[HTTPAuthorizationCredentials, Depends(bearer)]
) -> User:
    """Look up the user that the token names; the first request creates the user."""
    try:
        user_id = jwt.decode(credentials.credentials, os.environ["JWT_SECRET"], algorithms=["HS256"])["sub"]
    except (JWTError, KeyError):
        raise HTTPException(401, "Could not validate credentials") from None
    user = session.get(User, user_id)
    if user is None:
        user = User(id=user_id)
        session.add(user)
        session.commit()
        session.refresh(user)
    return user


CurrentUser = Annotated[User, Depends(get_current_user)]


def count_change(session: Session, user_id: str, new_tasks: int = 0) -> int:
    """Increase the user's revision, which locks the user from then on; returns the revision."""
    counted = (
        update(User)
        .where(col(User.id) == user_id, col(User.task_count) + new_tasks <= MAX_TASKS)
        .values(revision=User.revision + 1, task_count=User.task_count + new_tasks)
        .returning(col(User.revision))
        .execution_options(synchronize_session=False)
    )
    revision: int | None = session.exec(counted).scalar_one_or_none()
    if revision is None:
        raise HTTPException(409, "Too many tasks")
    return revision


def task_of(session: Session, user_id: str, task_id: UUID) -> Task:
    """Find a task of the user."""
    task = session.exec(
        select(Task).where(Task.user_id == user_id, Task.id == task_id, col(Task.deleted_at).is_(None))
    ).first()
    if task is None:
        raise HTTPException(404, "Task not found")
    return task


def save(session: Session, task: Task, response: Response) -> dict[str, Any]:
    """Store a task, and return the stored version."""
    session.add(task)
    session.commit()
    session.refresh(task)
    return answer(task, response)


def answer(task: Task, response: Response) -> dict[str, Any]:
    """Respond with a task."""
    response.headers["ETag"] = f'"{task.revision}"'
    return {"data": task}


@app.get("/health/ready")
def ready() -> dict[str, str]:
    """Report that it runs."""
    return {"status": "ok"}


@app.get("/api/tasks", response_model=TaskListAnswer)
def list_tasks(
    session: OpenSession,
    user: CurrentUser,
    response: Response,
    limit: Annotated[int, Query(ge=1, le=1000)] = 1000,
    cursor: str | None = None,
) -> dict[str, Any]:
    """List the user's tasks, newest first."""
    statement = select(Task).where(Task.user_id == user.id, col(Task.in_trash).is_(False))
    if cursor is not None:
        created_at, task_id = base64.urlsafe_b64decode(cursor).decode().split(" ")
        place = (datetime.fromisoformat(created_at), UUID(task_id))
        statement = statement.where(tuple_(col(Task.created_at), col(Task.id)) < place)
    statement = statement.order_by(col(Task.created_at).desc(), col(Task.id).desc()).limit(limit + 1)
    tasks = session.exec(statement).all()
    page, has_more = tasks[:limit], len(tasks) > limit
    next_cursor = None
    if has_more:
        next_cursor = base64.urlsafe_b64encode(f"{page[-1].created_at.isoformat()} {page[-1].id}".encode()).decode()
    response.headers["ETag"] = f'"{user.revision}-{user.task_count}-{round(user.created_at.timestamp() * 1e6)}"'
    since = base64.urlsafe_b64encode(str(user.revision).encode()).decode()
    return {"data": page, "page": {"limit": limit, "has_more": has_more, "next_cursor": next_cursor, "since": since}}


@app.post("/api/tasks", response_model=TaskAnswer, status_code=201)
def create_task(session: OpenSession, user: CurrentUser, data: TaskCreate, response: Response) -> dict[str, Any]:
    """Create a task."""
    task = Task.model_validate(
        data, update={"user_id": user.id, "revision": count_change(session, user.id, new_tasks=1)}
    )
    if task.completed:
        task.completed_at = task.created_at
    response.headers["Location"] = f"/api/tasks/{task.id}"
    return save(session, task, response)


@app.get("/api/tasks/{task_id}", response_model=TaskAnswer)
def get_task(session: OpenSession, user: CurrentUser, task_id: UUID, response: Response) -> dict[str, Any]:
    """Read a task."""
    return answer(task_of(session, user.id, task_id), response)


@app.put("/api/tasks/{task_id}", response_model=TaskAnswer)
def update_task(
    session: OpenSession, user: CurrentUser, task_id: UUID, data: TaskUpdate, response: Response
) -> dict[str, Any]:
    """Edit a task; an edit without effect does not count as a change."""
    task = task_of(session, user.id, task_id)
    fields = data.model_dump(exclude_unset=True)
    if all(getattr(task, name) == value for name, value in fields.items()):
        return answer(task, response)
    return change(session, task, fields, response)


@app.patch("/api/tasks/{task_id}/complete", response_model=TaskAnswer)
def toggle_task(session: OpenSession, user: CurrentUser, task_id: UUID, response: Response) -> dict[str, Any]:
    """Complete a task, or reopen it."""
    task = task_of(session, user.id, task_id)
    return change(session, task, {"completed": not task.completed}, response)


def change(session: Session, task: Task, fields: dict[str, Any], response: Response) -> dict[str, Any]:
    """Change fields of a task."""
    task.revision = count_change(session, task.user_id)
    task.sqlmodel_update(fields)
    now = datetime.now(UTC)
    task.updated_at = now
    if "completed" in fields:
        task.completed_at = (task.completed_at or now) if task.completed else None
    return save(session, task, response)


def create_app() -> FastAPI:
    """Return the application."""
    return app
