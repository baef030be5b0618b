"""create_app: builds the application from its settings. Importing this module does nothing."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager, nullcontext
from dataclasses import replace
from threading import Lock
from typing import Any

import anyio
from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig
from starlette.middleware import Middleware

from backend import __version__
from backend.api.auth.authenticator import Authenticator
from backend.api.auth.sign_in import SignIn
from backend.api.background.purge_job import FIRST_PURGE_SECONDS, PURGE_SECONDS, PurgeJob
from backend.api.http.error_handlers import add_error_handlers
from backend.api.middleware.authentication import Authentication
from backend.api.middleware.cors import CORS
from backend.api.middleware.error_boundary import ErrorBoundary
from backend.api.middleware.head import HeadAsGet
from backend.api.middleware.limits import BodyLimit, HeadLimits
from backend.api.middleware.request_context import RequestContext, route_finder
from backend.api.middleware.trailing_slash import TrailingSlash
from backend.api.openapi.document import DESCRIPTION, SERVERS, completed, tags_of
from backend.api.openapi.example_page import add_example_page
from backend.api.openapi.operations import EXPOSED_HEADERS
from backend.api.openapi.pages import add_contract, add_docs
from backend.api.openapi.start_page import start_page
from backend.api.openapi.user_guide import add_guide
from backend.api.routers import (
    access_tokens,
    account,
    activity,
    changes,
    health,
    labels,
    lists,
    sign_in,
    task_batch,
    task_export,
    task_import,
    tasks,
    undo,
)
from backend.api.routers.router import Router
from backend.api.state import AppState, ConnectionState
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
from backend.identity.from_settings import sign_in_secrets_of, verifier_of
from backend.identity.invitations import Invitations
from backend.identity.own_issuer import OwnIssuer
from backend.identity.passwords import Passwords
from backend.identity.refresh_token import RefreshTokens
from backend.rate_limits.counter import RateLimiter, RateLimits, SharedRateLimiter
from backend.rate_limits.sign_in_failures import SignInFailures
from backend.rate_limits.store import RateLimitService
from backend.rate_limits.sync import SYNC_SECONDS, RateLimitSync
from backend.services.health.readiness import Readiness
from backend.services.purge import PurgeService
from backend.telemetry.tracing import exported_signals, exporting
from backend.utils.background import in_background
from backend.utils.shares import Shares

COMPUTING_THREADS = 2  # for exports and imports; the event loop waits while they compute
_ROUTERS = (
    tasks.router,
    task_batch.router,
    task_export.router,
    task_import.router,
    labels.router,
    lists.router,
    changes.router,
    activity.router,
    activity.of_task,
    undo.router,
    undo.of_task,
    account.router,
    access_tokens.router,
    sign_in.router,
    sign_in.password_router,
    health.router,
)
# Listed directly: a router included in another would match each route twice.
ROUTES = [route for router in _ROUTERS for route in router.routes]
_OF_RESOURCES = (router.resource for router in _ROUTERS if isinstance(router, Router))
DOCUMENTED = [*dict.fromkeys(resource for resource in _OF_RESOURCES if resource)]  # several routers may share one
_ONE_AT_A_TIME = Lock()  # the framework cannot build two contracts at once: they share caches


class TaskAPI(FastAPI):
    """The application: the framework's, with a typed state and a complete contract."""

    state: AppState  # type: ignore[assignment]  # the framework's own state may hold anything

    def openapi(self) -> dict[str, Any]:
        """Return the contract, building it on the first call."""
        with _ONE_AT_A_TIME:
            return completed(super().openapi(), DOCUMENTED)


def create_app(settings: Settings) -> TaskAPI:
    """Build the application, without connecting yet; raises ConfigurationError without a database or a key."""
    state = _state(settings)
    app = TaskAPI(
        title="Task API",
        version=__version__,
        description=DESCRIPTION,
        openapi_tags=tags_of(DOCUMENTED),
        servers=SERVERS,
        lifespan=_lifespan,
        openapi_url=None,  # the built-in route writes the contract anew for each request
        docs_url=None,  # the built-in page loads its assets from the internet
        redoc_url=None,
        redirect_slashes=False,
        routes=ROUTES,
        middleware=_middleware(settings, state),
        telemetry=_telemetry(),
    )
    app.state = state
    add_error_handlers(app)
    add_contract(app)
    add_docs(app)
    add_guide(app)
    if settings.examples:
        add_example_page(app, settings.examples)
    app.add_middleware(RequestContext, route_of=route_finder(app.routes))
    app.add_middleware(TrailingSlash)  # outermost
    return app


