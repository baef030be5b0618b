"""Arranging tasks and lists on the example page: with the mouse, with a finger, and by keyboard."""

from __future__ import annotations

from contextlib import ExitStack

import httpx
import pytest
from playwright.sync_api import Browser, Locator

from tests.fixtures.browsers.app import Board, held_moves, opened
from tests.fixtures.browsers.chromium import Watched, watched
from tests.fixtures.browsers.hands import Finger, mouse_drag, mouse_to, spot
from tests.fixtures.calls.lists import List, make, titles_in
from tests.fixtures.calls.tasks import create, path_of, read
from tests.fixtures.running.waiting import until

PHONE = 390


def arranged(visit: Watched, user: httpx.Client, *titles: str) -> tuple[Board, List]:
    """Show a list with these tasks."""
    home = make(user, "Home")
    for title in titles:
        create(user, title, list_id=home["id"])
    board = opened(visit, user, f"list/{home['id']}/board")
    board.shows(todo=list(titles))
    return board, home


def order(user: httpx.Client, home: List) -> list[str]:
    return titles_in(user, home["id"], sort="position")


def grip(board: Board, name: str) -> Locator:
    """Return what a card or a list is dragged by, once the pointer is over it."""
    board.page.locator("#board .task, #side li").filter(has=board.grip(name)).last.hover()
    return board.grip(name)


def stands(board: Board) -> str:
    return board.page.locator("#menu .where").inner_text()


@pytest.mark.requirement("FR-369")
def test_cards_are_arranged_with_the_mouse(visit: Watched, user: httpx.Client) -> None:
    done = create(user, "d", status="done")
    board, home = arranged(visit, user, "a", "b", "c")
    user.patch(path_of(done), json={"list_id": home["id"]}).raise_for_status()
    board.shows(done=["d"])

    mouse_drag(visit.page, grip(board, "c"), spot(board.card("a"), 0.1))
    board.shows(todo=["c", "a", "b"])
    until(lambda: order(user, home) == ["c", "a", "b", "d"])
    mouse_drag(visit.page, grip(board, "c"), spot(board.card("b"), 0.9))
    board.shows(todo=["a", "b", "c"])
    mouse_drag(visit.page, grip(board, "a"), spot(board.card("d"), 0.1))
    board.shows(todo=["b", "c"], done=["a", "d"])
    until(lambda: order(user, home) == ["b", "c", "a", "d"])
    until(lambda: [task["title"] for task in listed(user, "done")] == ["d", "a"])
    mouse_drag(visit.page, grip(board, "b"), spot(board.list_named("Inbox")))
    board.says("“b” is in “Inbox” now.")
    board.shows(todo=["c"])
    assert order(user, home) == ["c", "a", "d"]
    assert visit.is_calm(), visit


@pytest.mark.requirement("FR-452")
def test_what_was_moved_goes_back_to_its_place(visit: Watched, user: httpx.Client) -> None:
    board, home = arranged(visit, user, "a", "b", "c")
    undo = visit.page.get_by_role("button", name="Undo")

    mouse_drag(visit.page, grip(board, "b"), spot(visit.page.locator("#in_progress")))
    board.says("“b” is moved.")
    board.shows(todo=["a", "c"], in_progress=["b"])
    undo.click()
    board.shows(todo=["a", "b", "c"])
    until(lambda: order(user, home) == ["a", "b", "c"])

    grip(board, "c").click()
    visit.page.get_by_role("button", name="To the start").click()
    board.says("“c” is moved.")
    board.shows(todo=["c", "a", "b"])
    visit.page.keyboard.press("Escape")
    undo.click()
    board.shows(todo=["a", "b", "c"])
    until(lambda: order(user, home) == ["a", "b", "c"])
    assert visit.is_calm(), visit


