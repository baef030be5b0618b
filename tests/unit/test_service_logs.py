"""What a failing test shows of a long log."""

from __future__ import annotations

import pytest

from tests.fixtures.telemetry.service_logs import MAX_CHARACTERS, shortened

pytestmark = pytest.mark.requirement("FR-235")

SERVED = "GET /api/tasks/{task_id} 200 1.0 ms\n"
REFUSED = "GET /api/tasks/{task_id} 503 1.0 ms request_id=a1\n"
WARNING = "2026-11-22T23:32:58Z [warning  ] database_interrupted    reason='x'\n"


def test_a_short_log_is_shown_whole() -> None:
    assert shortened(SERVED + WARNING) == SERVED + WARNING


def test_of_a_long_log_successful_requests_are_left_out() -> None:
    log = WARNING + REFUSED + SERVED * MAX_CHARACTERS + REFUSED

    assert shortened(log) == f"({MAX_CHARACTERS} successful requests are left out)\n{WARNING}{REFUSED}{REFUSED}"


def test_the_end_of_what_is_left_is_shown() -> None:
    log = WARNING * MAX_CHARACTERS + REFUSED

    assert shortened(log).endswith(WARNING + REFUSED)
    assert len(shortened(log)) < MAX_CHARACTERS + 100
