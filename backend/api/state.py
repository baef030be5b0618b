"""What the requests of one application share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

from starlette.requests import HTTPConnection
from starlette.responses import Response

from backend.api.auth.authenticator import Authenticator
from backend.api.auth.sign_in import SignIn
from backend.api.background.purge_job import PurgeJob
from backend.api.http.request_state import request_state
from backend.api.streams.changes import Feed
from backend.api.streams.download import Exports
from backend.api.streams.upload import Imports
from backend.database.connection_limiter import ConnectionLimiter
from backend.database.session import Origin, SessionFactory
from backend.rate_limits.counter import RateLimits
from backend.services.health.readiness import Readiness
from backend.utils.shares import Shares


@dataclass(frozen=True, slots=True)
class AppState:
    """The objects that `create_app` makes, once."""

    sessions: SessionFactory
    quiet_sessions: SessionFactory  # for background work, which logs once that the database is away
    connection_limiter: ConnectionLimiter
    authenticator: Authenticator
    sign_in: SignIn | None  # None: it is off
    rate_limits: RateLimits | None  # None: requests are not limited
    in_hand: Shares  # requests, by user
    feed: Feed
    exports: Exports
    imports: Imports
    readiness: Readiness
    purge_job: PurgeJob
    max_tasks: int  # of one user
    require_if_match: bool
    start_page: Response


class ConnectionState(TypedDict):
    """The objects that the server hands to each of its connections."""

    connection_limiter: ConnectionLimiter


def sessions_of(request: HTTPConnection) -> SessionFactory:
    """Return the sessions that see what the token allows: all that the user has, or one list."""
    state = request_state(request.scope)
    origin = Origin(state["actor"], "api", state["request_id"])
    return app_state(request).sessions.made_by(origin).limited_to(state["list_id"])


def app_state(request: HTTPConnection) -> AppState:
    """Return what this request shares with others."""
    state: AppState = request.app.state
    return state