def listed(user: httpx.Client, status: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = user.get("/api/tasks", params={"status": status}).json()["data"]
    return sorted(found, key=lambda task: str(task["title"]), reverse=True)


@pytest.mark.requirement("FR-369")
def test_while_something_is_dragged_a_line_shows_where_it_goes_and_nothing_else_moves(
    visit: Watched, user: httpx.Client
) -> None:
    board, home = arranged(visit, user, "a", "b", "c")
    boxes = "[...document.querySelectorAll('#board .task')].map((each) => JSON.stringify(each.getBoundingClientRect()))"
    spot(board.card("a"))  # nothing slides any more
    before = visit.page.evaluate(boxes)

    mouse_to(visit.page, grip(board, "c"), spot(board.card("b"), 0.1))
    assert visit.page.locator(".drop-before").get_by_role("heading").all_inner_texts() == ["b"]
    assert visit.page.evaluate(boxes) == before
    assert board.width() <= visit.page.evaluate("innerWidth")
    visit.page.keyboard.press("Escape")
    assert visit.page.locator(".drop-before, .ghost, .dragged").count() == 0
    visit.page.mouse.up()
    mouse_drag(visit.page, grip(board, "c"), spot(board.card("c"), 0.9))
    board.shows(todo=["a", "b", "c"])
    assert order(user, home) == ["a", "b", "c"]
    assert visit.is_calm(), visit


@pytest.mark.requirement("FR-369")
def test_a_finger_moves_by_the_handle_and_scrolls_elsewhere(browser: Browser, user: httpx.Client) -> None:
    names = [f"task {number}" for number in range(25)]
    with watched(browser, PHONE, has_touch=True) as visit:
        board, home = arranged(visit, user, *names)
        finger = Finger(visit.page)
        visit.page.evaluate("scrollTo(0, 60)")

        finger.drag_to(spot(board.grip("task 3")), spot(board.card("task 1"), 0.1))
        assert visit.page.locator(".drop-before").get_by_role("heading").all_inner_texts() == ["task 1"]
        assert visit.page.evaluate("scrollY") == 60
        assert board.width() <= PHONE
        finger.lift()
        until(lambda: order(user, home)[:4] == ["task 0", "task 3", "task 1", "task 2"])
        assert board.titles("To do") == order(user, home)
        assert visit.page.locator("#menu").is_hidden()
        start = spot(board.title("task 4"))
        finger.drag_to(start, (start[0], start[1] - 200))
        finger.lift()
        until(lambda: visit.page.evaluate("scrollY") > 100)
        assert order(user, home)[:4] == ["task 0", "task 3", "task 1", "task 2"]
        assert visit.is_calm(), visit


@pytest.mark.requirement("FR-369")
def test_cards_are_arranged_by_keyboard_and_the_menu_says_where_they_stand(visit: Watched, user: httpx.Client) -> None:
    board, home = arranged(visit, user, "a", "b", "c")
    visit.page.get_by_label("New task").focus()
    board.tab_to("Move a")

    board.press("Enter")
    assert (board.focused(), stands(board)) == ("Up", "1 of 3 in To do")
    board.press("Tab", "Enter")
    board.shows(todo=["b", "a", "c"])
    assert (board.focused(), stands(board)) == ("Down", "2 of 3 in To do")
    board.press("Enter", "Enter")
    board.shows(todo=["b", "c", "a"])
    assert (board.focused(), stands(board)) == ("Down", "3 of 3 in To do")
    until(lambda: order(user, home) == ["b", "c", "a"])
    board.press("Tab", "Enter")
    until(lambda: order(user, home) == ["a", "b", "c"])
    board.press("Escape")
    assert board.focused() == "Move a"

    board.press("Enter", *["Tab"] * 4, "Home", "Tab", "Enter")  # past the four steps, to the lists
    board.says("“a” is in “Inbox” now.")
    board.shows(todo=["b", "c"])
    assert board.focused() == "b"
    board.list_named("All tasks").click()
    board.shows(todo=["c", "b", "a"])
    board.grip("a").click()
    assert (stands(board), visit.page.locator("#menu").get_by_role("button").all_inner_texts()) == ("", ["Move", "Set"])
    assert visit.is_calm(), visit


@pytest.mark.requirement("FR-369")
def test_lists_are_arranged_in_the_same_ways(browser: Browser, user: httpx.Client) -> None:
    for name in ("X", "Y", "Z"):  # short, so that the phone shows all of them
        make(user, name)
    with ExitStack() as stack:
        visit = stack.enter_context(watched(browser))
        touched = stack.enter_context(watched(browser, PHONE, has_touch=True))
        board, phone = opened(visit, user), opened(touched, user)
        until(lambda: len(board.lists()) == len(phone.lists()) == 5)
        touched.page.get_by_role("button", name="Lists", exact=True).click()

        mouse_drag(visit.page, board.list_named("Z"), spot(board.list_named("X"), 0.1))
        until(lambda: board.lists()[2:] == phone.lists()[2:] == ["Z", "X", "Y"])
        assert board.chosen() == "All tasks"  # the drag was no click
        finger = Finger(touched.page)
        finger.drag_to(spot(phone.grip("Z")), spot(phone.grip("X"), 0.9))
        finger.lift()
        until(lambda: board.lists()[2:] == phone.lists()[2:] == ["X", "Z", "Y"])
        board.grip("Y").focus()
        board.press("Enter", "Enter")
        until(lambda: board.lists()[2:] == phone.lists()[2:] == ["X", "Y", "Z"])
        assert stands(board) == "2 of 3 lists"
        board.press("Escape")
        assert board.focused() == "Move Y"
        phone.grip("X").click()
        assert phone.focused() == "Up"
        assert [each["name"] for each in user.get("/api/lists").json()["data"]] == ["X", "Y", "Z"]
        assert visit.is_calm(), visit


@pytest.mark.requirement("FR-370")
def test_a_move_shows_before_the_service_answers_and_in_the_order_of_the_moves(
    visit: Watched, user: httpx.Client
) -> None:
    board, home = arranged(visit, user, "a", "b", "c")
    held = held_moves(visit)

    mouse_drag(visit.page, grip(board, "c"), spot(board.card("a"), 0.1))
    assert board.titles("To do") == ["c", "a", "b"]
    mouse_drag(visit.page, grip(board, "b"), spot(board.card("c"), 0.1))
    assert board.titles("To do") == ["b", "c", "a"]
    for number in range(2):
        until(lambda number=number: visit.page.title() and len(held) > number)  # type: ignore[misc]
        held[number].continue_()
    until(lambda: order(user, home) == ["b", "c", "a"])
    board.shows(todo=["b", "c", "a"])
    assert visit.is_calm(), visit


@pytest.mark.requirement("FR-370")
def test_what_is_refused_goes_back_and_the_page_says_why(visit: Watched, user: httpx.Client) -> None:
    board, home = arranged(visit, user, "a", "b", "c")
    held = held_moves(visit)
    mouse_drag(visit.page, grip(board, "c"), spot(board.card("a"), 0.1))
    until(lambda: visit.page.title() and held)
    moved = user.get("/api/tasks?q=c").json()["data"][0]
    user.delete(path_of(moved)).raise_for_status()
    held[0].continue_()
    board.says("Task not found.")
    board.shows(todo=["a", "b"])
    assert visit.is_calm(), visit
    assert order(user, home) == ["a", "b"]


@pytest.mark.requirement("FR-370")
def test_without_a_network_a_card_goes_back(visit: Watched, user: httpx.Client) -> None:
    board, home = arranged(visit, user, "a", "b")
    visit.page.context.set_offline(True)

    mouse_drag(visit.page, grip(board, "b"), spot(board.card("a"), 0.1))
    assert board.titles("To do") == ["b", "a"]
    board.says("No answer came.")
    board.shows(todo=["a", "b"])
    visit.page.context.set_offline(False)
    mouse_drag(visit.page, grip(board, "b"), spot(board.card("a"), 0.1))
    until(lambda: order(user, home) == ["b", "a"])
    assert board.titles("To do") == ["b", "a"]


@pytest.mark.requirement("FR-370")
def test_other_windows_follow_and_keep_the_focus(browser: Browser, user: httpx.Client) -> None:
    with ExitStack() as stack:
        visits = [stack.enter_context(watched(browser)) for _ in range(2)]
        here, home = arranged(visits[0], user, "a", "b", "c")
        there = opened(visits[1], user, f"list/{home['id']}/board")
        there.shows(todo=["a", "b", "c"])
        there.page.emulate_media(reduced_motion="reduce")
        there.page.evaluate("() => { Element.prototype.animate = () => { throw new Error('something slides'); }; }")
        there.title("c").focus()

        mouse_drag(here.page, grip(here, "c"), spot(here.card("a"), 0.1))
        there.shows(todo=["c", "a", "b"])
        assert there.focused() == "c"
        mouse_drag(there.page, grip(there, "b"), spot(there.card("a"), 0.1))
        here.shows(todo=["c", "b", "a"])
        assert order(user, home) == ["c", "b", "a"]
        task = user.get("/api/tasks?q=b").json()["data"][0]
        assert read(user, task)["list_id"] == home["id"]
        assert all(visit.is_calm() for visit in visits), visits
