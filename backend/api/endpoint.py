"""The way of every request under /api, from its route to its handler.

An endpoint judges the token's scopes and the query, and waits for the body. Then it takes a connection slot, which also
limits parsing: that takes time which other users could have, and the parsed body is larger. It frees the slot before it
sends the answer, so slow clients hold none. A handler that is `def` runs in a greenlet, and the worker does other work
while it waits for the database. One that is `async def` takes its slots itself: the import before the body is there,
the sign-in before and after it has waited for a hash.

The framework describes each route for the contract, and the endpoint reads from that description what a request has to
bring. The framework itself would find out anew in every request what a dependency is, and how to read its header.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import StreamingResponse
from pydantic_core import PydanticUndefined
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from backend.api.auth.scopes import IN_A_LIST, require_scope, scopes_of
from backend.api.http.idempotency import once_per_key
from backend.api.http.paths import OPEN, ExactRoute
from backend.api.http.query_parameters import QueryParameters
from backend.api.http.request_state import request_state, user_id_of
from backend.api.http.strict_json import parsed
from backend.api.state import app_state, sessions_of
from backend.errors import BadRequest, OutsideList
from backend.models.user import NOBODY
from backend.services.idempotency import IdempotencyService

# What a description may say of an endpoint, and of what it depends on. Anything else is refused when the route is made.
_OF_ALL = {"call", "name", "path", "scope", "use_cache", "request_param_name"}
_OF_ENDPOINT = _OF_ALL | {"dependencies", "path_params", "query_params", "body_params"}
_OF_DEPENDENCY = _OF_ALL | {"header_params"}


class Endpoint(ExactRoute):
    """A route under /api."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        _refuse_others(_OF_ENDPOINT, self.dependant)
        self.app = self._answer
        self.scopes = scopes_of(endpoint.__name__)
        self.is_in_a_list = endpoint.__name__ in IN_A_LIST
        self._dependencies = [_Dependency.of(described) for described in self.dependant.dependencies]
        self._once = next((needed.name for needed in self._dependencies if needed.call is once_per_key), None)
        query: Any = next(iter(self.dependant.query_params), None)
        self._query_name = None if query is None else query.name
        self._query = QueryParameters(None if query is None else query.field_info.annotation)
        self.is_open = path in OPEN
        self._takes_its_slots = iscoroutinefunction(endpoint)
        self._reads_body = self.body_field is not None or self.response_class is StreamingResponse or self.is_open

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        self._let_in(request)
        response = await (self._handle_waiting(request) if self._takes_its_slots else self._handle(request))
        await response(scope, receive, send)

    def _let_in(self, request: Request) -> None:
        """Check the scopes and the query; raises Forbidden if the token does not allow the call, ValidationFailed."""
        noted = request_state(request.scope)
        if not self.is_open:
            require_scope(self.scopes, noted["scopes"])
            if noted["list_id"] is not None and not self.is_in_a_list:
                raise OutsideList
        if request.scope["query_string"]:
            self._query.judge(request)
        state = app_state(request)
        # An unused service is neither purged nor checked for readiness, so that its database can be suspended.
        state.purge_job.is_used = state.readiness.is_used = True

    async def _handle_waiting(self, request: Request) -> Response:
        """Call a handler that takes its slots itself; raises what it does, and BadRequest if the client leaves earlier.

        Requests without a token share what a single user may have in hand.
        """
        if not self._reads_body:  # it reads the body itself, part by part
            answer: Response = await self.endpoint(**self._arguments(request))
            return answer
        body = await _body_of(request)
        state, user_id = app_state(request), request_state(request.scope).get("user_id", NOBODY)
        state.in_hand.claim(user_id)
        try:
            response: Response = await self.endpoint(**self._arguments(request, body))
        finally:
            state.in_hand.give_back(user_id)
        return response

    async def _handle(self, request: Request) -> Response:
        """Call the handler in a connection slot; raises what it does, and BadRequest if the client leaves earlier."""
        body = await _body_of(request) if self._reads_body else b""
        state, user_id = app_state(request), user_id_of(request)
        state.in_hand.claim(user_id)
        try:
            response = await state.connection_limiter.run(self._call, request, body)
        finally:
            state.in_hand.give_back(user_id)
        if request.method != "GET":
            state.feed.wake(user_id)  # this request may have changed something
        return response

    def _call(self, request: Request, body: bytes) -> Response:
        """Call the handler; with a key, in a unit of work that stores the answer, unless there is one already."""
        arguments = self._arguments(request, body)
        if self._once is None or (once := arguments[self._once]).key is None:
            response: Response = self.endpoint(**arguments)
            return response
        answers = IdempotencyService(sessions_of(request), user_id_of(request))
        said = None if self.body_field is None else arguments[self.body_field.name]
        answer: Response = once.answer(answers, said, arguments, self.endpoint)
        return answer

    def _arguments(self, request: Request, body: bytes = b"") -> dict[str, Any]:
        """Return the arguments of the handler.

        Raises the first error of the dependencies, else RequestValidationError for the query, else for path and body.
        """
        is_read = body and self.body_field is not None  # as the framework does, a body that nobody asked for is ignored
        sent = parsed(request.headers, body) if is_read else PydanticUndefined
        arguments: dict[str, Any] = {}
        for dependency in self._dependencies:
            value = dependency.value_for(request)
            if dependency.name is not None:  # else it only checks the request
                arguments[dependency.name] = value
        if self._query_name is not None:
            arguments[self._query_name] = self._query.read(request)
        problems = self._read_path_and_body(request, sent, arguments)
        if problems:
            raise RequestValidationError(problems, body=None if sent is PydanticUndefined else sent)
        if self.dependant.request_param_name is not None:
            arguments[self.dependant.request_param_name] = request
        return arguments

    def _read_path_and_body(self, request: Request, sent: Any, arguments: dict[str, Any]) -> list[dict[str, Any]]:
        """Add what path and body say to the arguments; returns what is wrong with it."""
        problems: list[dict[str, Any]] = []
        for part in self.dependant.path_params:
            place = ("path", part.alias)
            arguments[part.name], wrong = part.validate(request.path_params[part.alias], {}, loc=place)
            problems += wrong
        field = self.body_field
        if field is None:
            return problems
        if sent is not PydanticUndefined:
            arguments[field.name], wrong = field.validate(sent, {}, loc=("body",))
            return problems + wrong
        if field.field_info.is_required():
            return [*problems, {"type": "missing", "loc": ("body",), "msg": "Field required", "input": None}]
        arguments[field.name] = field.default
        return problems


