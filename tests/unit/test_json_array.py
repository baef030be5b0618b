"""Files of tasks as one JSON array: what is read, where it is broken, and what hostile ones cost."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.errors import ValidationFailed
from backend.formats.json_array import ArrayReader
from backend.formats.rows import MAX_ROW_BYTES, FileRow

pytestmark = pytest.mark.requirement("FR-432")

MARKS = st.text(st.sampled_from('[]{},:"\\ \n\u20ac') | st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | MARKS, lambda inner: st.lists(inner) | st.dictionaries(MARKS, inner)
)
PIECE_BYTES = 64 * 1024


def read(data: bytes, step: int = PIECE_BYTES) -> list[FileRow]:
    """Read a file that arrives in pieces of this size."""
    reader = ArrayReader()
    rows = [row for at in range(0, len(data), step) for row in reader.read(data[at : at + step])]
    return [row for row in [*rows, *reader.end()] if row]


def found(data: bytes, step: int = PIECE_BYTES) -> list[Any]:
    """Read a file; returns each row, or its number and what is wrong with it."""
    return [(row.line, row.problem.code) if row.problem else row.fields for row in read(data, step)]


@pytest.mark.unmeasured
@given(
    rows=st.lists(st.dictionaries(MARKS, VALUES, max_size=3), max_size=5),
    around=st.none() | st.tuples(*[st.dictionaries(MARKS.filter(lambda key: key != "data"), VALUES, max_size=2)] * 2),
    step=st.integers(1, 40),
    indent=st.sampled_from([None, 2]),
    is_ascii=st.booleans(),
)
def test_an_array_is_read_as_a_parser_does(
    rows: list[dict[str, object]], around: tuple[Any, Any] | None, step: int, indent: int | None, *, is_ascii: bool
) -> None:
    document = rows if around is None else {**around[0], "data": rows, **around[1]}

    read_rows = read(json.dumps(document, indent=indent, ensure_ascii=is_ascii).encode(), step)

    assert [row.problem for row in read_rows] == [None] * len(rows)
    assert [(row.line, row.fields) for row in read_rows] == list(enumerate(rows, 1))


A = {"a": 1}


@pytest.mark.parametrize("step", [1, 2, 3, PIECE_BYTES])
@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("[]", []),
        ("\ufeff\r\n[ \t]\n", []),
        ('{"data": []}', []),
        ('{"data":[{"a":1},{}],"page":{"limit":[1],"data":[{"b":1}]}, "data": [{}]}', [A, {}, (2, "duplicate_key")]),
        ('{"page":{"data":[{}]},"data" :\n[ {"a":1} ] }', [A]),
        ('[{"a":"\\\\"},{"a":"\\\\\\"]"}]', [{"a": "\\"}, {"a": '\\"]'}]),
        ('[{"a":1},]', [A, (2, "json_invalid")]),
        ("[,]", [(1, "json_invalid"), (2, "json_invalid")]),
        ('[1,"a",null,[{}],{"a":1}]', [*((number, "object_type") for number in range(1, 5)), A]),
        ('[{"a":1,"a":2},{"a":NaN},{"a":1}]', [(1, "duplicate_key"), (2, "json_invalid"), A]),
        ('[{"a": tru}, {"a":1}]', [(1, "json_invalid"), A]),
        ('[{"a":1}', [(1, "array_unfinished")]),
        ('[{"a":1},', [A, (2, "array_unfinished")]),
        ('[{"a":1}, {"b', [A, (2, "array_unfinished")]),
        ('{"data":[{"a":1}]', [A, (1, "array_unfinished")]),
        ('{"data":[{"a":1}], "page": "', [A, (1, "array_unfinished")]),
        ('[{"a":1}] x', [A, (1, "array_ended")]),
        ('[{"a":1}] []', [A, (1, "array_ended")]),
        ('[{"a":1}], [{}]', [A, (1, "array_ended")]),
        ('{"data":[{"a":1}]} }}', [A, (1, "array_ended")]),
        ('[{"a":1},{"a":]},{"a":1}]', [A, (2, "json_invalid"), (2, "array_ended")]),
        ('[{"a":1},{"a":{,{"a":1}]', [A, (2, "array_unfinished")]),
    ],
)
def test_what_is_broken_is_said_with_its_place(text: str, rows: list[object], step: int) -> None:
    assert found(text.encode(), step) == rows


@pytest.mark.parametrize("step", [1, PIECE_BYTES])
@pytest.mark.parametrize(
    "text",
    [
        "", " \n", "a", "]", ",[]", "1", '"[{}]"', "null", "{}", '{"title":"a"}', '{"a":1}\n{"a":1}', "title,x\na,b\n",
        '{"data":{"title":"a"}}', '{"data":1}', '{"Data":[{}]}', '{"x":{"data":[{}]}}', '{"data"', "x[{}]",
        "{" + '"a":[],' * 300 + '"data":[]}', '{"a' + " " * 200 + '":[1]}',
    ],
)  # fmt: skip
def test_a_file_without_an_array_is_refused(text: str, step: int) -> None:
    with pytest.raises(ValidationFailed) as refused:
        read(text.encode(), step)

    assert [detail.code for detail in refused.value.details] == ["array_missing"]


def test_bytes_that_are_no_text_are_bad_alone() -> None:
    assert found(b'[{"a":"\xff"},{"a":1}]') == [(1, "encoding_invalid"), A]
    with pytest.raises(ValidationFailed):
        found('[{"a":1}]'.encode("utf-16"))


MANY = 1_000_000


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        (b"[" * 10_000 + b"]" * 10_000, [(1, "array_invalid")]),
        (b'[{"a":1},{"a":' + b"[" * 10_000 + b"]" * 10_000 + b"}]", [A, (2, "array_invalid")]),
        (b"[" + b"[" * MANY, [(1, "array_invalid")]),
        (b"[[" + b"{}," * MANY + b"]]", [(1, "array_invalid")]),
        (b'{"data":[{"a":1}],"b":' + b"[" * MANY, [A, (1, "array_invalid")]),
        (b'[{"title":"' + b"x" * 8 * MANY + b'"},{"a":1}]', [(1, "row_too_long"), A]),
        (b'[{"title":"' + b"\\\\" * 4 * MANY + b'"},{"a":1}]', [(1, "row_too_long"), A]),
        (b"[[" + b'"",' * MANY + b'1],{"a":1}]', [(1, "row_too_long"), A]),
        (b"[[" + b"1," * MANY + b'1],{"a":1}]', [(1, "row_too_long"), A]),
        (b"[" + b" " * 8 * MANY + b'{"a":1}]', [A]),
        (b" " * 8 * MANY + b'[{"a":1}]' + b" " * 8 * MANY, [A]),
        (b'{"x":"' + b"]" * 8 * MANY + b'","data":[{"a":1}]}', [A]),
    ],
    ids=range(12),
)
def test_a_hostile_array_is_answered(data: bytes, rows: list[object]) -> None:
    assert found(data) == rows


@pytest.mark.parametrize(("element", "is_open"), [(b"x" * PIECE_BYTES, False), (b'{"a":"' + b"x" * PIECE_BYTES, True)])
def test_no_more_of_an_element_is_held_than_a_row_may_have(element: bytes, *, is_open: bool) -> None:
    reader = ArrayReader()
    assert [row for row in reader.read(b"[") if row] == []
    for _ in range(20):
        assert [row for row in reader.read(element) if row] == []
        element = b"x" * PIECE_BYTES
        assert len(reader._held) <= MAX_ROW_BYTES  # noqa: SLF001 - what it holds cannot be seen otherwise

    (row,) = filter(None, reader.read(b'"}]' if is_open else b"]"))
    assert row.problem is not None
    assert row.problem.code == "row_too_long"


def test_each_of_very_many_empty_objects_is_a_row() -> None:
    rows = read(b"[" + b"{}," * 100_000 + b"{}]")

    assert [row.line for row in rows] == list(range(1, 100_002))
    assert not any(row.fields or row.problem for row in rows)
