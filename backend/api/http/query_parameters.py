"""The query of a request, read strictly and at once: the framework would read each parameter by itself.

Unknown and repeated parameters are refused, because ignoring them would hide typing errors. A known parameter with an
empty value counts as absent, because forms send empty fields that way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from urllib.parse import parse_qsl, unquote_plus, urlencode

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.types import Scope

from backend.errors import NO_PARAMETERS, Detail, ValidationFailed
from backend.models.base import COMMA_SEPARATED


class QueryParameters:
    """The parameters that an operation takes in its query: the fields of a model, or none."""

    def __init__(self, model: type[BaseModel] | None) -> None:
        self._model = model
        self._fields = {} if model is None else model.model_fields
        self._lists = [name for name, field in self._fields.items() if COMMA_SEPARATED in field.metadata]
        self._nothing = _without_parameters(model)

    def judge(self, request: Request) -> None:
        """Refuse all parameters if none is known, and repeated ones, because all but the last would be lost.

        From then on, the query has none that counts as absent. Raises ValidationFailed.
        """
        self._leave_out_empty(request.scope)
        self._join_words(request.scope)
        times = Counter(name for name, _ in request.query_params.multi_items())
        if self._model is None:
            raise _refusal(times, "extra_forbidden", NO_PARAMETERS)
        if repeated := [name for name in times if times[name] > 1]:
            raise _refusal(repeated, "repeated", "Send this parameter once")

    def read(self, request: Request) -> BaseModel | None:
        """Return the parameters as a model, or None without one; raises RequestValidationError."""
        if self._model is None or (self._nothing is not None and not request.scope["query_string"]):
            return self._nothing
        try:
            return self._model.model_validate(dict(request.query_params))
        except ValidationError as error:
            problems = error.errors(include_url=False)
            raise RequestValidationError(
                [{**problem, "loc": ("query", *problem["loc"])} for problem in problems]
            ) from None

    def _leave_out_empty(self, scope: Scope) -> None:
        query: bytes = scope["query_string"]
        if b"=&" in query or query.endswith(b"="):
            scope["query_string"] = b"&".join(pair for pair in query.split(b"&") if not self._is_empty(pair))

    def _is_empty(self, parameter: bytes) -> bool:
        name, equals, value = parameter.partition(b"=")
        return equals != b"" and value == b"" and unquote_plus(name.decode("latin-1")) in self._fields

    def _join_words(self, scope: Scope) -> None:
        """Write a parameter that lists words once, if a program has repeated it: many do so with every array."""
        query = scope["query_string"].decode("latin-1")
        if any(query.count(f"{name}=") > 1 for name in self._lists):
            pairs = parse_qsl(query, keep_blank_values=True)
            words = {name: [value for said, value in pairs if said == name] for name in self._lists}
            joined = [(name, ",".join(said)) for name, said in words.items() if said]
            scope["query_string"] = urlencode([pair for pair in pairs if pair[0] not in words] + joined).encode()


def _without_parameters(model: type[BaseModel] | None) -> BaseModel | None:
    """Return what a request without parameters means, the same for all requests; None if it must have some."""
    if model is None:
        return None
    try:
        return model.model_validate({})
    except ValidationError:
        return None


def _refusal(names: Iterable[str], code: str, message: str) -> ValidationFailed:
    return ValidationFailed(details=tuple(Detail(f"query.{name}", code, message) for name in names))
