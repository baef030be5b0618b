"""The client's sign-in: who is signed in, and how that is renewed and kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.calls.api import API
from tests.fixtures.calls.sign_in import PASSWORD, new_email
from tests.fixtures.node.client_calls import called
from tests.fixtures.node.clients import needs_node

PROGRAM = "client_sign_in.mjs"
REFUSED = "401 UNAUTHORIZED"

pytestmark = needs_node


@pytest.fixture
def use(tmp_path: Path, api: API) -> Any:
    """Runs one of the uses as somebody who registers."""
    return lambda name: called(PROGRAM, tmp_path, name, api.base_url, new_email(), PASSWORD)["got"]


@pytest.mark.requirement("FR-570", "FR-573")
def test_one_registers_works_logs_out_and_in_again(use: Any) -> None:
    got = use("life")

    user, is_own, is_on = got["seen"]
    assert (user["id"], user["name"], is_own, is_on) == (got["id"], "Anna", True, True)
    assert got["after"] == [None, 0, REFUSED]
    assert (got["ended"], got["again"]) == ("SESSION_ENDED", 1)


@pytest.mark.requirement("FR-571")
def test_a_token_is_renewed_before_its_last_minute(use: Any) -> None:
    assert use("early") == [0, ["POST /api/auth/refresh", "GET /api/tasks"]]


@pytest.mark.requirement("FR-571")
def test_many_refused_calls_share_one_renewal(use: Any) -> None:
    assert use("storm") == [1, True, True]


@pytest.mark.requirement("FR-571")
def test_tabs_that_wake_up_at_once_stay_signed_in(use: Any) -> None:
    assert use("tabs") == ["done", "done", "done", "done", True]


@pytest.mark.requirement("FR-572")
def test_whoever_signs_out_during_a_renewal_stays_signed_out(use: Any) -> None:
    assert use("signedOutMeanwhile") == [REFUSED, 0]


@pytest.mark.requirement("FR-572")
def test_a_call_is_never_made_for_somebody_else(use: Any) -> None:
    assert use("somebodyElseMeanwhile") == [REFUSED, 0, True]


@pytest.mark.requirement("FR-572")
def test_offline_is_not_signed_out(use: Any) -> None:
    assert use("offline") == ["done", "0 NO_ANSWER", "done", True]


@pytest.mark.requirement("FR-572")
def test_an_ended_session_is_forgotten(use: Any) -> None:
    assert use("ended") == [REFUSED, 0, None]


@pytest.mark.requirement("FR-572")
def test_the_newer_session_of_another_tab_is_taken(use: Any) -> None:
    assert use("adopted") == ["done", True]


@pytest.mark.requirement("FR-570")
def test_a_new_password_ends_other_sessions_and_not_this_one(use: Any) -> None:
    wrong, *rest = use("newPassword")

    assert wrong == "422 VALIDATION_ERROR"
    assert rest == ["done", True, "401 SIGN_IN_FAILED"]


@pytest.mark.requirement("FR-570")
def test_one_can_always_log_out(use: Any) -> None:
    assert use("logoutOffline") == ["done", 0]


@pytest.mark.requirement("FR-570")
def test_a_client_with_a_token_does_not_sign_in(use: Any) -> None:
    listed, said, user = use("givenToken")

    assert (listed, user) == ("done", None)
    assert "without a token" in said


@pytest.mark.requirement("FR-573")
def test_each_client_outside_a_browser_has_its_own_session(use: Any) -> None:
    assert use("inMemory") == [True, None, REFUSED]
