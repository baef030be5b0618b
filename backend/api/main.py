"""create_app: builds the application from its settings. Importing this module does nothing."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager, nullcontext
from dataclasses import replace
from typing import Any

import anyio
import anyio.to_thread
from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig
from starlette.middleware import Middleware

from backend import __version__
from backend.api.auth.authenticator import Authenticator
from backend.api.background.purge_job import FIRST_PURGE_SECONDS, PURGE_SECONDS, PurgeJob
from backend.api.http.error_handlers import add_error_handlers
from backend.api.middleware.authentication import Authentication
from backend.api.middleware.cors import CORS
from backend.api.middleware.error_boundary import ErrorBoundary
from backend.api.middleware.head import HeadAsGet
from backend.api.middleware.limits import BodyLimit, HeadLimits
from backend.api.middleware.request_context import RequestContext, route_finder
from backend.api.openapi.document import DocumentedApp
from backend.api.openapi.pages import add_docs
from backend.api.routers import access_tokens, account, changes, health, task_batch, task_export, task_import, tasks
from backend.api.streams.changes import Feed
from backend.api.streams.download import Exports
from backend.api.streams.upload import Imports
from backend.config import Rate, Settings
from backend.database.connection_limiter import ConnectionLimiter
from backend.database.engine import Engine
from backend.database.instrumentation import gauge_pool
from backend.database.migrations import runner as migrations
from backend.database.session import SessionFactory
from backend.errors import ConfigurationError
from backend.identity.from_settings import verifier_of
from backend.rate_limits.counter import RateLimiter, RateLimits, SharedRateLimiter
from backend.rate_limits.store import RateLimitService
from backend.rate_limits.sync import SYNC_SECONDS, RateLimitSync
from backend.services.health.readiness import Readiness
from backend.services.purge import PurgeService
from backend.telemetry.tracing import exported_signals, exporting
from backend.utils.background import in_background
from backend.utils.shares import Shares

EXPOSED_HEADERS = (
    "Content-Disposition",
    "ETag",
    "Idempotency-Replayed",
    "Link",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "WWW-Authenticate",
    "X-Request-Id",
)
PREFLIGHT_SECONDS = 7200
OTHER_THREADS = 40
COMPUTING_THREADS = 2  # for exports and imports; the event loop waits while they compute
# Listed directly: a router included in another would match each route twice.
_ROUTES = [
    route
    for router in (
        task_batch.router,
        task_export.router,
        task_import.router,
        tasks.router,
        changes.router,
        account.router,
        access_tokens.router,
        health.router,
    )
    for route in router.routes
]

_DESCRIPTION = """
Each user's own tasks, isolated from other users. On [/docs](/docs), press **Authorize** and paste a bearer token to
try each operation. [/redoc](/redoc) is for reading.

Success is `{"data": …}`, a list adds `page`, and every error is `{"error": {code, message, request_id, details}}`.
Branch on `code`, show `message`, and quote `request_id` when you ask for help;
`specs/errors.md` of the project lists every code. Unknown fields and parameters
of `/api` are rejected, not ignored. Times are UTC.

