"""Turns what is wrong with the body or the parameters of a request into the error to answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal, get_args, get_origin

from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from backend.api.http.envelope import MAX_DETAILS
from backend.errors import Detail, NotFound, TaskAPIError, UnsupportedMediaType, ValidationFailed
from backend.models.access_token import AccessTokenCreate, NewAccessToken
from backend.models.user import Account, AccountUpdate
from backend.services.registry import RESOURCES
from backend.utils.plain_words import in_plain_words
from backend.utils.unknown_names import same_name, unknown_name

# By the parameter in the path: usually the kind, as in `task_id`.
_PARAMETERS = {"label": "name", "access_token": "token_id"}
_NOT_FOUND = {_PARAMETERS.get(each.kind, f"{each.kind}_id"): each.not_found for each in RESOURCES}
_NUMBERING_PAGES = {"page", "skip", "offset"}  # in other services
# What a client reads, by what it sends: clients send back what they have read.
ANSWERS: dict[type[BaseModel], type[BaseModel]] = {
    **{sent: resource.public for resource in RESOURCES for sent in resource.inputs},
    AccessTokenCreate: NewAccessToken,
    AccountUpdate: Account,
}


def refusal(error: RequestValidationError, route: APIRoute) -> TaskAPIError:
    """Return the error to answer. A malformed id in the path counts last, like an id that is not found."""
    problems = [problem for problem in error.errors() if problem["loc"][0] != "path"]
    if not problems:
        return _of_no_id(error, route)
    if problems[0]["loc"] == ("body",) and isinstance(error.body, bytes):
        return UnsupportedMediaType()
    # The answer has no more details than this, and each costs time.
    return ValidationFailed(details=tuple(_detail(each, route, error.body) for each in problems[:MAX_DETAILS]))


def _of_no_id(error: RequestValidationError, route: APIRoute) -> TaskAPIError:
    """Return the 404 for a malformed id, without a look-up: nothing can have such an id.

    A call that makes what it does not find has no 404: the name is wrong.
    """
    problem = error.errors()[0]
    if NotFound.status not in route.responses:
        return ValidationFailed(details=(_detail(problem, route, error.body),))
    _, name = problem["loc"]
    return _NOT_FOUND[name]()


def _detail(problem: dict[str, Any], route: APIRoute, body: Any) -> Detail:
    """Return where and what the problem is, but never the value: pydantic's `input` and `ctx` are left out."""
    source, *path = problem["loc"]
    names = [str(part) for part in path] if source == "body" and path else [source, *map(str, path)]
    code: str = problem["type"]
    if code != "extra_forbidden":
        message = in_plain_words(code, problem["msg"])
    elif source == "query":
        message = _unknown_parameter(path[-1], _model_of(route.dependant.query_params[0]))
    else:
        message = _unknown_field(path, _model_at(path[:-1], _model_of(route.body_field), body))
    return Detail(".".join(names), code, message)


def _unknown_parameter(name: str, model: type[BaseModel]) -> str:
    """Say that there is no such parameter. If it would number the pages of a listing, say how they are read."""
    if name in _NUMBERING_PAGES and "cursor" in model.model_fields:
        return f"`{name}` is not a parameter here: pages are read with `cursor`, see page.next_cursor of the answer"
    return unknown_name(name, model.model_fields, kind="parameter")


def _unknown_field(path: Sequence[str | int], model: type[BaseModel]) -> str:
    """Say that the model has no such field. If answers have it, say that the client need not send it."""
    *parents, name = map(str, path)
    place = "".join(f"{parent}." for parent in parents)
    answer = ANSWERS.get(model)
    known = same_name(name, answer.model_fields) if answer else None
    if known is None or known in model.model_fields:
        return unknown_name(name, model.model_fields, place=place)
    if any(known in each.model_fields for each, read in ANSWERS.items() if read is answer):
        return f"`{place}{known}` cannot be changed here: leave it out"
    return f"`{place}{known}` is set by the service: leave it out"


def _model_of(field: Any) -> type[BaseModel]:
    """Return the model of the framework's field for a body or for parameters."""
    model: type[BaseModel] = field.field_info.annotation
    return model


def _model_at(place: Sequence[str | int], model: type[BaseModel], value: Any) -> type[BaseModel]:
    """Return the model of the object at this place in a body. Of several, it is the one that the object names."""
    models = [model]
    for part in place:
        value = value[part]
        if isinstance(part, str):
            models = list(_models_in(model.model_fields[part].annotation))
        if isinstance(value, dict):
            model = next(each for each in models if _is_named(each, value))
    return model


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """Give the models that a type mentions, like those in a list."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)


def _is_named(model: type[BaseModel], value: dict[str, Any]) -> bool:
    """Return whether an object has the constants of a model, like the `op` of an operation."""
    constants = {name: get_args(field.annotation) for name, field in model.model_fields.items() if _is_constant(field)}
    return all(value.get(name) in allowed for name, allowed in constants.items())


def _is_constant(field: FieldInfo) -> bool:
    return get_origin(field.annotation) is Literal
