"""What a failing test shows of a long log."""

from __future__ import annotations

import pytest

from tests.fixtures.service_logs import MAX_CHARACTERS, shortened

pytestmark = pytest.mark.requirement("FR-235")

SERVED = "2026-11-22T23:32:58Z [info     ] request    user='alice' route='/api/me' status=200 duration_ms=1.0\n"
REFUSED = SERVED.replace("status=200", "status=503")
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
