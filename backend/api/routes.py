"""The kinds of routes: how strictly they check requests, and whether they wait for the database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import replace
from functools import cached_property, partial, update_wrapper
from inspect import iscoroutinefunction
from typing import Any
from urllib.parse import parse_qsl, unquote_plus, urlencode

from fastapi import Request, Response
from fastapi._compat import ModelField
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_dependant
from fastapi.exceptions import RequestValidationError
from fastapi.responses import StreamingResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from sqlalchemy.util.concurrency import greenlet_spawn
from starlette.convertors import StringConvertor, register_url_convertor
from starlette.requests import ClientDisconnect
from starlette.routing import request_response
from starlette.types import Scope

from backend.api.auth.scopes import IN_A_LIST, require_scope, scopes_of
from backend.api.http.direct_handler import Handler, direct_handler
from backend.api.http.request_state import request_state, user_id_of
from backend.api.http.strict_json import StrictRequest
from backend.api.state import app_state
from backend.errors import NO_PARAMETERS, BadRequest, Detail, NotFound, OutsideList, ValidationFailed
from backend.models.base import COMMA_SEPARATED


class IdConvertor(StringConvertor):
    """What `{task_id:id}` stands for in a path: anything but the end of a fixed path, like /api/tasks/batch."""

    regex = "(?!(?:batch|export|import)$)[^/]+"


class LabelConvertor(StringConvertor):
    """What `{name:label}` stands for in a path: all of its rest, because a label may contain slashes."""

    regex = "(?s:.+)"


register_url_convertor("id", IdConvertor())
register_url_convertor("label", LabelConvertor())


class StrictRoute(APIRoute):
    """A route that accepts only the exact spelling of its path, and reads its body strictly.

    Its operation id is the handler's name: it is stable, and generated clients name their methods after it.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint, **{**options, "operation_id": endpoint.__name__})

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler, called with a stricter request."""
        handle = self.handler()
        # The `$` in the framework's patterns also matches before a final line break, unless a parameter includes it.
        may_end_in_line_break = self.path.endswith("}")

        async def handle_strictly(request: Request) -> Response:
            if request.scope["path"].endswith("\n") and not may_end_in_line_break:
                raise NotFound
            return await self.pass_on(StrictRequest(request.scope, request.receive), handle)

        return handle_strictly

    def handler(self) -> Handler:
        """Return the framework's handler."""
        return super().get_route_handler()

    async def pass_on(self, request: StrictRequest, handle: Handler) -> Response:
        """Let the handler parse the request and call the endpoint."""
        return await handle(request)


