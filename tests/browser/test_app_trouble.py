"""The example page while the service cannot be reached, or limits the user."""

from __future__ import annotations

import httpx
import pytest
from playwright.sync_api import Route

from tests.fixtures.browsers.app import opened
from tests.fixtures.browsers.chromium import Watched
from tests.fixtures.calls.tasks import create
from tests.fixtures.running.waiting import until

pytestmark = pytest.mark.requirement("FR-453")


def test_without_a_connection_a_strip_says_so_until_it_is_back(visit: Watched, user: httpx.Client) -> None:
    create(user, "Buy milk")
    board = opened(visit, user, "all/list")
    strip = visit.page.locator("#strip")
    assert strip.is_hidden()

    visit.page.context.set_offline(True)
    strip.get_by_text("No connection.").wait_for()
    strip.get_by_text("What you type is kept.").wait_for()
    assert board.title("Buy milk").is_visible()
    visit.page.context.set_offline(False)
    create(user, "Buy tea")
    board.title("Buy tea").wait_for()
    until(strip.is_hidden)


def test_a_limit_counts_down_and_can_be_tried_at_once(visit: Watched, user: httpx.Client) -> None:
    board = opened(visit, user, "all/list")
    strip = visit.page.locator("#strip")

    def limit(route: Route) -> None:
        error = {"error": {"code": "RATE_LIMITED", "message": "Too many requests.", "details": []}}
        route.fulfill(status=429, headers={"Retry-After": "20"}, json=error)

    visit.page.route("**/api/tasks", limit)
    board.add("Buy milk")
    strip.get_by_text("Too many requests.").wait_for()
    strip.get_by_text("“Buy milk” will be saved in").wait_for()
    seconds = int("".join(filter(str.isdigit, strip.locator(".rest").inner_text())))
    assert 0 < seconds <= 21  # the client waits up to a second longer
    visit.page.unroute("**/api/tasks")
    board.list_named("Inbox").click()  # which gets through
    board.settled()
    assert strip.is_visible()  # as long as the task waits
    strip.get_by_role("button", name="Try now").click()
    board.title("Buy milk").wait_for()
    until(strip.is_hidden)
    assert [task["title"] for task in user.get("/api/tasks").json()["data"]] == ["Buy milk"]


def test_a_service_that_is_away_is_asked_again(visit: Watched, user: httpx.Client) -> None:
    create(user, "Buy milk")
    board = opened(visit, user, "all/list")
    visit.page.route("**/api/tasks?*", lambda route: route.fulfill(status=503, body=""))

    board.list_named("Inbox").click()
    visit.page.locator("#strip").get_by_text("The service does not answer.").wait_for()
    visit.page.unroute("**/api/tasks?*")
    visit.page.locator("#strip").get_by_role("button", name="Try again").click()
    board.title("Buy milk").wait_for()
    until(visit.page.locator("#strip").is_hidden)
