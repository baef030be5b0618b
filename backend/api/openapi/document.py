"""The published contract: what the framework writes, and what generators and linters need besides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from typing import Any

from backend.api.openapi.files import schemas_of_parts
from backend.api.openapi.groups import group
from backend.api.openapi.operations import HEADERS
from backend.api.openapi.resources import Documented
from backend.api.openapi.samples import samples_of
from backend.api.openapi.sign_in import add_sign_in

DESCRIPTION = """
Each user's own tasks, isolated from other users. The [guide](/docs/guide/) begins with the first task. Calls under
`/api` need a bearer token, except those by which you sign in.

A success is `{"data": …}`, a listing of tasks adds `page`, and every error is
`{"error": {code, message, request_id, details, documentation}, "detail": message}`.
Branch on `code`, show `message`, and quote `request_id` when you ask for help;
`documentation` is the address of the code in the guide. Unknown fields and parameters
of `/api` are rejected, not ignored; a body is ignored where none is listed.

Times in answers are in UTC and have 0 to 6 decimals, without zeros at their end: `2026-11-21T09:30:00.12+00:00`,
`2026-11-21T09:30:00+00:00`. Parse them before you compare them. Times that you send need an offset and may have up to
9 decimals, of which the first 6 count.

In addition to the errors each operation lists, a request that is too slow is answered 408, and one that is too large
413, 414 or 431.
"""
_TAGS = (
    {
        "name": "changes",
        "description": "Changes to your tasks, labels and lists, for keeping a copy of them up to date.",
    },
    {"name": "activity", "description": "Who changed what in your tasks, labels and lists, and how it was before."},
    {"name": "account", "description": "Your account: your stored data, your tokens for scripts, and how to leave."},
    {"name": "sign-in", "description": "Register, log in, stay signed in and log out, if this service does that."},
    {"name": "start", "description": "Addresses of the API and its documentation."},
    {"name": "health", "description": "Whether the service is healthy."},
)
# Relative to the address of the contract, so that the contract is the same wherever the service runs. Bruno makes an
# environment of it, which shows where the address belongs.
SERVERS: list[dict[str, Any]] = [
    {
        "url": "/",
        "description": "Where this contract comes from, local or in production",
        "x-internal": False,  # for everybody who has a token
    }
]

_LENGTHS = {"uuid": 36, "date-time": 35, "date": 10}  # 2026-11-21T09:30:00.123456789+00:00
_INT32 = 2**31 - 1
_VALUES = frozenset({"const", "default", "enum", "example", "examples"})  # their data may look like schemas


def tags_of(resources: Iterable[Documented]) -> list[dict[str, str]]:
    """Describe the groups of operations, beginning with the resources."""
    of_resources = ({"name": f"{known.name}s", "description": known.about} for known in resources if known.about)
    return [*of_resources, *_TAGS]


def completed(contract: dict[str, Any], resources: Iterable[Documented]) -> dict[str, Any]:
    """Complete the contract of the framework, unless that has been done."""
    if "headers" in contract["components"]:
        return contract
    contract["components"]["headers"] = deepcopy(HEADERS)
    contract["components"]["schemas"] |= schemas_of_parts()
    add_sign_in(contract)
    # The fields by which an example with nulls is known, and the whole example.
    examples = [(known.never_null, known.example) for known in resources if None in known.example.values()]
    _restore_nulls(contract, examples)
    for path, method, operation in _operations(contract):
        operation.setdefault("security", [])  # nothing is needed: without it, tools cannot know
        operation["responses"] = dict(sorted(operation["responses"].items(), key=_expected_first))
        operation["x-codeSamples"] = samples_of(method, path, operation)
        group(operation.get("parameters", []))
        for parameter in operation.get("parameters", []):
            _complete_parameter(parameter)
    for schema in _schemas(contract):
        if schema.get("format") in _LENGTHS:
            schema.setdefault("maxLength", _LENGTHS[schema["format"]])
        if schema.get("type") == "integer":
            greatest = max(abs(schema.get(end, _INT32 + 1)) for end in ("minimum", "maximum"))
            schema.setdefault("format", "int32" if greatest <= _INT32 else "int64")
    for model in contract["components"]["schemas"].values():
        for field in model.get("properties", {}).values():
            # A field with a default may be omitted. Some generators treat it as always present, and callers of the
            # generated code would have to send it.
            field.pop("default", None)
    return contract


def _operations(contract: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in contract["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def _expected_first(answer: tuple[str, dict[str, Any]]) -> tuple[bool, str]:
    return answer[0] != "201", answer[0]  # a creation is answered 200 only if it was made before


def _complete_parameter(parameter: dict[str, Any]) -> None:
    if parameter["schema"].get("type") == "array":  # without this, programs would repeat the parameter
        parameter |= {"style": "form", "explode": False}
    if not parameter["required"]:
        _describe_example(parameter)
    for repeated in ("title", "description"):  # the parameter says the same
        parameter["schema"].pop(repeated, None)


def _describe_example(parameter: dict[str, Any]) -> None:
    """Move the example of an optional parameter to its description.

    Some programs would send it with every request. A choice lists its values anyway, and a number needs no example.
    """
    examples = parameter["schema"].pop("examples", [])
    if parameter["schema"].get("type") == "string" and examples:
        parameter["description"] += f". Example: `{examples[0]}`"


def _restore_nulls(part: Any, examples: Sequence[tuple[set[str], dict[str, Any]]]) -> None:
    """Give the examples of resources their nulls back, which the framework leaves out."""
    whole = next((whole for names, whole in examples if isinstance(part, dict) and part.keys() >= names), None)
    if whole is not None:
        others = dict(part)
        part.clear()
        part.update(dict.fromkeys(whole) | others)
    elif isinstance(part, dict | list):
        for inner in part.values() if isinstance(part, dict) else part:
            _restore_nulls(inner, examples)


def _schemas(part: Any) -> Iterator[dict[str, Any]]:
    """Yield every schema that has a `type`."""
    if isinstance(part, list):
        for item in part:
            yield from _schemas(item)
    if isinstance(part, dict):
        if isinstance(part.get("type"), str):
            yield part
        for name, inner in part.items():
            if name not in _VALUES:
                yield from _schemas(inner)