In addition to the errors each operation lists, a request that is too slow or too large is answered 408, 413, 414 or
431.
"""


def create_app(settings: Settings) -> FastAPI:
    """Build the application, without connecting yet; raises ConfigurationError without a database or a key."""
    if settings.database_url is None:
        raise ConfigurationError("DATABASE_URL: not set")
    engine = Engine(
        settings.database_url.get_secret_value(),
        pool_size=settings.database_pool_size,
        timeout_seconds=settings.request_timeout_seconds,
        slow_seconds=settings.slow_statement_seconds,
    )
    sessions = SessionFactory(engine)
    connection_limiter = ConnectionLimiter(settings.database_pool_size, settings.request_timeout_seconds)
    authenticator = Authenticator(verifier_of(settings), sessions, connection_limiter)
    limits = _rate_limits(settings)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[dict[str, Any]]:
        # Work that has passed the connection limiter must never wait for a thread, whatever other threads do.
        threads = anyio.to_thread.current_default_thread_limiter()
        threads.total_tokens = settings.database_pool_size + OTHER_THREADS
        with ExitStack() as at_the_end:
            if at_the_end.enter_context(exporting(__version__)):
                gauge_pool(engine, lambda: app.state.connection_limiter.waiting)
            at_the_end.callback(engine.dispose)
            async with _syncing(app, limits), in_background(app.state.purge_job.run):
                yield {"connection_limiter": connection_limiter}  # to each connection

    app = DocumentedApp(
        title="Task API",
        version=__version__,
        description=_DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,  # the built-in page loads its assets from the internet
        redoc_url=None,
        redirect_slashes=False,
        routes=_ROUTES,
        middleware=_middleware(settings, authenticator, limits),
        telemetry=_telemetry(),
    )
    _equip(app, settings, sessions, connection_limiter, authenticator)
    add_error_handlers(app)
    add_docs(app)
    app.add_middleware(RequestContext, route_of=route_finder(app.routes))  # outermost
    return app


def _equip(
    app: FastAPI,
    settings: Settings,
    sessions: SessionFactory,
    connection_limiter: ConnectionLimiter,
    authenticator: Authenticator,
) -> None:
    """Add to the app's state the objects that dependencies and background work need."""
    app.state.sessions = sessions
    app.state.max_tasks = settings.max_tasks_per_user
    app.state.require_if_match = settings.require_if_match
    app.state.in_hand = Shares(settings.max_concurrent_requests)
    app.state.connection_limiter = connection_limiter
    app.state.authenticator = authenticator
    app.state.feed = Feed(_quiet(sessions), connection_limiter, authenticator)
    computing = anyio.CapacityLimiter(COMPUTING_THREADS)
    app.state.exports = Exports(sessions, connection_limiter, computing)
    app.state.imports = Imports(connection_limiter, computing, app.state.feed)
    app.state.readiness = Readiness(sessions, frozenset(migrations.known()))
    app.state.purge_job = PurgeJob(
        PurgeService(_quiet(sessions)), connection_limiter, FIRST_PURGE_SECONDS, PURGE_SECONDS
    )


def _telemetry() -> TelemetryConfig:
    """Return the framework's telemetry settings: export a span and a duration for each request.

    No request contents, and no spans for the framework's internal steps.
    """
    signals = exported_signals()
    return {
        "tracing": "TRACES" in signals,
        "metrics": "METRICS" in signals,
        "logs": False,
        "operation_spans": False,
        "auto_configure": False,
    }


def _rate_limits(settings: Settings) -> RateLimits | None:
    if not settings.rate_limit_enabled:
        return None
    return RateLimits(
        users=SharedRateLimiter("user", Rate.parse(settings.rate_limit)),
        addresses=RateLimiter("address", Rate.parse(settings.rate_limit_anonymous)),
    )


def _syncing(app: FastAPI, limits: RateLimits | None) -> AbstractAsyncContextManager[None]:
    """Return a context manager that shares rate-limit counts of users with other workers."""
    if limits is None:
        return nullcontext()
    service = RateLimitService(_quiet(app.state.sessions))
    return in_background(RateLimitSync(limits.users, service, app.state.connection_limiter, SYNC_SECONDS).run)


def _quiet(sessions: SessionFactory) -> SessionFactory:
    """Return sessions that log little: background work itself logs, only once, that the database is unavailable."""
    return replace(sessions, log_level=logging.DEBUG)


def _middleware(settings: Settings, authenticator: Authenticator, limits: RateLimits | None) -> list[Middleware]:
    """Return the layers inside RequestContext, outermost first: each layer's answers pass through those before it."""
    return [
        Middleware(
            CORS,
            allow_origins=settings.cors_origins,
            allow_credentials=True,
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"],
            allow_headers=["*"],
            expose_headers=EXPOSED_HEADERS,
            max_age=PREFLIGHT_SECONDS,
        ),
        Middleware(ErrorBoundary),
        Middleware(Authentication, authenticator=authenticator, limits=limits),
        Middleware(HeadLimits),
        Middleware(
            BodyLimit,
            max_bytes=settings.max_body_bytes,
            max_import_bytes=settings.max_import_bytes,
            timeout_seconds=settings.client_timeout_seconds,
        ),
        Middleware(HeadAsGet),
    ]
