"""Long arrays in the values of a statement, written as SQL in pieces: the driver would take one long turn for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from psycopg2.extensions import AsIs, adapt

from backend.database.giving_way import give_way

PIECE = 500  # values or rows: about a millisecond


def with_long_arrays_written(values: Any, connection: Any) -> Any:
    """Return the values, long lists as the SQL of an array; values without names are returned as they are."""
    if not isinstance(values, Mapping):
        return values
    long = {name: value for name, value in values.items() if isinstance(value, list) and len(value) > PIECE}
    return {**values, **{name: _written(value, connection) for name, value in long.items()}} if long else values


def _written(items: list[Any], connection: Any) -> AsIs:
    return AsIs(f"ARRAY[{','.join(_pieces(items, connection))}]")


def _pieces(items: list[Any], connection: Any) -> Iterator[str]:
    for start in range(0, len(items), PIECE):
        give_way()
        piece = items[start : start + PIECE]
        adapted = adapt(piece)
        adapted.prepare(connection)
        text: str = adapted.getquoted().decode()
        # The driver writes nulls alone as '{NULL,NULL}', in quotes.
        yield text[len("ARRAY[") : -1] if text.startswith("ARRAY[") else text[2:-2]
