"""create_app: builds the application from its settings. Importing this module does nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio.to_thread
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.middleware import Middleware

from backend import __version__
from backend.api.docs import add_docs
from backend.api.handlers import add_error_handlers
from backend.api.middleware import Authentication, BodyLimit, CrossOrigin, ErrorBoundary, HeadAsGet, RequestContext
from backend.api.routers import account, health, tasks
from backend.config import Settings
from backend.database import migrations
from backend.database.engine import build_engine
from backend.database.session import SessionFactory
from backend.errors import ConfigurationError
from backend.services.readiness import Readiness
from backend.utils.auth import Verifier, verifier_from_jwks, verifier_from_secret

EXPOSED_HEADERS = ("ETag", "Location", "Retry-After", "WWW-Authenticate", "X-Request-Id")
PREFLIGHT_SECONDS = 7200

_DESCRIPTION = """
Every user's own tasks, kept apart. Press **Authorize** and paste a bearer token; then *Try it out* works everywhere.

Success is `{"data": …}`, a list adds `page`, and every error is `{"error": {code, message, request_id, details}}`.
Branch on `code`, show `message`, and quote `request_id` when you ask for help. Unknown fields and parameters
of `/api` are refused rather than ignored. Times are UTC.
"""


def create_app(settings: Settings) -> FastAPI:
    """Build the application; connects to nothing yet. Raises ConfigurationError without a database or a key."""
    if settings.database_url is None:
        raise ConfigurationError("DATABASE_URL: not set")
    engine = build_engine(
        settings.database_url.get_secret_value(),
        pool_size=settings.database_pool_size,
        timeout_seconds=settings.request_timeout_seconds,
    )
    verifier = _verifier(settings)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        # As many handler threads as connections: requests wait for a thread, which costs nothing, and a thread that
        # runs always finds a connection.
        anyio.to_thread.current_default_thread_limiter().total_tokens = settings.database_pool_size
        yield
        engine.dispose()

    app = FastAPI(
        title="Task API",
        version=__version__,
        description=_DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,  # the built-in page loads its assets from the internet
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=_operation_id,
        middleware=_middleware(settings, verifier),
    )
    app.state.sessions = SessionFactory(engine)
    app.state.readiness = Readiness(app.state.sessions, frozenset(migrations.known()))
    add_error_handlers(app)
    add_docs(app)
    for router in (tasks.router, account.router, health.router):
        app.include_router(router)
    return app


def _verifier(settings: Settings) -> Verifier:
    if settings.jwt_jwks_url:
        return verifier_from_jwks(settings.jwt_jwks_url, issuer=settings.jwt_issuer, audiences=settings.jwt_audience)
    if settings.jwt_secret:
        return verifier_from_secret(
            settings.jwt_secret.get_secret_value(), issuer=settings.jwt_issuer, audiences=settings.jwt_audience
        )
    raise ConfigurationError("JWT_SECRET: not set")


def _middleware(settings: Settings, verifier: Verifier) -> list[Middleware]:
    """Order what every request passes, outermost first: each layer's answers pass those above it."""
    return [
        Middleware(RequestContext),
        Middleware(
            CrossOrigin,
            allow_origins=settings.cors_origins,
            allow_credentials=True,
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"],
            allow_headers=["*"],
            expose_headers=EXPOSED_HEADERS,
            max_age=PREFLIGHT_SECONDS,
        ),
        Middleware(ErrorBoundary),
        Middleware(Authentication, verifier=verifier),
        Middleware(BodyLimit, max_bytes=settings.max_body_bytes),
        Middleware(HeadAsGet),
    ]


def _operation_id(route: APIRoute) -> str:
    """Name operations after their handlers: stable, and what generated clients call their methods."""
    return route.name
