"""The tables of docs/reference.md, which are made from the contract."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Json = dict[str, Any]
_FREE = {"name", "text", "label"}  # formats for programs: people read what a text may be beside the field


def filled(page: str, contract: Path) -> str:
    """Return the page with each table in the place of its comment."""
    document: Json = json.loads(contract.read_text(encoding="utf-8"))
    for name, table in (("calls", _calls(document)), ("fields of a task", _fields(document))):
        place = f"<!-- {name} -->"
        if place not in page:
            raise SystemExit(f"docs/reference.md has no place for its table: {place}")
        page = page.replace(place, table)
    return page


def _calls(document: Json) -> str:
    """Return a heading and a table for each tag."""
    lines = []
    for tag in document["tags"]:
        lines += [f"### {tag['name'].capitalize()}", "", tag["description"], "", "| call | what it does |", "|---|---|"]
        for path, operations in document["paths"].items():
            lines += [
                f"| `{method.upper()} {path}` | {_summary(operation)} |"
                for method, operation in operations.items()
                if operation["tags"] == [tag["name"]]
            ]
        lines.append("")
    return "\n".join(lines)


def _summary(operation: Json) -> str:
    """Return what a call does, with a link to where it is explained and can be tried."""
    link = f"[{operation['summary']}](/docs#/{operation['tags'][0]}/{operation['operationId']})"
    return link if operation["security"] else f"{link}, without a token"


def _fields(document: Json) -> str:
    """Return a table of the fields of a task, in the order of answers."""
    schemas: Json = document["components"]["schemas"]
    writable = schemas["TaskCreate"]["properties"]
    lines = ["| field | type | who sets it | meaning |", "|---|---|---|---|"]
    for name, field in schemas["TaskPublic"]["properties"].items():
        shown = writable.get(name, field)  # only what may be sent has bounds that matter
        setter = "you" if name in writable else "the service"
        lines.append(f"| `{name}` | {_type_of(shown, schemas)} | {setter} | {_in_cell(shown['description'])} |")
    return "\n".join(lines)


def _type_of(schema: Json, schemas: Json) -> str:
    """Return the type in words, with its bounds."""
    if "anyOf" in schema:
        return " or ".join(_type_of(part, schemas) for part in schema["anyOf"])
    if "$ref" in schema:
        return _type_of(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    if "enum" in schema:
        return ", ".join(f'`"{value}"`' for value in schema["enum"])
    if schema["type"] == "array":
        most = f" of up to {schema['maxItems']}" if "maxItems" in schema else ""
        return f"array{most}: {_type_of(schema['items'], schemas)}"
    return f"{schema['type']}{_bounds(schema)}"


def _bounds(schema: Json) -> str:
    """Return the bounds of a text or a number, as far as they are no part of its format."""
    if schema["type"] == "string":
        if schema.get("format", "text") not in _FREE:
            return f" ({schema['format']})"
        return f", at most {schema['maxLength']:,} characters" if "maxLength" in schema else ""
    ends = [f"{word} {schema[end]:,}" for end, word in (("minimum", "from"), ("maximum", "to")) if end in schema]
    return " ".join(["", *ends])


def _in_cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
