"""The lists of the example page in a real browser: choosing, making, renaming and deleting them, and moving tasks."""

from __future__ import annotations

import re
from contextlib import ExitStack

import httpx
import pytest
from playwright.sync_api import Browser, Locator

from tests.fixtures.browsers.app import Board, opened
from tests.fixtures.browsers.chromium import Watched, watched
from tests.fixtures.calls.lists import list_path, make
from tests.fixtures.calls.tasks import create, path_of, read
from tests.fixtures.running.waiting import until

PHONE, HEIGHT = 390, 900
EVERYWHERE = ["Inbox", "All tasks"]


def new_list(board: Board) -> Locator:
    """Unfold the form for a new list, and return it."""
    form = board.page.get_by_role("form", name="Add a list")
    if form.count() == 0:
        board.page.locator(".add-list").click()
    return form


def this_list(board: Board) -> Locator:
    """Unfold the form for the list that is shown, and return it."""
    form = board.page.get_by_role("form", name="This list")
    if form.count() == 0:
        board.page.get_by_role("button", name="Change this list").click()
    return form


def add_list(board: Board, name: str) -> None:
    form = new_list(board)
    form.get_by_label("New list").fill(name)
    form.get_by_role("button", name="Add list").click()


@pytest.mark.requirement("FR-345")
def test_a_list_is_made_filled_renamed_deleted_and_brought_back(visit: Watched, user: httpx.Client) -> None:
    create(user, "Call Ada")
    board = opened(visit, user)
    assert board.lists() == EVERYWHERE
    assert board.chosen() == "All tasks"

    form = new_list(board)
    form.get_by_label("New list").fill("Groceries")
    form.get_by_role("button", name="Add list").dblclick()
    board.says("The list “Groceries” is added.")
    assert [each["name"] for each in user.get("/api/lists").json()["data"]] == ["Groceries"]
    assert board.chosen() == "Groceries"
    board.shows(todo=[])
    board.add("Buy milk")
    board.shows(todo=["Buy milk"])
    board.list_named("Inbox").click()
    board.shows(todo=["Call Ada"])
    board.add("Call Bob")
    board.shows(todo=["Call Ada", "Call Bob"])
    board.list_named("All tasks").click()
    board.shows(todo=["Call Bob", "Buy milk", "Call Ada"])
    assert board.card("Buy milk").get_by_text("Groceries", exact=True).is_visible()
    assert board.card("Call Bob").get_by_text("Inbox").count() == 0

    board.list_named("Groceries").click()
    form = this_list(board)
    form.get_by_label("Name of this list").fill("Weekly groceries")
    form.get_by_role("button", name="Rename").click()
    until(lambda: board.lists() == [*EVERYWHERE, "Weekly groceries"])
    board.says("The list is now called “Weekly groceries”.")
    form.get_by_role("button", name="Delete list").click()
    board.says("The list “Weekly groceries” is in the trash, with its tasks.")
    board.shows(todo=["Call Bob", "Call Ada"])
    assert (board.lists(), board.chosen(), form.count()) == (EVERYWHERE, "All tasks", 0)
    visit.page.get_by_role("button", name="Undo").click()
    board.shows(todo=["Buy milk"])
    assert board.chosen() == "Weekly groceries"
    assert visit.is_calm(), visit


@pytest.mark.requirement("FR-345")
def test_a_task_is_moved_by_its_form_and_with_the_mouse(visit: Watched, user: httpx.Client) -> None:
    milk, tea = create(user, "Buy milk"), create(user, "Buy tea")
    home, shop = make(user, "Home"), make(user, "Shop")
    board = opened(visit, user)

    form = board.edit("Buy milk")
    assert form.get_by_label("List").locator("option").all_inner_texts() == ["Inbox", "Home", "Shop"]
    form.get_by_label("List").select_option("Shop")
    board.close()
    board.card("Buy milk").get_by_text("Shop", exact=True).wait_for()
    assert read(user, milk)["list_id"] == shop["id"]

    board.grip("Buy tea").drag_to(board.list_named("Home"))
    board.card("Buy tea").get_by_text("Home", exact=True).wait_for()
    until(lambda: read(user, tea)["list_id"] == home["id"])
    board.list_named("Home").click()
    board.shows(todo=["Buy tea"])
    board.grip("Buy tea").drag_to(visit.page.get_by_role("region", name="Done"))
    board.shows(todo=[], done=["Buy tea"])
    board.grip("Buy tea").drag_to(board.list_named("Inbox"))
    board.shows(done=[])
    until(lambda: (read(user, tea)["list_id"], read(user, tea)["status"]) == (None, "done"))
    visit.page.locator(".head h1").drag_to(board.list_named("Inbox"))  # no card
    assert visit.is_calm(), visit


@pytest.mark.requirement("FR-345", "FR-323", "FR-324")
def test_two_windows_see_each_others_lists(browser: Browser, user: httpx.Client) -> None:
    with ExitStack() as stack:
        visits = [stack.enter_context(watched(browser)) for _ in range(2)]
        here, there = (opened(visit, user) for visit in visits)

        add_list(here, "Groceries")
        until(lambda: there.lists() == [*EVERYWHERE, "Groceries"])
        there.list_named("Groceries").click()
        here.add("Buy milk")
        there.shows(todo=["Buy milk"])
        groceries = user.get("/api/lists").json()["data"][0]
        user.patch(f"/api/lists/{groceries['id']}", json={"name": "Shop"}).raise_for_status()
        until(lambda: (here.lists()[2:], here.chosen()) == (["Shop"], "Shop"))
        this_list(here).get_by_label("Name of this list").focus()
        there.list_named("Shop").focus()
        user.delete(f"/api/lists/{groceries['id']}").raise_for_status()
        until(lambda: {here.chosen(), there.chosen()} == {"All tasks"})
        until(lambda: {here.focused(), there.focused()} == {"All tasks"})  # without a count, since the task went along
        here.shows(todo=[])
        assert all(visit.is_calm() for visit in visits), visits


