"""What is said of JSON that is too deep or begins with a mark, and lines of an export that are sent back."""

from __future__ import annotations

import json

import httpx
import pytest

from backend.models.export import ExportedAccount
from backend.models.label import ExportedLabel, LabelUpdate
from backend.models.list import ExportedList, ListUpdate
from backend.models.task import ExportedTask, TaskUpdate
from backend.models.user import AccountUpdate
from tests.fixtures.calls.lists import make
from tests.fixtures.calls.task_files import problems, report_of, send
from tests.fixtures.calls.tasks import create, error_of, path_of

JSON = {"Content-Type": "application/json"}
DEEP = '{"title":' + "[" * 15_000 + "]" * 15_000 + "}"


@pytest.mark.requirement("FR-471")
@pytest.mark.parametrize(("body", "words"), [(DEEP, "nested too deeply"), ('\ufeff{"title": "a"}', "byte order mark")])
def test_valid_json_is_not_called_invalid(client: httpx.Client, body: str, words: str) -> None:
    (detail,) = error_of(client.post("/api/tasks", content=body, headers=JSON), 422, "VALIDATION_ERROR")["details"]
    assert (detail["field"], detail["code"]) == ("body", "json_invalid")
    assert words in detail["message"]
    assert "not valid" not in detail["message"]


@pytest.mark.requirement("FR-471")
def test_a_row_that_is_too_deep_is_not_called_invalid(client: httpx.Client) -> None:
    (error,) = report_of(send(client, DEEP))["errors"]
    assert (error["code"], "nested too deeply" in error["message"]) == ("json_invalid", True)
    assert problems(client, "{'title': 1}") == [(1, "row", "json_invalid")]


@pytest.mark.requirement("FR-471")
@pytest.mark.parametrize("first", ["title,due_date", "\ufeffid;Title", '"title"'])
def test_a_csv_that_is_sent_as_json_lines_is_told_its_type(client: httpx.Client, first: str) -> None:
    (detail,) = error_of(send(client, f"{first}\nBuy milk,\n"), 422, "VALIDATION_ERROR")["details"]
    assert (detail["field"], detail["code"]) == ("row", "json_invalid")
    assert "send it as text/csv" in detail["message"]
    assert client.get("/api/tasks").json()["data"] == []
    assert problems(client, "due,notes\n")[0] == (1, "row", "json_invalid")


@pytest.mark.requirement("FR-472")
def test_what_an_export_has_of_a_thing_can_be_sent_back(client: httpx.Client) -> None:
    task, home = create(client, "a", labels=["home"]), make(client, "Home")
    lines = [json.loads(line) for line in client.get("/api/me/export").text.splitlines()]
    rows = {line["type"]: line["data"] for line in lines}

    for method in ("PUT", "PATCH"):
        assert client.request(method, path_of(task), json=rows["task"] | {"uid": "x"}).json()["data"] == task
        assert client.request(method, f"/api/lists/{home['id']}", json=rows["list"]).json()["data"] == home
        assert client.request(method, "/api/labels/home", json=rows["label"]).status_code == 200
    assert client.patch("/api/me", json=rows["account"]).status_code == 200
    assert client.get("/api/me").json()["data"]["revision"] == rows["account"]["revision"]


@pytest.mark.requirement("FR-472")
@pytest.mark.parametrize(
    ("edit", "exported"),
    [
        (TaskUpdate, ExportedTask),
        (ListUpdate, ExportedList),
        (LabelUpdate, ExportedLabel),
        (AccountUpdate, ExportedAccount),
    ],
)
def test_every_field_of_an_export_is_known_to_edits(edit: type, exported: type) -> None:
    names = edit.read_only | edit.model_fields.keys()  # type: ignore[attr-defined]
    assert exported.model_fields.keys() <= names  # type: ignore[attr-defined]
