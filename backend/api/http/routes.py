"""What kind of route a handler has: how strictly it is asked, and whether it waits for the database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Coroutine, Iterable
from functools import cached_property
from typing import Any
from urllib.parse import unquote_plus

from fastapi import Request, Response
from fastapi.responses import StreamingResponse
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect
from starlette.routing import Match
from starlette.types import Scope

from backend.api.auth.scopes import require_scope, scopes_of
from backend.api.http.header_parameters import documented_headers
from backend.api.http.strict_json import StrictRequest
from backend.errors import UNKNOWN_NAME, BadRequest, Detail, NotFound, ValidationFailed
from backend.utils.greenlets import in_greenlet

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class StrictRoute(APIRoute):
    """A route that takes no other spelling of its path, and reads its body strictly.

    Its operation is called like its handler: stable, and what generated clients call their methods.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint, **{**options, "operation_id": endpoint.__name__})
        if headers := documented_headers(self.dependant.dependencies):
            extra = self.openapi_extra or {}
            self.openapi_extra = {**extra, "parameters": [*extra.get("parameters", ()), *headers]}

    def get_route_handler(self) -> Handler:
        """Return the handler of the framework, which is then given a stricter request."""
        handle = super().get_route_handler()
        # The `$` that ends the framework's patterns matches before a last line break, too. A parameter takes it in.
        may_end_in_line_break = self.path.endswith("}")

        async def handle_strictly(request: Request) -> Response:
            if request.scope["path"].endswith("\n") and not may_end_in_line_break:
                raise NotFound
            return await self.pass_on(StrictRequest(request.scope, request.receive), handle)

        return handle_strictly

    async def pass_on(self, request: StrictRequest, handle: Handler) -> Response:
        """Let the framework read the request, and the handler answer it."""
        return await handle(request)


class DatabaseRoute(StrictRoute):
    """A strict route under /api whose handler asks the database.

    Where the handler waits for the database, the worker does something else: it runs in a greenlet.

    It waits for its connection slot when all of the request is there, and is done with it before the answer is sent:
    however slowly somebody sends or reads, no place is held meanwhile. Parameters that it does not know are refused,
    and those that are sent twice: to ignore one would hide a typing error. One that it knows counts as absent when
    nothing follows its equals sign, as forms send what nobody has filled in.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, in_greenlet(endpoint), **options)
        self.scopes = scopes_of(path, self.methods or set())

    async def pass_on(self, request: StrictRequest, handle: Handler) -> Response:
        """Let the request wait for its place; raises what `let_in` does."""
        self.let_in(request)
        if self.body_field is not None or self.response_class is StreamingResponse:
            await _read(request)
        state, user_id = request.app.state, request.state.user_id
        state.in_hand.claim(user_id)
        try:
            async with state.connection_limiter:
                # Not before: it takes time, which is another user's turn, and what comes of it is larger.
                if self.body_field is not None and await request.body() and request.is_json:
                    await request.json()
                response = await handle(request)
        finally:
            state.in_hand.give_back(user_id)
        if request.method != "GET":
            state.feed.wake(user_id)  # streams look for what this request may have changed
        return response

    def let_in(self, request: StrictRequest) -> None:
        """Judge what is known without the body; raises Forbidden when the token is not for this, ValidationFailed."""
        require_scope(self.scopes, request.scope["state"]["scopes"])
        if request.scope["query_string"]:
            self._judge_query(request)
        state = request.app.state
        # What nobody uses is neither purged nor asked whether it is ready, so that its database can be suspended.
        state.purge_job.is_used = state.readiness.is_used = True

    def _judge_query(self, request: Request) -> None:
        """Refuse every parameter where none is known, and those that are sent twice: all but the last would be lost."""
        self._leave_out_empty(request.scope)
        times = Counter(name for name, _ in request.query_params.multi_items())
        if not self.dependant.query_params:
            raise _refusal(times, "extra_forbidden", UNKNOWN_NAME)
        if repeated := [name for name in times if times[name] > 1]:
            raise _refusal(repeated, "repeated", "Send this parameter once")

    def _leave_out_empty(self, scope: Scope) -> None:
        """Take what counts as absent out of the query: whoever reads it later, finds nothing of it."""
        query: bytes = scope["query_string"]
        if b"=&" in query or query.endswith(b"="):
            scope["query_string"] = b"&".join(each for each in query.split(b"&") if not self._is_empty(each))

    def _is_empty(self, parameter: bytes) -> bool:
        name, equals, value = parameter.partition(b"=")
        return equals != b"" and value == b"" and unquote_plus(name.decode("latin-1")) in self._known_parameters

    @cached_property
    def _known_parameters(self) -> frozenset[str]:
        models = (parameter.field_info.annotation for parameter in self.dependant.query_params)
        return frozenset(name for model in models if model is not None for name in model.model_fields)


class FixedRoute(DatabaseRoute):
    """A route whose path another route's pattern fits, too: a method that it does not take is 405 all the same."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Tell whether the path is this one's, whatever the method; the route then answers a wrong one itself."""
        match, child_scope = super().matches(scope)
        return (Match.FULL if match is Match.PARTIAL else match), child_scope


class UnlimitedRoute(FixedRoute):
    """A fixed route whose handler reads the body as it comes, and takes connection slots itself, as it needs them."""

    async def pass_on(self, request: StrictRequest, handle: Handler) -> Response:
        """Let the handler begin before the body is there; raises what `let_in` does."""
        self.let_in(request)
        return await handle(request)


async def _read(request: StrictRequest) -> None:
    """Read all of the body: from then on, the client can only leave. Raises BadRequest if it leaves before."""
    try:
        await request.body()
    except ClientDisconnect:
        raise BadRequest from None


def _refusal(names: Iterable[str], code: str, message: str) -> ValidationFailed:
    return ValidationFailed(details=tuple(Detail(f"query.{name}", code, message) for name in names))
