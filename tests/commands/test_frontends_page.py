"""What docs/frontends.md says beyond its shell and its JavaScript, which run with those of all other pages."""

from __future__ import annotations

import re

import httpx
import pytest

from tests.fixtures.calls.api import API
from tests.fixtures.documents.contract import contract, operations
from tests.fixtures.documents.guide_blocks import GUIDE, blocks
from tests.fixtures.http.client_package import token_of
from tests.fixtures.processes.shell import DOCUMENTED_ADDRESS

PAGE = GUIDE / "frontends.md"
ROW = re.compile(r"^\| (.+) \| (.+) \|$", re.MULTILINE)
NAME = re.compile(r"`([^` ]+)`")
WORDS = {"todo", "in_progress", "done", "high", "medium", "pending"}

pytestmark = pytest.mark.requirement("FR-595")


def _known() -> set[str]:
    """Return all fields, parameters and words that the service takes."""
    fields = contract()["components"]["schemas"]["TaskPublic"]["properties"].keys()
    parameters = {each["name"] for each in operations()["list_tasks"].document["parameters"]}
    return {*fields, *parameters, *WORDS}


def _table() -> list[tuple[str, str]]:
    section = PAGE.read_text(encoding="utf-8").partition("## Their names, and ours")[2].partition("\n## ")[0]
    return [(theirs, ours) for theirs, ours in ROW.findall(section) if "`" in theirs]


def test_the_names_of_the_table_are_ours_and_those_of_others_are_not() -> None:
    rows = _table()
    assert len(rows) > 15
    ours = {name for _, cell in rows for name in NAME.findall(cell) if "/" not in name and "=" not in name}
    theirs = {name for cell, _ in rows for name in NAME.findall(cell) if "/" not in name}

    assert ours - _known() == {"PATCH"}
    assert theirs & _known() == {"pending", "done"}


def test_the_service_refuses_their_names_and_takes_ours(client: httpx.Client) -> None:
    for theirs, ours in _table():
        for address in (name for name in NAME.findall(theirs) if name.startswith("/")):
            assert client.get(address.replace("{id}", "0197c1f0-7a3b-7c4d-8e5f-6a7b8c9d0e1f")).status_code in {404, 405}
        for address in (name for name in NAME.findall(ours) if name.startswith("/") and "{" not in name):
            assert client.get(address).status_code == 200, address
    for name in NAME.findall(_table()[0][0]):
        assert client.post("/api/tasks", json={"title": "Buy milk", name: "x"}).status_code == 422


def test_the_python_of_the_page_works(
    api: API, user_id: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    (code,) = [block.text for block in blocks(PAGE) if block.language == "python"]

    exec(code.replace(DOCUMENTED_ADDRESS, api.base_url).replace("eyJ…", token_of(user_id)), {})  # noqa: S102 - as printed

    assert capsys.readouterr().out == "Buy milk\n"
