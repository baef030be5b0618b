"""The router of the resources. It documents the answers that follow from a handler's signature."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, get_type_hints

from fastapi import APIRouter
from fastapi.params import Body

from backend.api.auth.scopes import scopes_of
from backend.api.deps import IfMatch, IfNoneMatch, Once, OnlyNew
from backend.api.endpoint import Endpoint
from backend.api.http.idempotency import malformed_key
from backend.api.http.preconditions import malformed
from backend.api.openapi.answers import ErrorAnswer
from backend.api.openapi.operations import (
    ALWAYS,
    ANYWHERE,
    UNKNOWN_PARAMETER,
    WITH_BODY,
    Responses,
    errors,
    named,
    showing,
)
from backend.api.openapi.resources import Documented
from backend.errors import Forbidden, PreconditionRequired, TaskAPIError, Unauthorized

_CREATED = 201
_GOOD = range(200, 300)


class Router(APIRouter):
    """A router. Its handlers document only what is their own, like a conflict or the example of a bad field."""

    def __init__(self, prefix: str, tag: str, resource: Documented | None = None) -> None:
        super().__init__(prefix=prefix, tags=[tag], route_class=Endpoint)
        self.resource = resource

    def add_api_route(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        """Add a route, with its own answers and those that follow from its signature."""
        own: Responses = options.pop("responses") or {}
        needs = [*get_type_hints(endpoint, include_extras=True).values()]
        responses = self._refusals(path, endpoint, needs, own) | own | _successes(needs, own)
        super().add_api_route(path, endpoint, responses=responses, **options)

    def _judges_token(self, handler: Callable[..., Any]) -> tuple[type[TaskAPIError] | TaskAPIError, ...]:
        """Return the errors that follow from the token."""
        allowing = scopes_of(handler.__name__)
        return Unauthorized, Forbidden(*allowing) if len(allowing) == 1 else Forbidden

    def _refusals(self, path: str, handler: Callable[..., Any], needs: Sequence[Any], own: Responses) -> Responses:
        """Return the answers, other than a success, that follow from what a handler needs."""
        found = ANYWHERE | errors(*self._judges_token(handler), UNKNOWN_PARAMETER)
        if _body_of(needs):
            found |= WITH_BODY
        if Once in needs:
            found |= errors(malformed_key())
        if IfNoneMatch in needs:
            tag = {"ETag": own[200]["headers"]["ETag"]}
            found |= errors(malformed("If-None-Match"))
            found |= {304: {"description": "Your copy is up to date", "headers": ALWAYS | tag}}
        if self.resource is None:
            return found
        if IfMatch in needs:
            found |= errors(malformed("If-Match"), PreconditionRequired)
        if IfMatch in needs or OnlyNew in needs:
            found |= self.resource.has_changed
        if "{" in path and _CREATED not in own:  # else the call makes what it does not find
            found |= self.resource.is_missing
        return found


class OpenRouter(Router):
    """A router of calls that need no token."""

    def _refusals(self, path: str, handler: Callable[..., Any], needs: Sequence[Any], own: Responses) -> Responses:
        """Return none if a handler has documented another form of errors."""
        is_ours = all(answer.get("model") is ErrorAnswer for status, answer in own.items() if status not in _GOOD)
        return super()._refusals(path, handler, needs, own) if is_ours else {}

    def _judges_token(self, _handler: Callable[..., Any]) -> tuple[type[TaskAPIError] | TaskAPIError, ...]:
        return ()


def _successes(needs: Sequence[Any], own: Responses) -> Responses:
    """Return the successes with the headers that follow. Their examples show what the first body sets."""
    names = ["Location"] if _CREATED in own and "ETag" in own[_CREATED]["headers"] else []
    if Once in needs:
        names.append("Idempotency-Replayed")
    good = {status: answer for status, answer in own.items() if status in _GOOD}
    complete = {status: answer | {"headers": answer["headers"] | named(*names)} for status, answer in good.items()}
    body = _body_of(needs)
    return showing(complete, _first_example(body)) if body else complete


def _body_of(needs: Sequence[Any]) -> Body | None:
    """Return the body that a handler needs."""
    return next((part for need in needs for part in getattr(need, "__metadata__", ()) if isinstance(part, Body)), None)


def _first_example(body: Body) -> dict[str, Any]:
    """Return the first of the examples of a body."""
    first = next(iter((body.openapi_examples or {}).values()))
    return dict(first["value"] or {})
