"""Planning on the example page by one press, dragging cards, adding in a column, and making a list while typing."""

from __future__ import annotations

from datetime import date, timedelta

import httpx
import pytest
from playwright.sync_api import Browser

from tests.fixtures.browsers.app import opened
from tests.fixtures.browsers.chromium import Watched, watched
from tests.fixtures.browsers.hands import mouse_drag, spot
from tests.fixtures.calls.lists import make
from tests.fixtures.calls.tasks import create, read
from tests.fixtures.running.waiting import until

PHONE = 390


def day(plus: int) -> str:
    """Return a day as the browser on this machine sees it."""
    return (date.today() + timedelta(days=plus)).isoformat()  # noqa: DTZ011


@pytest.mark.requirement("FR-489")
def test_a_row_is_planned_by_one_press_and_undone(visit: Watched, user: httpx.Client) -> None:
    task = create(user, "Buy milk")
    board = opened(visit, user, "all/list")

    board.card("Buy milk").hover()
    visit.page.get_by_role("button", name="Plan for tomorrow: Buy milk").click()
    board.says("“Buy milk” is due tomorrow.")
    assert read(user, task)["due_date"] == day(1)
    board.card("Buy milk").hover()
    visit.page.get_by_role("button", name="Plan: Buy milk").click()
    menu = visit.page.get_by_role("dialog", name="Plan “Buy milk”")
    menu.get_by_label("On a day").fill("2030-01-31")
    board.says("“Buy milk” is due on Thu 31 Jan 2030.")
    until(lambda: read(user, task)["due_date"] == "2030-01-31")
    board.press("z")
    until(lambda: read(user, task)["due_date"] == day(1))
    assert visit.is_calm(), visit


@pytest.mark.requirement("FR-489")
def test_a_row_is_planned_by_keyboard(visit: Watched, user: httpx.Client) -> None:
    task = create(user, "Buy milk", due_date=day(3), start_date=day(2))
    board = opened(visit, user, "all/list")

    board.press("j")
    board.tab_to("Plan: Buy milk")
    board.press("Enter")
    assert board.focused() == "Today"
    board.tab_to("High")
    board.press("Enter")
    until(lambda: read(user, task)["priority"] == "high")
    board.tab_to("Plan: Buy milk")
    board.press("Enter")
    board.tab_to("No date")
    board.press("Enter")
    board.says("“Buy milk” has no date now.")
    assert (read(user, task)["due_date"], read(user, task)["start_date"]) == (None, None)
    assert board.focused() == "Buy milk"
    assert visit.is_calm(), visit


@pytest.mark.requirement("FR-489")
def test_a_phone_plans_in_the_panel(browser: Browser, user: httpx.Client) -> None:
    task = create(user, "Buy milk")
    with watched(browser, PHONE, has_touch=True) as visit:
        board = opened(visit, user, "all/list")
        form = board.edit("Buy milk")
        form.get_by_role("button", name="Tomorrow").click()
        until(lambda: read(user, task)["due_date"] == day(1))
        assert form.get_by_label("Due", exact=True).input_value() == day(1)
        board.is_saved()
        assert visit.is_calm(), visit


@pytest.mark.requirement("FR-369")
def test_a_card_is_dragged_by_its_title_and_a_press_still_opens_it(visit: Watched, user: httpx.Client) -> None:
    task = create(user, "Buy milk")
    board = opened(visit, user, "all/board")

    column = visit.page.get_by_role("region", name="In progress")
    mouse_drag(visit.page, board.title("Buy milk"), spot(column))
    board.shows(todo=[], in_progress=["Buy milk"])
    until(lambda: read(user, task)["status"] == "in_progress")
    assert visit.page.locator("#panel").is_hidden()
    board.edit("Buy milk")
    assert visit.is_calm(), visit


@pytest.mark.requirement("FR-490")
def test_a_column_takes_a_new_task_at_its_foot(visit: Watched, user: httpx.Client) -> None:
    home = make(user, "Home")
    board = opened(visit, user, f"list/{home['id']}/board")

    visit.page.get_by_role("button", name="Add to In progress").click()
    assert board.focused() == "Title for In progress"
    visit.page.keyboard.type("Paint p1")
    board.press("Enter")
    board.shows(in_progress=["Paint"])
    visit.page.keyboard.type("Sand")
    board.press("Enter")
    board.shows(in_progress=["Paint", "Sand"])
    board.press("Escape")
    assert board.focused() == "Add to In progress"
    tasks = user.get("/api/tasks", params={"list_id": home["id"], "priority": "high"}).json()["data"]
    assert [(task["title"], task["status"]) for task in tasks] == [("Paint", "in_progress")]
    assert visit.is_calm(), visit


@pytest.mark.requirement("FR-450")
def test_a_list_that_does_not_exist_is_offered(visit: Watched, user: httpx.Client) -> None:
    make(user, "Groceries")
    board = opened(visit, user, "all/list")
    board.list_named("Groceries").wait_for()

    board.field().fill("Buy paint #Home tomorrow")
    visit.page.get_by_role("button", name="Make the list “Home”").click()
    visit.page.get_by_role("button", name="Not a list: Home").wait_for()
    assert board.focused() == "New task"
    board.press("Enter")
    board.title("Buy paint").wait_for()
    home = next(each for each in user.get("/api/lists").json()["data"] if each["name"] == "Home")
    (task,) = user.get("/api/tasks").json()["data"]
    assert (task["title"], task["list_id"]) == ("Buy paint", home["id"])
    board.add("Call #Ada")
    board.says("“Call #Ada” is added. There is no list “Ada”.")
    board.field().fill("Buy milk #Gro")
    visit.page.get_by_role("button", name="Groceries", exact=True).click()
    assert board.field().input_value() == "Buy milk #Groceries "
    visit.page.get_by_role("button", name="Not a list: Groceries").wait_for()
    assert visit.is_calm(), visit
