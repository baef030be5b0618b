"""What a personal access token may be used for: of each route, the scopes one of which it takes."""

from __future__ import annotations

from backend.errors import Forbidden
from backend.models.access_token import Scope

_TASKS = ("/api/tasks", "/api/changes")
_ACCOUNT = "/api/me"


def scopes_of(path: str, methods: set[str]) -> frozenset[str]:
    """Return the scopes that allow a call, one of them being enough; none where only the sign-in's token will do.

    A call that is not named here is one of these: a new one has to be let in.
    """
    if path.startswith(_TASKS):
        return frozenset({Scope.READ if methods == {"GET"} else Scope.WRITE})
    if (path, methods) == (_ACCOUNT, {"GET"}):
        return frozenset(Scope)
    return frozenset()


def require_scope(allowing: frozenset[str], given: frozenset[str] | None) -> None:
    """Raise Forbidden unless the caller's scopes hold one that allows the call; None holds all that there is."""
    if given is not None and not given & allowing:
        raise Forbidden(next(iter(allowing), None))
