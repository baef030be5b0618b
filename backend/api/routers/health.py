"""Addresses that need no token: where things are, and whether this process is well."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field, StringConstraints
from starlette.concurrency import run_in_threadpool

from backend.api.deps import DatabaseLimiter, Ready
from backend.api.http.envelope import example_of
from backend.api.http.routes import StrictRoute
from backend.api.openapi.operations import ANYWHERE, success
from backend.models.values import Sentence

router = APIRouter(route_class=StrictRoute, responses=ANYWHERE)


Address = Annotated[str, StringConstraints(max_length=100, pattern="^/[a-z./]*$")]


class Health(BaseModel):
    """How the process is."""

    status: Literal["ok"] = Field(description="`ok`, or the answer is an error", examples=["ok"])


class HealthAnswer(BaseModel):
    """The answer of a health check."""

    data: Health = Field(description="How the process is", examples=[example_of(Health)])


class Directory(BaseModel):
    """Where things are."""

    name: Sentence = Field(description="What answers here", examples=["Task API"])
    docs: Address = Field(description="The documentation, to try each call", examples=["/docs"])
    redoc: Address = Field(description="The documentation, to read", examples=["/redoc"])
    openapi: Address = Field(description="The contract, for programs", examples=["/openapi.json"])
    tasks: Address = Field(description="Your tasks; needs a token", examples=["/api/tasks"])
    account: Address = Field(description="Your account; needs a token", examples=["/api/me"])
    health: Address = Field(description="Whether the service can serve", examples=["/health/ready"])


class DirectoryAnswer(BaseModel):
    """The answer of the root address."""

    data: Directory = Field(description="Where things are", examples=[example_of(Directory)])


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


# `async`, so that none waits for a thread when all of them are busy.
@router.get("/", tags=["start"], responses=success(200, "Where things are", DirectoryAnswer))
async def get_directory() -> DirectoryAnswer:
    """Find the documentation, the contract and the API."""
    return _DIRECTORY


@router.get("/health/live", tags=["health"], responses=success(200, "It is running", HealthAnswer))
async def check_liveness() -> HealthAnswer:
    """Tell whether the process runs. Asks nothing else, the database least of all."""
    return _WELL


@router.get(
    "/health/ready",
    tags=["health"],
    responses=success(200, "It can serve", HealthAnswer),
)
async def check_readiness(ready: Ready, connection_limiter: DatabaseLimiter) -> HealthAnswer:
    """Tell whether requests can be served: the database answers, is up to date, and keeps users apart.

    A good answer is remembered for ten minutes, and for longer while nobody uses the database: asking does not wake a
    suspended one. It counts no more once a request has found the database away.
    """
    if not ready.is_remembered:
        async with connection_limiter:
            await run_in_threadpool(ready.refresh)
    ready.require()
    return _WELL
