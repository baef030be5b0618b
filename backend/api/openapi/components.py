"""Models that describe only part of a body or answer, such as a line of a file, and still belong in the contract."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

_REFERENCE = "#/components/schemas/{model}"
_named: dict[str, type[BaseModel]] = {}


def in_components(model: type[BaseModel]) -> dict[str, str]:
    """Return a reference to a model, and add the model to the contract."""
    _named[model.__name__] = model
    return {"$ref": _REFERENCE.format(model=model.__name__)}


def extra_schemas() -> dict[str, Any]:
    """Return the schemas of all referenced models and of the models they reference."""
    models: list[tuple[type[BaseModel], Literal["serialization"]]]
    models = [(model, "serialization") for model in _named.values()]
    schemas: dict[str, Any] = models_json_schema(models, ref_template=_REFERENCE)[1]["$defs"]
    return schemas
