"""Batches that no client should send: each error names the operation's index, and nothing is done."""

from __future__ import annotations

import json

import httpx
import pytest

from tests.fixtures.calls.batches import BATCH, Json, creation, operation, run_batch, update
from tests.fixtures.calls.tasks import JSON, MISSING_ID, error_of
from tests.fixtures.inputs.hostile import BOOLEANS, CONTAINERS, MARK, NO_TEXT, NUMBERS, OBEYED, TEXTS

GOOD = [creation("a"), operation("complete", MISSING_ID), creation("b")]
NO_TAGS = {f"text: {kind}": json.dumps(text) for kind, text in TEXTS.items() if kind != "number"}
NO_OBJECTS = (
    NUMBERS | BOOLEANS | {"text": f'"{MARK}"', "null": "null", "list": "[]", "list of objects": f'[{{"{MARK}": 1}}]'}
)
NO_IDS = {
    "null": "null",
    "empty": '""',
    "bare digits": f'"{MISSING_ID.replace("-", "")}"',
    "URN": f'"urn:uuid:{MISSING_ID}"',
}
NO_REVISIONS = {
    "null": "null", "zero": "0", "negative": "-1", "half": "42.5", "infinite": "1e400", "19 digits": "1" + "0" * 18,
    "huge": "3" * 4000, "leading zero": '"042"', "signed": '"+42"', "no quotes": '"a"', "half a tag": '"\\"42"',
    "star and tag": '"*, \\"42\\""', "empty": '""', "comma": '","', "blank in a tag": '"\\"4 2\\""',
    "digits and tag": '"42, \\"42\\""', "list of tags": '["42"]', "wide digits": '"\uff14"', "line break": '"42\\n"',
    "two": '"\\"4\\" \\"2\\""', "unended": json.dumps('"1", ' * 9_000 + '"'), "foreign letter": '"\\"\u0660\\""',
    **NO_TAGS,
}  # fmt: skip


def refusal(client: httpx.Client, third: str) -> list[tuple[str, str]]:
    """Send a batch whose third operation is this; returns the field and code of each detail of the refusal."""
    before, after = (", ".join(map(json.dumps, part)) for part in (GOOD[:2], GOOD[2:]))
    content = f'{{"operations": [{before}, {third}, {after}]}}'.encode("utf-8", "surrogatepass")
    response = client.post(BATCH, content=content, headers=JSON)
    assert MARK not in response.text
    assert len(response.content) < 10_000
    details = error_of(response, 422, "VALIDATION_ERROR")["details"]
    return [(detail["field"], detail["code"]) for detail in details]


def written(fields: dict[str, str]) -> str:
    """Write an object whose values are JSON already."""
    return "{" + ", ".join(f'"{name}": {value}' for name, value in fields.items()) + "}"


@pytest.mark.usefixtures("task")
@pytest.mark.requirement("FR-140", "FR-089", "FR-091")
def test_what_is_no_operation_is_refused_by_its_index(client: httpx.Client) -> None:
    for kind, value in NO_OBJECTS.items():
        assert [field for field, _ in refusal(client, value)] == ["operations.2"], kind
    unknown = [MARK, "", "Create", "create ", "create\0", "\ud800", "__class__", "batch", "get"]
    for name in ["{}", *(written({"op": json.dumps(name)}) for name in unknown)]:
        assert refusal(client, name) == [("operations.2.op", "operation_unknown")]
    for kind, value in (CONTAINERS | NUMBERS | BOOLEANS | {"null": "null"}).items():
        assert refusal(client, written({"op": value})) == [("operations.2.op", "operation_unknown")], kind


@pytest.mark.usefixtures("task")
@pytest.mark.requirement("FR-140", "FR-089", "FR-091")
@pytest.mark.parametrize("op", ["create", "update", "complete"])
def test_data_that_is_no_object_is_refused_by_its_index(client: httpx.Client, op: str) -> None:
    head = {"op": f'"{op}"'} | ({} if op == "create" else {"id": f'"{MISSING_ID}"'})

    for kind, value in NO_OBJECTS.items():
        assert [field for field, _ in refusal(client, written(head | {"data": value}))] == ["operations.2.data"], kind


@pytest.mark.usefixtures("task")
@pytest.mark.requirement("FR-140", "FR-089", "FR-091", "FR-114")
def test_a_bad_field_of_an_operation_is_refused_by_its_index(client: httpx.Client) -> None:
    head = {"op": '"delete"', "id": f'"{MISSING_ID}"'}
    no_texts = NO_TEXT | CONTAINERS | BOOLEANS
    for kind, value in (no_texts | NUMBERS | NO_IDS).items():
        assert refusal(client, written(head | {"id": value})) == [("operations.2.id", "uuid_format")], kind
    for kind, value in (no_texts | NO_REVISIONS).items():
        found = refusal(client, written(head | {"if_match": value}))
        assert found == [("operations.2.if_match", "entity_tag_invalid")], kind
    for kind, value in (no_texts | NUMBERS | {"null": "null"}).items():
        title = written({"op": '"create"', "data": written({"title": value})})
        assert [field for field, _ in refusal(client, title)] == ["operations.2.data.title"], kind


