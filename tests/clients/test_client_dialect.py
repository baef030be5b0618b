"""Pages that speak another service's dialect, over the client's fetch."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.calls.api import API
from tests.fixtures.documents.guide_blocks import GUIDE, blocks
from tests.fixtures.node.client_calls import called
from tests.fixtures.node.clients import run
from tests.fixtures.node.drop_in import token_of
from tests.fixtures.node.package import built, needs_package

pytestmark = needs_package


@pytest.fixture(scope="module")
def package() -> Any:
    """The package, built."""
    with built() as folder:
        yield folder


@pytest.fixture
def use(package: Path, tmp_path: Path, api: API, user_id: str) -> Any:
    """Runs one of the pages as a new user."""
    return lambda name: called("client_dialect.mjs", tmp_path, name, api.base_url, token_of(user_id), package=package)


@pytest.mark.requirement("FR-577")
def test_a_page_of_a_mongo_service_works(use: Any) -> None:
    said = use("mongo")

    assert said["got"] == {
        "made": ["Buy milk", "2026-12-01", "urgent", False, False],
        "toggled": True,
        "edited": ["Buy oat milk", False],
        "found": ["Buy oat milk"],
        "wrong": ["title: Must not be empty or blank.", True],
        "removed": {},
    }
    assert {request.split("/")[2] for request in said["asked"]} == {"tasks"}


@pytest.mark.requirement("FR-577")
def test_a_page_with_numbered_pages_works(use: Any) -> None:
    assert use("numbered")["got"] == {"second": [["c", "d"], 5], "skipped": ["e"], "one": "c", "changed": "z"}


@pytest.mark.requirement("FR-577")
def test_a_page_may_go_on_naming_its_old_service(use: Any) -> None:
    said = use("elsewhere")

    assert said["got"] == {"made": ["", "pending"], "toggled": "completed", "found": 1}
    assert {request.split("/")[2] for request in said["asked"]} == {"tasks"}


@pytest.mark.requirement("FR-577", "FR-604")
def test_a_page_without_tokens_works(use: Any) -> None:
    assert use("cookie")["got"] == {
        "unknown": ["fail", True],
        "registered": "success",
        "made": ["success", "Buy milk", "to-do"],
        "edited": ["success", "done"],
        "found": ["Buy milk"],
        "removed": "success",
        "left": ["success", 0, "fail"],
        "back": ["success", 0],
    }


@pytest.mark.requirement("FR-577")
def test_what_is_not_the_services_passes_untouched(use: Any) -> None:
    assert use("untouched")["got"] == [True, "data:application/json,{}", "{}", True, "kept"]


@pytest.mark.requirement("FR-578")
def test_axios_speaks_it_too(use: Any) -> None:
    assert use("throughAxios")["got"] == {
        "made": [201, "Buy milk"], "toggled": True, "found": 1, "isCancel": True, "missing": [True, 404, True]
    }  # fmt: skip


@pytest.mark.requirement("FR-577", "FR-595")
def test_the_dialect_of_the_guide_works(package: Path, tmp_path: Path, api: API, user_id: str) -> None:
    (code,) = [block.text for block in blocks(GUIDE / "frontends.md") if block.language == "javascript"]
    for theirs, ours in {
        "task-api-client/dialect": "./dialect.js",
        "http://127.0.0.1:8000": api.base_url,
        "eyJ…": token_of(user_id),
    }.items():
        assert theirs in code
        code = code.replace(theirs, ours)
    for path in package.glob("dist/*.js"):
        shutil.copy(path, tmp_path)
    (tmp_path / "page.mjs").write_text(code, encoding="utf-8")

    assert run("node", "page.mjs", folder=tmp_path).strip() == code.rpartition("// ")[2].strip()
