"""The example page with subtasks: folded under their task, and added, completed and moved there."""

from __future__ import annotations

import httpx
import pytest
from playwright.sync_api import Browser

from tests.fixtures.browser import Watched, watched
from tests.fixtures.browser_app import opened
from tests.fixtures.browser_hands import mouse_drag, spot
from tests.fixtures.waiting import until

PHONE = 390


def make(user: httpx.Client, title: str, parent: str | None = None) -> str:
    """Create a task, and return its id."""
    answer = user.post("/api/tasks", json={"title": title, "parent_id": parent})
    task_id: str = answer.raise_for_status().json()["data"]["id"]
    return task_id


@pytest.mark.requirement("FR-371")
def test_subtasks_are_folded_under_their_task_and_followed(browser: Browser, user: httpx.Client) -> None:
    top = make(user, "top")
    below = make(user, "below", top)
    make(user, "deep", below)
    with watched(browser, PHONE) as visit:
        board = opened(visit, user)
        page = visit.page
        toggle = page.get_by_role("button", name="Subtasks of top: 0 of 1 done")
        assert toggle.get_attribute("aria-expanded") == "false"
        assert page.get_by_role("heading", name="below").is_hidden()
        toggle.focus()
        board.press("Enter")
        page.get_by_role("button", name="Subtasks of below: 0 of 1 done").click()
        page.get_by_role("list", name="Subtasks of below").get_by_role("heading", name="deep").wait_for()
        page.reload()
        page.get_by_role("list", name="Subtasks of below").get_by_role("heading", name="deep").wait_for()
        assert board.width() <= PHONE

        page.get_by_role("textbox", name="New subtask of top").fill("second")
        board.press("Enter")
        board.says("“second” is added.")
        page.get_by_role("checkbox", name="Done: second").click()
        page.get_by_role("button", name="Subtasks of top: 1 of 2 done").wait_for()
        until(lambda: user.get(f"/api/tasks?parent_id={top}&status=done").json()["data"])
        user.delete(f"/api/tasks/{below}", headers={"If-Match": "*"}).raise_for_status()
        page.get_by_role("button", name="Subtasks of top: 1 of 1 done").wait_for()
        assert visit.is_calm(), visit


@pytest.mark.requirement("FR-371")
def test_a_subtask_is_dragged_out_and_a_task_is_dragged_in(visit: Watched, user: httpx.Client) -> None:
    top = make(user, "top")
    make(user, "sub", top)
    other = make(user, "other")
    board = opened(visit, user)
    page = visit.page
    page.get_by_role("button", name="Subtasks of top: 0 of 1 done").click()

    mouse_drag(page, page.get_by_role("heading", name="other"), spot(page.get_by_role("heading", name="sub"), 0.1))
    until(lambda: user.get(f"/api/tasks/{other}").json()["data"]["parent_id"] == top)
    page.get_by_role("button", name="Subtasks of top: 0 of 2 done").wait_for()
    mouse_drag(page, page.get_by_role("heading", name="other"), spot(page.locator("#todo h2")))
    until(lambda: user.get(f"/api/tasks/{other}").json()["data"]["parent_id"] is None)
    page.get_by_role("button", name="Subtasks of top: 0 of 1 done").wait_for()
    assert board.message() == ""
    assert visit.is_calm(), visit