@pytest.mark.requirement("FR-345")
def test_a_reload_keeps_to_the_chosen_list_as_long_as_there_is_one(visit: Watched, user: httpx.Client) -> None:
    home = make(user, "Home")
    create(user, "Call Ada")
    create(user, "Buy paint", list_id=home["id"])
    board = opened(visit, user)
    board.list_named("Home").click()
    board.shows(todo=["Buy paint"])

    visit.page.reload()
    board.shows(todo=["Buy paint"])
    until(lambda: board.chosen() == "Home")
    board.add("Buy brushes")
    board.shows(todo=["Buy paint", "Buy brushes"])
    visit.page.goto("about:blank")
    user.delete(list_path(home)).raise_for_status()
    visit.page.go_back()
    board.shows(todo=["Call Ada"])
    assert board.chosen() == "All tasks"
    board.list_named("Inbox").click()
    board.sign_out()
    opened(visit, user)
    assert board.chosen() == "All tasks"
    assert visit.is_calm(), visit


@pytest.mark.requirement("FR-345", "FR-321")
def test_an_error_says_what_is_wrong_and_goes_with_the_next_action(visit: Watched, user: httpx.Client) -> None:
    make(user, "Home")
    board = opened(visit, user)
    add_list(board, "Garden")
    board.says("is added")

    add_list(board, "  ")
    assert re.fullmatch(r"Name: Must not be empty or blank\. \(Request \w+\)", board.says("blank"))
    board.list_named("Home").click()
    until(lambda: board.chosen() == "Home" and board.message() == "")
    add_list(board, "  ")
    board.says("blank")
    board.add("Buy milk")
    board.says("“Buy milk” is added.")
    add_list(board, "  ")
    board.says("blank")
    board.grip("Buy milk").drag_to(visit.page.get_by_role("region", name="Done"))
    board.shows(todo=[], done=["Buy milk"])
    board.says("“Buy milk” is moved.")
    assert visit.is_calm(), visit


@pytest.mark.requirement("FR-345")
def test_an_archived_list_is_not_at_the_side_and_keeps_its_tasks(visit: Watched, user: httpx.Client) -> None:
    old = make(user, "Last year", archived=True)
    task = create(user, "Buy milk", list_id=old["id"])
    board = opened(visit, user)
    assert board.lists() == EVERYWHERE

    board.card("Buy milk").get_by_text("Last year", exact=True).wait_for()
    form = board.edit("Buy milk")
    in_list = form.get_by_label("List")
    assert in_list.input_value() == old["id"]
    assert in_list.locator("option").all_inner_texts() == ["Inbox", "Last year (archived)"]
    form.get_by_label("Title").fill("Buy tea")
    user.patch(path_of(task), json={"list_id": None}).raise_for_status()
    until(lambda: in_list.input_value() == "")  # which nobody types here
    board.close()
    board.shows(todo=["Buy tea"])
    assert read(user, task)["list_id"] is None
    visit.page.get_by_text("Archived lists").click()
    visit.page.locator(".archive").get_by_role("link", name="Last year").click()
    board.shows(todo=[])
    this_list(board).get_by_role("button", name="Bring back from the archive").click()
    board.says("The list “Last year” is back from the archive.")
    until(lambda: board.lists() == [*EVERYWHERE, "Last year"])
    assert visit.is_calm(), visit


@pytest.mark.requirement("FR-345", "FR-324")
def test_lists_work_by_keyboard_and_fit_a_phone(browser: Browser, user: httpx.Client) -> None:
    for name in ("a" * 200, "Groceries", *map(str, range(10))):
        make(user, name)
    with watched(browser) as visit:
        board = opened(visit, user)
        until(lambda: len(board.lists()) == 14)
        board.list_named("a" * 200).click()
        board.add("Buy milk")  # whose form no list covers
        board.shows(todo=["Buy milk"])
        assert board.width() <= visit.page.evaluate("innerWidth")
    with watched(browser, PHONE) as visit:
        board = opened(visit, user)
        until(lambda: len(board.lists()) == 14)
        visit.page.get_by_role("button", name="Lists", exact=True).click()
        visit.page.get_by_role("link", name="Today").first.focus()

        board.tab_to("Groceries")
        board.press("Enter")
        until(lambda: board.chosen() == "Groceries")
        board.settled()
        assert visit.page.locator("#side").is_hidden()
        assert board.width() <= PHONE
        visit.page.get_by_role("button", name="Change this list").focus()
        board.press("Enter")
        assert board.focused() == "Name of this list"
        board.press("Control+A")
        visit.page.keyboard.type("Shop")
        board.press("Enter")
        until(lambda: "Shop" in "".join(board.lists()))
        assert board.focused() == "Name of this list"
        assert board.width() <= PHONE
        assert visit.is_calm(), visit
