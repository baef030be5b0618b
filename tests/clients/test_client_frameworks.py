"""The client under the frameworks that pages are made with: what these copy, keep and repeat."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.calls.api import API
from tests.fixtures.node.client_calls import called
from tests.fixtures.node.drop_in import EXAMPLES, token_of
from tests.fixtures.node.package import PACKAGE, needs_package

MAX_HOOK_LINES = 60

pytestmark = needs_package


@pytest.fixture
def use(tmp_path: Path, api: API, user_id: str) -> Any:
    """Runs one of the uses as a new user; no framework may complain."""

    def run(name: str) -> Any:
        said = called("client_frameworks.mjs", tmp_path, name, api.base_url, token_of(user_id), package=PACKAGE)
        assert said["complaints"] == []
        return said["got"]

    return run


@pytest.mark.requirement("FR-574", "FR-605")
@pytest.mark.parametrize(
    ("name", "got"),
    [
        ("refetch", [[["a"], True, True]] * 3),
        ("infinite", [[["a", "b"], ["c", "d"], ["e"]]] * 2),
        ("optimistic", ["b", 412, "b"]),
        ("persisted", [["a"], False]),
        ("redux", [["a", "b"], 1000, {"status": 422, "code": "VALIDATION_ERROR"}]),
        ("props", ["<p>&lt;b&gt;a&lt;/b&gt; false</p>", True]),
        ("plain", []),
        ("hydration", [["a false null", "b false null"], True, []]),
    ],
)
def test_a_framework_keeps_the_whole_result(use: Any, name: str, got: Any) -> None:
    assert use(name) == got


@pytest.mark.requirement("FR-575")
def test_the_hook_is_live_in_strict_mode_and_leaves_nothing_behind(use: Any) -> None:
    assert use("hook") == {"problem": 422}


@pytest.mark.requirement("FR-575")
def test_the_hook_is_short() -> None:
    assert len((EXAMPLES / "use-tasks.js").read_text(encoding="utf-8").splitlines()) < MAX_HOOK_LINES