@dataclass(frozen=True, slots=True)
class _Dependency:
    """What a handler gets, or what is checked for it: a function of some headers, and of the request if it takes it."""

    call: Callable[..., Any]
    name: str | None
    headers: tuple[tuple[str, str], ...]
    request: str | None

    @classmethod
    def of(cls, described: Any) -> _Dependency:
        """Read the framework's description; raises TypeError if it asks for more."""
        _refuse_others(_OF_DEPENDENCY, described)
        call = described.call
        if iscoroutinefunction(call) or isgeneratorfunction(call) or isasyncgenfunction(call):
            raise TypeError(f"{call} has to return its value, without waiting")
        headers = tuple((header.name, header.alias) for header in described.header_params)
        return cls(call, described.name, headers, described.request_param_name)

    def value_for(self, request: Request) -> Any:
        """Return the value for a request."""
        arguments: dict[str, Any] = {name: request.headers.getlist(header) for name, header in self.headers}
        if self.request is not None:
            arguments[self.request] = request
        return self.call(**arguments)


def _refuse_others(allowed: set[str], described: Any) -> None:
    """Raise TypeError if a description says more than an endpoint reads."""
    asked = {field.name for field in fields(described) if getattr(described, field.name)}
    if unread := sorted(asked - allowed):
        raise TypeError(f"{described.call} asks for {', '.join(unread)}, which no endpoint reads")


async def _body_of(request: Request) -> bytes:
    """Read the whole body, after which the client can only disconnect; raises BadRequest if it disconnects earlier."""
    try:
        return await request.body()
    except ClientDisconnect:
        raise BadRequest from None
