"""Long arrays are written as the driver would write them."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg2
import pytest
from psycopg2.extras import register_uuid
from sqlalchemy import make_url

from backend.database.long_arrays import PIECE, with_long_arrays_written

NOW = datetime(2026, 11, 25, 9, 30, 0, 1, UTC)
TEXTS = ["a", "", "it's", 'a"b', "back\\slash", "{NULL}", "NULL", "ARRAY[1]", "%(x)s", "a,b", "\U0001f36e\n", None]
VALUES: dict[str, list[Any]] = {
    "text": TEXTS * PIECE,
    "uuid": [UUID(int=number) for number in range(PIECE + 1)],
    "timestamptz": [None] * PIECE + [NOW] * PIECE,
    "boolean": [True, False, None] * PIECE,
    "bigint": [*range(2 * PIECE), -1],
    "date": [None] * (PIECE + 1),
}


@pytest.mark.requirement("FR-378")
@pytest.mark.parametrize("kind", VALUES)
def test_a_long_array_arrives_as_it_is(server_url: str, kind: str) -> None:
    plain = make_url(server_url).set(drivername="postgresql").render_as_string(hide_password=False)
    with closing(psycopg2.connect(plain)) as connection, connection.cursor() as cursor:
        register_uuid(conn_or_curs=connection)
        written = with_long_arrays_written({"each": VALUES[kind], "other": 1}, connection)
        cursor.execute(f"SELECT CAST(%(each)s AS {kind}[]), %(other)s", written)
        assert cursor.fetchall() == [(VALUES[kind], 1)]


@pytest.mark.requirement("FR-378")
def test_other_values_are_left_to_the_driver() -> None:
    values = {"each": [1] * PIECE, "text": "a" * 2 * PIECE}
    assert with_long_arrays_written(values, None) is values
