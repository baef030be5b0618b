"""What personal access tokens may call: by their scopes, and if they are limited to one list."""

from __future__ import annotations

from backend.errors import Forbidden
from backend.models.access_token import Scope

_TASKS = ("/api/tasks", "/api/labels", "/api/lists", "/api/changes")
_IN_A_LIST = ("/api/tasks", "/api/changes")
_LISTS = "/api/lists"
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


def is_in_a_list(path: str, methods: set[str]) -> bool:
    """Return whether a token that is limited to one list may make a call: one about tasks, or that reads lists.

    Its statements and row-level security then keep it within its list. As with scopes, a new route is not among them.
    """
    return path.startswith(_IN_A_LIST) or (path.startswith(_LISTS) and methods == {"GET"})


def require_scope(allowing: frozenset[str], given: frozenset[str] | None) -> None:
    """Raise Forbidden unless the given scopes include one that allows the call; None stands for all scopes."""
    if given is not None and not given & allowing:
        raise Forbidden(next(iter(allowing), None))
