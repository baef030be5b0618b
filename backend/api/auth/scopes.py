"""The scopes of personal access tokens that each route accepts."""

from __future__ import annotations

from backend.errors import Forbidden
from backend.models.access_token import Scope

_TASKS = ("/api/tasks", "/api/labels", "/api/lists", "/api/changes")
_ACCOUNT = "/api/me"


def scopes_of(path: str, methods: set[str]) -> frozenset[str]:
    """Return the scopes that allow a call, any one of which is enough; none if only a session JWT may make it.

    That is the default: a new route must be added here before personal access tokens can call it.
    """
    if path.startswith(_TASKS):
        return frozenset({Scope.READ if methods == {"GET"} else Scope.WRITE})
    if (path, methods) == (_ACCOUNT, {"GET"}):
        return frozenset(Scope)
    return frozenset()


def require_scope(allowing: frozenset[str], given: frozenset[str] | None) -> None:
    """Raise Forbidden unless the given scopes include one that allows the call; None stands for all scopes."""
    if given is not None and not given & allowing:
        raise Forbidden(next(iter(allowing), None))
