"""Models that the contract describes although no body or answer as a whole is one: those of the parts of files."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

_PLACE = "#/components/schemas/{model}"
_named: dict[str, type[BaseModel]] = {}


def in_components(model: type[BaseModel]) -> dict[str, str]:
    """Refer to a model, which the contract then describes."""
    _named[model.__name__] = model
    return {"$ref": _PLACE.format(model=model.__name__)}


def extra_schemas() -> dict[str, Any]:
    """Describe every model that was referred to, and what these refer to."""
    models: list[tuple[type[BaseModel], Literal["serialization"]]]
    models = [(model, "serialization") for model in _named.values()]
    schemas: dict[str, Any] = models_json_schema(models, ref_template=_PLACE)[1]["$defs"]
    return schemas