def _state(settings: Settings) -> AppState:
    if settings.database_url is None:
        raise ConfigurationError("DATABASE_URL: not set")
    engine = Engine(
        settings.database_url.get_secret_value(),
        pool_size=settings.database_pool_size,
        timeout_seconds=settings.request_timeout_seconds,
        slow_seconds=settings.slow_statement_seconds,
    )
    sessions = SessionFactory(engine)
    quiet = replace(sessions, log_level=logging.DEBUG)
    limiter = ConnectionLimiter(settings.database_pool_size, settings.request_timeout_seconds)
    own = _sign_in(settings, sessions, limiter)
    verifier = verifier_of(settings, own.issuer if own else None)
    authenticator = Authenticator(verifier, sessions, limiter)
    feed = Feed(quiet, limiter, authenticator)
    computing = anyio.CapacityLimiter(COMPUTING_THREADS)
    return AppState(
        sessions=sessions,
        quiet_sessions=quiet,
        connection_limiter=limiter,
        authenticator=authenticator,
        sign_in=own,
        rate_limits=_rate_limits(settings),
        in_hand=Shares(settings.max_concurrent_requests),
        feed=feed,
        exports=Exports(limiter, authenticator, computing),
        imports=Imports(limiter, authenticator, computing, feed),
        readiness=Readiness(sessions, frozenset(migrations.known())),
        purge_job=PurgeJob(PurgeService(quiet), limiter, FIRST_PURGE_SECONDS, PURGE_SECONDS),
        max_tasks=settings.max_tasks_per_user,
        require_if_match=settings.require_if_match,
        start_page=start_page(has_example=settings.examples is not None),
    )


def _sign_in(settings: Settings, sessions: SessionFactory, limiter: ConnectionLimiter) -> SignIn | None:
    """Return our own sign-in, None if it is off; raises ConfigurationError without a good secret."""
    secrets = sign_in_secrets_of(settings)
    if secrets is None:
        return None
    rate = Rate.parse(settings.sign_up_rate)
    return SignIn(
        sessions=sessions,
        connection_limiter=limiter,
        issuer=OwnIssuer(secrets),
        refresh_tokens=RefreshTokens(secrets),
        invitations=Invitations(secrets),
        passwords=Passwords(),
        failures=SignInFailures(),
        registrations=RateLimiter("sign-up", rate) if settings.rate_limit_enabled else None,
        is_open=settings.sign_up,
        least_length=settings.least_password_length,
    )


@asynccontextmanager
async def _lifespan(app: TaskAPI) -> AsyncIterator[ConnectionState]:
    """Do the background work while the application runs."""
    state, engine = app.state, app.state.sessions.engine
    with ExitStack() as at_the_end:
        if at_the_end.enter_context(exporting(__version__)):
            gauge_pool(engine, lambda: state.connection_limiter.waiting)
        at_the_end.callback(engine.dispose)
        async with _syncing(state), in_background(state.purge_job.run):
            yield {"connection_limiter": state.connection_limiter}


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


def _syncing(state: AppState) -> AbstractAsyncContextManager[None]:
    """Return a context manager that shares rate-limit counts of users with other workers."""
    if state.rate_limits is None:
        return nullcontext()
    service = RateLimitService(state.quiet_sessions)
    return in_background(RateLimitSync(state.rate_limits.users, service, state.connection_limiter, SYNC_SECONDS).run)


def _middleware(settings: Settings, state: AppState) -> list[Middleware]:
    """Return the layers inside RequestContext, outermost first: each layer's answers pass through those before it."""
    return [
        Middleware(
            CORS,
            origins=settings.cors_origins,
            origin_pattern=settings.origin_pattern,
            exposed_headers=EXPOSED_HEADERS,
        ),
        Middleware(ErrorBoundary),
        Middleware(
            Authentication,
            authenticator=state.authenticator,
            limits=state.rate_limits,
            # The pages are many files: in development, whoever reads and tries them should not have to wait.
            uncounted=("/health/", "/app/", "/docs/") if settings.examples else ("/health/",),
        ),
        Middleware(HeadLimits),
        Middleware(
            BodyLimit,
            max_bytes=settings.max_body_bytes,
            max_import_bytes=settings.max_import_bytes,
            timeout_seconds=settings.client_timeout_seconds,
        ),
        Middleware(HeadAsGet),
    ]