@pytest.mark.usefixtures("task")
@pytest.mark.requirement("FR-140", "FR-089", "FR-091")
def test_what_is_missing_or_unknown_in_an_operation_is_named(client: httpx.Client) -> None:
    cases: list[tuple[Json, set[tuple[str, str]]]] = [
        ({"op": "create"}, {("data", "missing")}),
        ({"op": "create", "data": {}}, {("data.title", "missing")}),
        ({"op": "create", "data": {"title": "a"}, "id": MISSING_ID}, {("id", "extra_forbidden")}),
        ({"op": "create", "data": {"title": "a"}, "if_match": 1}, {("if_match", "extra_forbidden")}),
        ({"op": "create", "data": {"title": "a", "user_id": "x"}}, {("data.user_id", "extra_forbidden")}),
        ({"op": "update", "id": MISSING_ID}, {("data", "missing")}),
        ({"op": "update", "data": {"title": None}}, {("data.title", "string_type")}),
        ({"op": "complete", "id": MISSING_ID, "data": {}}, {("data.completed", "missing")}),
        ({"op": "complete", "id": MISSING_ID, "completed": True}, {("completed", "extra_forbidden")}),
        ({"op": "delete", "id": MISSING_ID, "data": {}}, {("data", "extra_forbidden")}),
        ({"op": "delete", "id": MISSING_ID, "permanent": True}, {("permanent", "extra_forbidden")}),
        ({"op": "restore"}, {("id", "missing")}),
        ({"op": "restore", "id": MISSING_ID, "ref": "a"}, {("ref", "id_or_ref")}),
        ({"op": "restore", "ref": "a b"}, {("ref", "string_pattern_mismatch")}),
        ({"op": "create", "ref": None, "data": {"title": "a"}}, {("ref", "string_type")}),
        (
            {"op": "create", "parent_ref": "a", "data": {"title": "a", "parent_id": MISSING_ID}},
            {("parent_ref", "parent_id_or_ref")},
        ),
    ]
    for third, expected in cases:
        found = set(refusal(client, json.dumps(third)))
        assert found == {(f"operations.2.{field}", code) for field, code in expected}, third
    assert refusal(client, '{"op": "delete", "op": "create"}') == [("op", "duplicate_key")]


@pytest.mark.usefixtures("task")
@pytest.mark.requirement("FR-140", "FR-089")
def test_a_batch_of_nothing_but_mistakes_is_refused_at_the_first(client: httpx.Client) -> None:
    unknown = {"op": "delete", **{str(number): 1 for number in range(190)}}

    details = error_of(client.post(BATCH, json={"operations": [unknown] * 100}), 422, "VALIDATION_ERROR")["details"]

    assert {detail["field"].rpartition(".")[0] for detail in details} == {"operations.0"}
    (detail,) = error_of(client.post(BATCH, json={"operations": [1] * 19_000}), 422, "VALIDATION_ERROR")["details"]
    assert detail["field"] == "operations.0"


@pytest.mark.requirement("FR-143", "FR-089")
def test_texts_of_a_batch_may_hold_many_brackets(client: httpx.Client) -> None:
    text = '[{"\\' * 2_500

    results = run_batch(client, *(creation("a", description=text) for _ in range(20)))

    assert {result["data"]["description"] for result in results} == {text}


@pytest.mark.requirement("FR-140", "FR-143")
def test_text_that_looks_like_something_else_is_kept_as_it_is(client: httpx.Client) -> None:
    texts = list(TEXTS.values())
    titles = [f"title {number}" if text in OBEYED.values() else text for number, text in enumerate(texts)]
    made = run_batch(client, *(creation(title, description=text) for title, text in zip(titles, texts, strict=True)))
    edits = [update(result["data"], description=text[::-1]) for result, text in zip(made, texts, strict=True)]

    edited = run_batch(client, *edits)

    kept = [(result["data"]["title"], result["data"]["description"]) for result in edited]
    assert kept == [(title, text[::-1]) for title, text in zip(titles, texts, strict=True)]
    stored = {task["id"]: task for task in client.get("/api/tasks").json()["data"]}
    assert [stored[result["data"]["id"]] for result in edited] == [result["data"] for result in edited]
