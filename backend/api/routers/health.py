"""Addresses that need no token: the directory and the health checks."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field, StringConstraints
from starlette.concurrency import run_in_threadpool

from backend.api.deps import DatabaseLimiter, Ready
from backend.api.http.envelope import example_of
from backend.api.http.routes import StrictRoute
from backend.api.openapi.operations import ANYWHERE, success
from backend.models.fields import Sentence

router = APIRouter(route_class=StrictRoute, responses=ANYWHERE)


Address = Annotated[str, StringConstraints(max_length=100, pattern="^/[a-z./]*$")]


class Health(BaseModel):
    """The health of the process."""

    status: Literal["ok"] = Field(description="`ok`; otherwise the answer is an error", examples=["ok"])


class HealthAnswer(BaseModel):
    """The answer of a health check."""

    data: Health = Field(description="The health of the process", examples=[example_of(Health)])


class Directory(BaseModel):
    """Addresses of the API and its documentation."""

    name: Sentence = Field(description="The name of this service", examples=["Task API"])
    docs: Address = Field(description="The documentation, for trying out calls", examples=["/docs"])
    redoc: Address = Field(description="The documentation, for reading", examples=["/redoc"])
    openapi: Address = Field(description="The OpenAPI contract, for programs", examples=["/openapi.json"])
    tasks: Address = Field(description="Your tasks; needs a token", examples=["/api/tasks"])
    account: Address = Field(description="Your account; needs a token", examples=["/api/me"])
    health: Address = Field(description="The readiness check", examples=["/health/ready"])


class DirectoryAnswer(BaseModel):
    """The answer at the root address."""

    data: Directory = Field(description="The addresses", examples=[example_of(Directory)])


_DIRECTORY = DirectoryAnswer(
    data=Directory(
        name="Task API",
        docs="/docs",
        redoc="/redoc",
        openapi="/openapi.json",
        tasks="/api/tasks",
        account="/api/me",
        health="/health/ready",
    )
)
_WELL = HealthAnswer(data=Health(status="ok"))


# `async`, so that these calls never wait for a thread when all are busy.
@router.get("/", tags=["start"], responses=success(200, "The addresses", DirectoryAnswer))
async def get_directory() -> DirectoryAnswer:
    """Find the documentation, the contract and the API."""
    return _DIRECTORY


@router.get("/health/live", tags=["health"], responses=success(200, "The process is running", HealthAnswer))
async def check_liveness() -> HealthAnswer:
    """Check that the process is running. Nothing else is checked, not even the database."""
    return _WELL


@router.get(
    "/health/ready",
    tags=["health"],
    responses=success(200, "The service is ready", HealthAnswer),
)
async def check_readiness(ready: Ready, connection_limiter: DatabaseLimiter) -> HealthAnswer:
    """Check that requests can be served: the database answers, its schema is up to date, and it isolates users.

    A good result is cached for ten minutes, and longer while the database is unused, so that checks do not wake a
    suspended database. It is discarded as soon as a request finds the database unavailable.
    """
    if not ready.is_remembered:
        async with connection_limiter:
            await run_in_threadpool(ready.refresh)
    ready.require()
    return _WELL
