"""The calls of the client, each against the running service."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.calls.api import API
from tests.fixtures.documents.contract import operations
from tests.fixtures.node.client_calls import called
from tests.fixtures.node.clients import needs_node
from tests.fixtures.node.drop_in import token_of

PROGRAM = "client_calls.mjs"
# What the client has no call for: PATCH does what PUT does; programs that watch a service, and people who look around.
NO_CALL = {"update_task", "post_complete_task", "get_directory", "check_liveness", "check_readiness"}
# Those of the sign-in have tests of their own; OAuth 2's form is for other programs.
SIGN_IN = ("/api/auth", "/api/me/password")

pytestmark = needs_node


@pytest.fixture
def use(tmp_path: Path, api: API, user_id: str) -> Any:
    """Runs one of the uses as a new user."""
    return lambda name: called(PROGRAM, tmp_path, name, api.base_url, token_of(user_id))


def operation_of(request: str) -> str:
    """Return the operation that a request reached: of those whose paths fit, the one with the fewest parameters."""
    method, path = request.split(" ")
    fitting = {
        name: operation.path.count("{")
        for name, operation in operations().items()
        if operation.method.upper() == method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", operation.path), path)
    }
    return min(fitting, key=fitting.__getitem__)


@pytest.mark.requirement("FR-564")
def test_there_is_a_call_for_every_operation(use: Any) -> None:
    said = use("everyCall")

    assert said["got"] == {
        "below": ["Buy tea"], "got": {"total": 1, "done": 0}, "toggled": [True, False], "completed": "done",
        "counts": {"todo": 1, "in_progress": 0, "done": 0, "cancelled": 0}, "moved": True,
        "lists": [["Home", 1], ["Work", 0]], "list": "Work", "labels": ["errand"], "label": "#228b22",
        "renamed": "house", "token": "tk_", "tokens": 1, "account": "Europe/Berlin", "imported": 1, "exported": 4,
        "everything": True, "batch": [200], "restored": "Buy milk", "trashed": True, "undone": "Buy milk",
        "changes": {"changes": 1}, "events": [{"title": "Buy oat milk"}], "page": False, "back": "Home",
        "change": "task", "polled": "task",
    }  # fmt: skip
    signing_in = {name for name, operation in operations().items() if operation.path.startswith(SIGN_IN)}
    assert {operation_of(request) for request in said["asked"]} == set(operations()) - NO_CALL - signing_in


@pytest.mark.requirement("FR-562")
def test_a_result_is_plain_data(use: Any) -> None:
    whole = [["Buy milk"], 1, None, 2]  # the task and its length: nothing is hidden

    assert use("plain")["got"] == [whole] * 3


@pytest.mark.requirement("FR-563")
def test_all_pages_are_read_as_they_are_needed(use: Any) -> None:
    names = [f"task {number}" for number in range(7)]

    assert use("all")["got"] == {
        "every": names, "five": names[:5], "pages": 2, "none": [], "again": 7, "tooMany": "RangeError"
    }  # fmt: skip


@pytest.mark.requirement("FR-567")
def test_nothing_is_left_behind_at_a_signal(use: Any) -> None:
    assert use("listeners")["got"] == {"afterCalls": 0, "failed": "NO_ANSWER", "afterWaits": 0, "atEnd": 0}


@pytest.mark.requirement("FR-567")
def test_an_aborted_call_fails_as_the_platform_says(use: Any) -> None:
    assert use("aborted")["got"] == ["AbortError"] * 3


@pytest.mark.requirement("FR-569")
def test_a_callback_gets_each_change_until_it_is_ended(use: Any) -> None:
    assert use("subscribe")["got"] == {
        "seen": [["task", "first"], ["list", "Home"], ["list", "the list"]],
        "polled": ["first", "unseen", "last"],
        "gone": "GONE",
    }


@pytest.mark.requirement("FR-568")
def test_what_has_a_key_is_carried_out_once(use: Any) -> None:
    assert use("lostAnswers")["got"] == [True, "Buy milk", ["a"], 1]


@pytest.mark.requirement("FR-568")
def test_an_error_of_another_copy_is_an_error(use: Any) -> None:
    assert use("anotherCopy")["got"] == [True, True, False]


@pytest.mark.requirement("FR-568")
def test_a_proxy_may_say_when_as_a_date(use: Any) -> None:
    assert use("retryAfterADate")["got"] == [True, None]  # NaN, in JSON
