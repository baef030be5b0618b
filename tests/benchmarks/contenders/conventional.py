"""*usual FastAPI*: the same contract in the layout that the tutorials of FastAPI and SQLModel teach.

A session comes from a dependency with yield, a connection is tested before each use (`pool_pre_ping`), each request
looks its user up, and a write is committed and read again. It may open as many connections as there are requests: with
fewer, it can deadlock, because requests that hold a connection wait for a thread, and threads for a connection.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, FastAPI, HTTPException, Query, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from jose import JWTError, jwt
from sqlalchemy import ARRAY, BigInteger, Boolean, Column, Computed, DateTime, SmallInteger, Text
from sqlmodel import Field, Session, SQLModel, col, create_engine, select, update
from uuid_utils.compat import uuid7

MAX_TASKS = 100_000
Moment = DateTime(timezone=True)


class User(SQLModel, table=True):
    __tablename__ = "users"

    id: str = Field(primary_key=True)
    revision: int = Field(default=0, sa_type=BigInteger)
    task_count: int = Field(default=0, sa_type=BigInteger)
    created_at: datetime = Field(default_factory=lambda: datetime.now(UTC), sa_type=Moment)


class TaskFields(SQLModel):
    user_id: str = Field(primary_key=True, foreign_key="users.id")
    id: UUID = Field(default_factory=uuid7, primary_key=True)
    title: str
    description: str | None = None
    completed: bool = False
    completed_at: datetime | None = Field(default=None, sa_type=Moment)
    created_at: datetime = Field(default_factory=lambda: datetime.now(UTC), sa_type=Moment)
    updated_at: datetime = Field(default_factory=lambda: datetime.now(UTC), sa_type=Moment)
    revision: int = Field(sa_type=BigInteger)
    due_date: date | None = None
    due_at: datetime | None = Field(default=None, sa_type=Moment)
    start_date: date | None = None
    start_at: datetime | None = Field(default=None, sa_type=Moment)
    timezone: str | None = None
    labels: list[str] = Field(default=[], sa_type=ARRAY(Text))
    list_id: UUID | None = None
    position: str = Field(default_factory=lambda: f"p{uuid7().int >> 68:019}1")
    parent_id: UUID | None = None


class TaskPublic(TaskFields):
    status: str
    priority: str | None


class Task(TaskFields, table=True):
    __tablename__ = "tasks"

    deleted_at: datetime | None = Field(default=None, sa_type=Moment)
    open_status: str = "todo"
    priority_number: int = Field(default=10, sa_column=Column("priority", SmallInteger))
    in_trash: bool = Field(default=None, sa_column=Column(Boolean, Computed("deleted_at IS NOT NULL")))

    @property
    def status(self) -> str:
        return "done" if self.completed else self.open_status

    @property
    def priority(self) -> str | None:
        ends = {"high": 4, "medium": 5, "low": 9}
        return next((word for word, end in ends.items() if self.priority_number <= end), None)


class TaskCreate(SQLModel):
    title: str = Field(min_length=1, max_length=500)
    description: str | None = Field(default=None, max_length=10_000)
    completed: bool = False


class TaskUpdate(SQLModel):
    title: str | None = Field(default=None, min_length=1, max_length=500)
    description: str | None = Field(default=None, max_length=10_000)
    completed: bool | None = None


class TaskAnswer(SQLModel):
    data: TaskPublic


class PageInfo(SQLModel):
    limit: int
    has_more: bool
    next_cursor: str | None
    since: str


class TaskListAnswer(SQLModel):
    data: list[TaskPublic]
    page: PageInfo


engine = create_engine(
    os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg2://"),
    pool_pre_ping=True,
    pool_size=100,
    max_overflow=0,
    connect_args={"options": "-c TimeZone=UTC"},
)
app = FastAPI()
bearer = HTTPBearer()


def get_session() -> Iterator[Session]:
    with Session(engine) as session:
        yield session


OpenSession = Annotated[Session, Depends(get_session)]


def get_current_user(
    session: OpenSession, credentials: Annotated[HTTPAuthorizationCredentials, Depends(bearer)]
) -> User:
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
Limit = Annotated[int, Query(ge=1, le=1000)]


def count_change(session: Session, user_id: str, new_tasks: int = 0) -> int:
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
    found = select(Task).where(Task.user_id == user_id, Task.id == task_id, col(Task.deleted_at).is_(None))
    task = session.exec(found).first()
    if task is None:
        raise HTTPException(404, "Task not found")
    return task


def save(session: Session, task: Task, response: Response) -> dict[str, Any]:
    session.add(task)
    session.commit()
    session.refresh(task)
    return answer(task, response)


def answer(task: Task, response: Response) -> dict[str, Any]:
    response.headers["ETag"] = f'"{task.revision}"'
    return {"data": task}


@app.get("/health/ready")
def ready() -> dict[str, str]:
    return {"status": "ok"}


@app.get("/api/tasks", response_model=TaskListAnswer)
def list_tasks(session: OpenSession, user: CurrentUser, response: Response, limit: Limit = 1000) -> dict[str, Any]:
    statement = select(Task).where(Task.user_id == user.id, col(Task.in_trash).is_(False))
    statement = statement.order_by(col(Task.created_at).desc(), col(Task.id).desc()).limit(limit + 1)
    tasks = session.exec(statement).all()
    page, has_more = tasks[:limit], len(tasks) > limit
    next_cursor = f"{page[-1].created_at.isoformat()} {page[-1].id}" if has_more else None
    response.headers["ETag"] = f'"{user.revision}-{user.task_count}-{round(user.created_at.timestamp() * 1e6)}"'
    info = {"limit": limit, "has_more": has_more, "next_cursor": next_cursor, "since": str(user.revision)}
    return {"data": page, "page": info}


@app.post("/api/tasks", response_model=TaskAnswer, status_code=201)
def create_task(session: OpenSession, user: CurrentUser, data: TaskCreate, response: Response) -> dict[str, Any]:
    revision = count_change(session, user.id, new_tasks=1)
    task = Task.model_validate(data, update={"user_id": user.id, "revision": revision})
    if task.completed:
        task.completed_at = task.created_at
    response.headers["Location"] = f"/api/tasks/{task.id}"
    return save(session, task, response)


@app.get("/api/tasks/{task_id}", response_model=TaskAnswer)
def get_task(session: OpenSession, user: CurrentUser, task_id: UUID, response: Response) -> dict[str, Any]:
    return answer(task_of(session, user.id, task_id), response)


@app.put("/api/tasks/{task_id}", response_model=TaskAnswer)
def update_task(
    session: OpenSession, user: CurrentUser, task_id: UUID, data: TaskUpdate, response: Response
) -> dict[str, Any]:
    task = task_of(session, user.id, task_id)
    fields = data.model_dump(exclude_unset=True)
    if all(getattr(task, name) == value for name, value in fields.items()):
        return answer(task, response)
    task.revision = count_change(session, task.user_id)
    task.sqlmodel_update(fields)
    task.updated_at = datetime.now(UTC)
    if "completed" in fields:
        task.completed_at = (task.completed_at or task.updated_at) if task.completed else None
    return save(session, task, response)
