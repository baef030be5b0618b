"""Which path was probably meant by one that does not exist."""

from __future__ import annotations

import difflib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.utils import similar_paths
from backend.utils.similar_paths import MAX_PATH_LENGTH, similar_path

pytestmark = pytest.mark.requirement("FR-315")

TEMPLATES = [
    *("/api/tasks", "/api/tasks/{task_id}", "/api/tasks/{task_id}/complete", "/api/tasks/batch", "/api/changes"),
    *("/api/me", "/api/me/tokens", "/api/me/tokens/{token_id}", "/health/live", "/docs", "/"),
]


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("/tasks", "/api/tasks"),
        ("/api/task", "/api/tasks"),
        ("/api/v1/tasks", "/api/tasks"),
        ("/v2/api/tasks", "/api/tasks"),
        ("/API/TASKS", "/api/tasks"),
        ("//api//tasks//", "/api/tasks"),
        ("/api/task/7", "/api/tasks/{task_id}"),
        ("/tasks/7/complet", "/api/tasks/{task_id}/complete"),
        ("/task/batch", "/api/tasks/batch"),
        ("/task/batches", "/api/tasks/batch"),
        ("/me/token/7", "/api/me/tokens/{token_id}"),
        ("/api/change", "/api/changes"),
        ("/doc", "/docs"),
        *((path, None) for path in ("", "/", "/api", "/api/v1", "/nothing", "/api/nothing", "/api/todos", "/health")),
        *((path, None) for path in ("/api/tasks/7/toggle", "/api/tasks/7/8/9", "/favicon.ico", "/api/users/7")),
        *((path, None) for path in ("/api/\0", "/\ud800", "/<script>", "/api/tokens", "/t")),
    ],
)
def test_the_path_that_was_probably_meant_is_found(path: str, meant: str | None) -> None:
    assert similar_path(path, TEMPLATES) == meant


@given(st.text(max_size=MAX_PATH_LENGTH))
def test_whatever_the_path_nothing_but_a_template_is_named(path: str) -> None:
    assert similar_path(f"/{path}"[:MAX_PATH_LENGTH], TEMPLATES) in {None, *TEMPLATES}


def test_a_long_path_is_not_compared_and_a_long_part_only_by_its_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[str] = []

    class Counted(difflib.SequenceMatcher[str]):
        def __init__(self, a: str, b: str) -> None:
            super().__init__(a=a, b=b)
            self.part = a

        def ratio(self) -> float:
            compared.append(self.part)
            return super().ratio()

    monkeypatch.setattr(similar_paths, "SequenceMatcher", Counted)
    for path in ("/api/tasks/" + "x" * MAX_PATH_LENGTH, "/" * 10**6, "/tasks" * 10**5, "/" + "tasks" * 19):
        assert similar_path(path, TEMPLATES) is None
    assert compared == []
    assert similar_path("/task", TEMPLATES) == "/api/tasks"
    assert compared == ["task"]


def test_without_templates_there_is_nothing_to_suggest() -> None:
    none: list[Any] = []
    assert similar_path("/api/tasks", none) is None
