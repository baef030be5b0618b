"""How the example page looks: to axe, in both modes, at every width, and with few tasks or many."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser

from tests.fixtures.browsers.app import opened
from tests.fixtures.browsers.axe import findings, needs_axe
from tests.fixtures.browsers.chromium import Watched, watched
from tests.fixtures.calls.lists import make
from tests.fixtures.calls.tasks import create, path_of
from tests.fixtures.running.waiting import until

pytestmark = pytest.mark.requirement("FR-456")

PHONE = 390
WIDTHS = (PHONE, 820, 1280, 1920)
FIRST_ROW = {PHONE: 360, 820: 360, 1280: 240, 1920: 240}  # pixels from the top, at most
LONG = " with a title that is so long that it does not fit a line of a phone"
BATCH = 100  # operations of one request
# The titles on which a handle that is seen lies.
COVERED = """() => [...document.querySelectorAll("#board .task")].filter((task) => {
  const handle = task.querySelector(".grip"), words = document.createRange();
  words.selectNodeContents(task.querySelector(".title"));
  const { left, right, top, bottom } = handle.getBoundingClientRect();
  const isOn = (box) => box.left < right && box.right > left && box.top < bottom && box.bottom > top;
  return getComputedStyle(handle).opacity > 0 && [...words.getClientRects()].some(isOn);
}).map((task) => task.textContent)"""


def fill(user: httpx.Client) -> str:
    """Make tasks of all kinds; returns the id of one that has it all."""
    day = date.today()  # noqa: DTZ011 - as the browser on this machine sees it
    home = make(user, "Home", color="#228b22")["id"]
    make(user, "Last year", archived=True)
    due = f"{day}T23:30:00Z"
    labels = ["errand", "phone"]
    task = create(
        user, "Fix https://example.com/tap", description="½ inch", due_at=due, priority="medium", labels=labels
    )
    user.patch(path_of(task), json={"list_id": home}).raise_for_status()
    create(user, "Turn it off", parent_id=task["id"], completed=True)
    create(user, "Buy a washer", parent_id=task["id"])
    create(user, "Pay the rent", due_date=str(day - timedelta(days=2)), priority="high", list_id=home)
    create(user, "Call Ada", due_date=str(day + timedelta(days=1)), priority="low", status="in_progress")
    create(user, "Renew it", due_date=str(day + timedelta(days=400)), status="cancelled")
    create(user, "Some day", due_date=str(day), labels=["home"])
    return str(task["id"])


@needs_axe
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [PHONE, 1280])
def test_axe_finds_nothing(browser: Browser, user: httpx.Client, width: int, scheme: str) -> None:
    task = fill(user)
    with watched(browser, width) as visit:
        page = visit.page
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        board = opened(visit, user, "today/list")
        for place in ("today/list", "all/board", "upcoming/list", "trash"):
            board.go(place)
            assert findings(page) == [], place
        board.go("all/list")
        page.get_by_role("button", name="Cancelled").click()
        board.find().get_by_label("Label").focus()
        board.field().fill("Call tomorrow 9am p1 @phone #Home")
        board.title("Some day").wait_for()
        assert findings(page) == []
        board.press("Escape")
        board.tick("Some day").click()
        board.says("is done")
        page.evaluate(f"location.hash = '#task/{task}'")
        page.locator("#panel").get_by_text("Subtasks, 1 of 2").wait_for()
        page.get_by_label("Notes").fill("typed")
        user.patch(f"/api/tasks/{task}", json={"description": "theirs"}).raise_for_status()
        page.get_by_role("button", name="Keep mine").wait_for()
        assert findings(page) == []
        page.get_by_role("button", name="Keep mine").click()
        board.is_saved()
        board.close()
        board.grip("Pay the rent").focus()
        board.press("Enter")
        assert findings(page) == []
        board.press("Escape", "?")
        page.get_by_role("dialog", name="Shortcuts").wait_for()
        assert findings(page) == []
        board.press("Escape")
        page.context.set_offline(True)
        page.locator("#strip").wait_for()
        assert findings(page) == []


@needs_axe
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_menus_offers_and_dialogs(
    browser: Browser, user: httpx.Client, scheme: str, tmp_path: Path
) -> None:
    fill(user)
    user.delete(path_of(create(user, "Gone"))).raise_for_status()
    (tmp_path / "tasks.csv").write_text("title,due_date\nBuy tea,someday\n")
    with watched(browser) as visit:
        page = visit.page
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        board = opened(visit, user, "all/list")
        board.field().fill("Call #Nobody")
        page.get_by_role("button", name="Make the list “Nobody”").wait_for()
        board.card("Pay the rent").hover()
        page.get_by_role("button", name="Plan: Pay the rent").click()
        assert findings(page) == []
        board.press("Escape")
        board.find().get_by_label("Priority").select_option("High")
        page.get_by_role("button", name="Account").click()
        assert findings(page) == []
        board.press("Escape")
        page.locator("#file").set_input_files(tmp_path / "tasks.csv")
        page.get_by_text("could not be read").wait_for()
        assert findings(page) == []
        board.press("Escape")
        board.go("trash")
        page.get_by_role("button", name="Delete Gone for good").click()
        assert findings(page) == []
        board.press("Escape")
        board.go("all/board")
        page.get_by_role("button", name="Add to Done").click()
        assert findings(page) == []


@needs_axe
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_while_there_is_nothing(browser: Browser, user: httpx.Client, scheme: str) -> None:
    with watched(browser, PHONE) as visit:
        visit.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        visit.page.goto(f"{user.base_url}/app")
        visit.page.get_by_label("Email").wait_for()
        assert findings(visit.page) == []
        opened(visit, user, "all/list")
        visit.page.get_by_role("heading", name="Your first task").wait_for()
        assert findings(visit.page) == []
        visit.page.get_by_role("button", name="Lists", exact=True).click()
        assert findings(visit.page) == []


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_wider_than_the_window_and_the_first_task_is_near_the_top(
    browser: Browser, user: httpx.Client, width: int
) -> None:
    with watched(browser, width) as visit:
        board = opened(visit, user, "all/list")  # without tasks
        assert board.width() <= width
        fill(user)
        for number in range(24):
            create(user, f"task {number}{LONG}")
        for place in ("all/board", "today/list", "all/list"):
            board.go(place)
            board.title("Some day" if place == "today/list" else f"task 23{LONG}").wait_for()
            assert board.width() <= width, place
            assert visit.page.evaluate(COVERED) == [], place
            first = visit.page.locator("#board .task").first.bounding_box()
            assert first
            assert first["y"] <= FIRST_ROW[width], place
        board.edit(f"task 23{LONG}")
        assert board.width() <= width
        assert visit.is_calm(), visit


def test_a_thousand_tasks_come_page_by_page(visit: Watched, user: httpx.Client) -> None:
    home = make(user, "Home")
    for first in range(0, 1000, BATCH):
        titles = [f"task {number:03}" for number in range(first, first + BATCH)]
        operations = [{"op": "create", "data": {"title": title, "list_id": home["id"]}} for title in titles]
        user.post("/api/tasks/batch", json={"operations": operations}).raise_for_status()
    board = opened(visit, user, f"list/{home['id']}/list")

    until(lambda: visit.page.locator("#board .task").count() == 25)
    until(lambda: board.list_named("Home").locator(".count").inner_text() == "1000")
    visit.page.get_by_role("button", name="More tasks").click()
    until(lambda: visit.page.locator("#board .task").count() == 50)
    assert visit.page.locator("#board .title").last.inner_text() == "task 049"
    board.find().get_by_label("Search").fill("777")
    until(lambda: visit.page.locator("#board .title").all_inner_texts() == ["task 777"])
    assert visit.is_calm(), visit
