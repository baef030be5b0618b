"""Addresses that need no token: the directory and the health checks."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from starlette.responses import JSONResponse

from backend.api.http.paths import ExactRoute
from backend.api.openapi.answers import Directory, DirectoryAnswer, Health, HealthAnswer
from backend.api.openapi.operations import ANYWHERE, or_page, success
from backend.api.openapi.start_page import is_wanted
from backend.api.state import app_state

router = APIRouter(route_class=ExactRoute, responses=ANYWHERE)


_ADDRESSES = DirectoryAnswer(
    data=Directory(
        name="Task API",
        docs="/docs",
        openapi="/openapi.json",
        tasks="/api/tasks",
        account="/api/me",
        health="/health/ready",
    )
)
_DIRECTORY = JSONResponse(_ADDRESSES.model_dump(), headers={"Vary": "Accept"})
_WELL = HealthAnswer(data=Health(status="ok"))


@router.get(
    "/",
    summary="Find the addresses",
    tags=["start"],
    responses=or_page(success(200, "The addresses", DirectoryAnswer)),
)
async def get_directory(request: Request) -> Response:
    """Find the documentation, the contract and the API. A browser gets a page with links instead."""
    return app_state(request).start_page if is_wanted(request) else _DIRECTORY


@router.get(
    "/health/live",
    summary="Check that the process runs",
    tags=["health"],
    responses=success(200, "The process is running", HealthAnswer),
)
async def check_liveness() -> HealthAnswer:
    """Check that the process is running. Nothing else is checked, not even the database."""
    return _WELL


@router.get(
    "/health/ready",
    summary="Check that requests can be served",
    tags=["health"],
    responses=success(200, "The service is ready", HealthAnswer),
)
async def check_readiness(request: Request) -> HealthAnswer:
    """Check that requests can be served: the database answers, its schema is up to date, and it isolates users.

    A good result is cached for ten minutes, and longer while the database is unused, so that checks do not wake a
    suspended database. It is discarded as soon as a request finds the database unavailable.
    """
    state = app_state(request)
    if not state.readiness.is_remembered:
        await state.connection_limiter.run(state.readiness.refresh)
    state.readiness.require()
    return _WELL
