"""Makes the values of JSON. The annotations of a value say how each of its fields is read."""

from __future__ import annotations

import dataclasses
import re
import sys
from datetime import date, datetime
from functools import cache
from typing import Any, Callable, Optional, TypeVar, Union, get_args, get_origin, get_type_hints

Value = TypeVar("Value")
_Reader = Callable[[Any], Any]


def read(kind: Callable[..., Value], content: dict[str, Any]) -> Value:
    """Make a value of a JSON object; members that its class does not know go into `extra`."""
    readers = _readers(kind)
    known = {name: reader(content[name]) for name, reader in readers.items() if name in content}
    unknown = {name: item for name, item in content.items() if name not in readers}
    return kind(**known, **({"extra": unknown} if "extra" in _names(kind) else {}))


@cache
def _names(kind: Any) -> frozenset[str]:
    return frozenset(each.name for each in dataclasses.fields(kind))


@cache
def _readers(kind: Any) -> dict[str, _Reader]:
    hints = get_type_hints(kind, vars(sys.modules[kind.__module__]))
    return {name: _reader(hints[name]) for name in _names(kind) - {"extra"}}


def _reader(hint: Any) -> _Reader:
    """Return what reads a field of this type."""
    arguments = [each for each in get_args(hint) if each is not type(None)]
    if get_origin(hint) is Union:
        inner = _reader(arguments[0])
        return lambda content: None if content is None else inner(content)
    if get_origin(hint) is list:
        inner = _reader(arguments[0])
        return lambda content: [inner(item) for item in content]
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return lambda content: read(hint, content)
    return {date: date.fromisoformat, datetime: _moment}.get(hint, lambda content: content)


def _moment(text: str) -> datetime:
    # Python before 3.11 wants six digits or none, and does not know the Z.
    padded = re.sub(r"\.\d+", lambda fraction: fraction[0].ljust(7, "0"), text)
    return datetime.fromisoformat(padded.replace("Z", "+00:00"))


def read_maybe(kind: Callable[..., Value], content: Optional[dict[str, Any]]) -> Optional[Value]:
    """Make a value of a JSON object, if there is one."""
    return None if content is None else read(kind, content)