class DatabaseRoute(StrictRoute):
    """A strict route under /api whose handler uses the database.

    A handler that is `def` runs in a greenlet, so the worker does other work while it waits for the database.

    The route takes a connection slot once the whole request has arrived, and frees it before it sends the answer, so
    slow clients hold no slot. Unknown and repeated parameters are refused, because ignoring them would hide typing
    errors. A known parameter with an empty value counts as absent, because forms send empty fields that way.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, _in_greenlet(endpoint), **options)
        if self._is_direct:  # then there is nothing for the framework to close after a request
            self.app = request_response(self.get_route_handler())
        self.scopes = scopes_of(endpoint.__name__)
        self.is_in_a_list = endpoint.__name__ in IN_A_LIST

    def handler(self) -> Handler:
        """Return the handler, which also reads the model of the parameters at once.

        The framework would read each parameter by itself, which takes eight times as long: it only documents them.
        """
        readers = [_reader(parameter, self.path) for parameter in self.dependant.query_params]
        dependencies = [*self.dependant.dependencies, *readers]
        documented = self.dependant
        self.dependant = replace(documented, query_params=[], dependencies=dependencies)
        try:
            direct = direct_handler(self.dependant)
            self._is_direct = direct is not None
            if not self._is_direct and self.body_field is not None:
                raise TypeError(f"{self.path}: the framework would answer a malformed body with an error of the server")
            return direct or super().handler()
        finally:
            self.dependant = documented

    async def pass_on(self, request: StrictRequest, handle: Handler) -> Response:
        """Handle the request in a connection slot; raises what `let_in` does."""
        self.let_in(request)
        if self.body_field is not None or self.response_class is StreamingResponse:
            await _read(request)
        state, user_id = app_state(request), user_id_of(request)
        state.in_hand.claim(user_id)
        try:
            async with state.connection_limiter:
                # The handler parses only now: it takes time that other users could have, and the parsed body is larger.
                response = await handle(request)
        finally:
            state.in_hand.give_back(user_id)
        if request.method != "GET":
            state.feed.wake(user_id)  # this request may have changed something
        return response

    def let_in(self, request: StrictRequest) -> None:
        """Check the scopes and the query; raises Forbidden if the token does not allow the call, ValidationFailed."""
        require_scope(self.scopes, request_state(request.scope)["scopes"])
        if request_state(request.scope)["list_id"] is not None and not self.is_in_a_list:
            raise OutsideList
        if request.scope["query_string"]:
            self._judge_query(request)
        state = app_state(request)
        # An unused service is neither purged nor checked for readiness, so that its database can be suspended.
        state.purge_job.is_used = state.readiness.is_used = True

    def _judge_query(self, request: Request) -> None:
        """Refuse all parameters if none is known, and repeated ones, because all but the last would be lost."""
        self._leave_out_empty(request.scope)
        self._join_words(request.scope)
        times = Counter(name for name, _ in request.query_params.multi_items())
        if not self.dependant.query_params:
            raise _refusal(times, "extra_forbidden", NO_PARAMETERS)
        if repeated := [name for name in times if times[name] > 1]:
            raise _refusal(repeated, "repeated", "Send this parameter once")

    def _leave_out_empty(self, scope: Scope) -> None:
        """Remove parameters that count as absent from the query, so that nobody reads them later."""
        query: bytes = scope["query_string"]
        if b"=&" in query or query.endswith(b"="):
            scope["query_string"] = b"&".join(each for each in query.split(b"&") if not self._is_empty(each))

    def _join_words(self, scope: Scope) -> None:
        """Write a parameter that lists words once, if a program has repeated it: many do so with every array."""
        query = scope["query_string"].decode("latin-1")
        if any(query.count(f"{name}=") > 1 for name in self._word_parameters):
            pairs = parse_qsl(query, keep_blank_values=True)
            words = {name: [value for said, value in pairs if said == name] for name in self._word_parameters}
            joined = [(name, ",".join(said)) for name, said in words.items() if said]
            scope["query_string"] = urlencode([pair for pair in pairs if pair[0] not in words] + joined).encode()

    def _is_empty(self, parameter: bytes) -> bool:
        name, equals, value = parameter.partition(b"=")
        return equals != b"" and value == b"" and unquote_plus(name.decode("latin-1")) in self._parameters

    @cached_property
    def _parameters(self) -> dict[str, FieldInfo]:
        models = (parameter.field_info.annotation for parameter in self.dependant.query_params)
        return {name: field for model in models if model is not None for name, field in model.model_fields.items()}

    @cached_property
    def _word_parameters(self) -> list[str]:
        return [name for name, field in self._parameters.items() if COMMA_SEPARATED in field.metadata]


class UnlimitedRoute(DatabaseRoute):
    """A route whose handler reads the body as it arrives, and takes connection slots itself when needed."""

    async def pass_on(self, request: StrictRequest, handle: Handler) -> Response:
        """Call the handler before the body has arrived; raises what `let_in` does."""
        self.let_in(request)
        return await handle(request)


def _reader(parameter: ModelField, path: str) -> Dependant:
    """Return the dependency that reads the parameters of a request as one model."""
    model: type[BaseModel] = parameter.field_info.annotation  # type: ignore[assignment]
    nothing = _without_parameters(model)

    async def read(request: Request) -> BaseModel:
        if nothing is not None and not request.scope["query_string"]:
            return nothing
        try:
            return model.model_validate(dict(request.query_params))
        except ValidationError as error:
            problems = error.errors(include_url=False)
            raise RequestValidationError([{**each, "loc": ("query", *each["loc"])} for each in problems]) from None

    return get_dependant(path=path, call=read, name=parameter.name)


def _without_parameters(model: type[BaseModel]) -> BaseModel | None:
    """Return what a request without parameters means, the same for all of them; None if it must have some."""
    try:
        return model.model_validate({})
    except ValidationError:
        return None


def _in_greenlet(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    """Turn a handler that is `def` into a coroutine function, with the same signature for the framework to read."""
    if iscoroutinefunction(endpoint):
        return endpoint
    return update_wrapper(partial(greenlet_spawn, endpoint), endpoint)


async def _read(request: StrictRequest) -> None:
    """Read the whole body, after which the client can only disconnect; raises BadRequest if it disconnects earlier."""
    try:
        await request.body()
    except ClientDisconnect:
        raise BadRequest from None


def _refusal(names: Iterable[str], code: str, message: str) -> ValidationFailed:
    return ValidationFailed(details=tuple(Detail(f"query.{name}", code, message) for name in names))
