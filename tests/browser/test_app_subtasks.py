"""The example page with subtasks: folded under their task, and added, completed and moved there."""

from __future__ import annotations

from contextlib import ExitStack

import httpx
import pytest
from playwright.sync_api import Browser, Locator

from tests.fixtures.browsers.app import Board, held_moves, opened
from tests.fixtures.browsers.chromium import Watched, watched
from tests.fixtures.browsers.hands import Finger, mouse_drag, mouse_to, spot
from tests.fixtures.calls.subtasks import plant, subtasks
from tests.fixtures.calls.tasks import Task, path_of, read
from tests.fixtures.running.waiting import until

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
        board.settled()
        page.get_by_role("list", name="Subtasks of below").get_by_role("heading", name="deep").wait_for()
        assert board.width() <= PHONE

        page.get_by_role("textbox", name="New subtask of top").fill("second")
        board.press("Enter")
        board.says("“second” is added.")
        board.tick("second").click()
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

    mouse_drag(page, grip(board, "other"), spot(face(board, "sub"), 0.1))
    until(lambda: user.get(f"/api/tasks/{other}").json()["data"]["parent_id"] == top)
    page.get_by_role("button", name="Subtasks of top: 0 of 2 done").wait_for()
    mouse_drag(page, grip(board, "other"), spot(page.locator("#todo h2")))
    until(lambda: user.get(f"/api/tasks/{other}").json()["data"]["parent_id"] is None)
    page.get_by_role("button", name="Subtasks of top: 0 of 1 done").wait_for()
    board.says("“other” is moved.")
    assert visit.is_calm(), visit


def grip(board: Board, title: str) -> Locator:
    """Return what a card is dragged by, once the pointer is over it."""
    face(board, title).hover()
    return board.grip(title)


def unfold(board: Board, *titles: str) -> None:
    """Show the subtasks of these tasks."""
    for title in titles:
        fold_button(board, title).click()


def fold_button(board: Board, title: str) -> Locator:
    return board.page.locator(f'.toggle[aria-label^="Subtasks of {title}"]')


def below(board: Board, title: str) -> list[str]:
    """List what stands below a task, at every level."""
    return (
        board.page.get_by_role("list", name=f"Subtasks of {title}", exact=True).get_by_role("heading").all_inner_texts()
    )


def face(board: Board, title: str) -> Locator:
    """Return a card without its subtasks."""
    heading = board.page.get_by_role("heading", name=title, exact=True)
    return board.page.locator("#board .face").filter(has=heading)


def marked(board: Board) -> list[str]:
    """List the cards that would get a subtask if the button were released."""
    return board.page.locator(".face.over h3").all_inner_texts()


def parent_of(user: httpx.Client, task: Task) -> str | None:
    found: str | None = read(user, task)["parent_id"]
    return found


@pytest.mark.requirement("FR-371")
def test_fold_buttons_fit_and_the_fifth_level_has_none(browser: Browser, user: httpx.Client) -> None:
    plant(
        user, {"a": {"b": {"c": {"d": {"e": {}, "z": {}}, "f": {}}, "g": {}}, "h": {}}, "i": {}}, status="in_progress"
    )
    for width in (1280, PHONE):
        with watched(browser, width, has_touch=width == PHONE) as visit:
            board = opened(visit, user)
            assert fold_button(board, "i").get_attribute("aria-expanded") == "false"
            assert fold_button(board, "i").inner_text() == ""
            unfold(board, *"abcd")
            visit.page.get_by_role("button", name="Subtasks of c: 0 of 2 done").wait_for()
            board.title("z").wait_for()
            assert below(board, "d") == ["e", "z"]
            assert fold_button(board, "e").is_hidden()
            board.grip("z").click()
            assert visit.page.locator("#menu .levels button:visible").all_inner_texts() == ["Move out of “d”"]
            board.press("Escape")
            assert board.width() <= width
            if width == PHONE:  # there, the panel has the first subtask
                assert fold_button(board, "i").is_hidden()
                board.edit("i")
                visit.page.locator("#panel").get_by_label("New subtask").wait_for()
            else:
                unfold(board, "i")
                assert fold_button(board, "i").get_attribute("aria-expanded") == "true"
                visit.page.get_by_role("textbox", name="New subtask of i").wait_for()
            assert visit.is_calm(), visit


@pytest.mark.requirement("FR-371")
def test_a_completed_task_shows_its_subtasks_completed_without_the_stream(visit: Watched, user: httpx.Client) -> None:
    plant(user, {"top": {"one": {"deep": {}}, "two": {}}})
    visit.page.route("**/api/changes/stream*", lambda _: None)  # is never answered
    board = opened(visit, user)
    unfold(board, "top", "one")

    board.edit("top").get_by_label("Status").select_option("Done")
    visit.page.get_by_role("button", name="Subtasks of top: 2 of 2 done").wait_for()
    visit.page.get_by_role("button", name="Subtasks of one: 1 of 1 done").wait_for()
    board.shows(done=["top", "one", "deep", "two"])
    board.close()
    board.tick("deep").click()  # which reopens what is above it
    visit.page.get_by_role("button", name="Subtasks of top: 1 of 2 done").wait_for()
    board.shows(todo=["top", "one", "deep", "two"])
    assert visit.is_calm(), visit


@pytest.mark.requirement("FR-371")
def test_a_subtask_is_edited_in_place(visit: Watched, user: httpx.Client) -> None:
    made = plant(user, {"top": {"sub": {"deep": {}}}})
    board = opened(visit, user)
    unfold(board, "top", "sub")

    form = board.edit("sub")
    form.get_by_label("Title").fill("renamed")
    assert below(board, "sub") == ["deep"]
    board.press("Escape")
    until(lambda: below(board, "top") == ["renamed", "deep"])
    assert board.focused() == "renamed"
    assert read(user, made["sub"])["title"] == "renamed"
    assert parent_of(user, made["sub"]) == made["top"]["id"]
    assert visit.is_calm(), visit


@pytest.mark.requirement("FR-371")
def test_a_subtask_that_is_made_in_one_window_shows_in_another(browser: Browser, user: httpx.Client) -> None:
    plant(user, {"top": {}, "other": {}})
    with ExitStack() as stack:
        visits = [stack.enter_context(watched(browser)) for _ in range(2)]
        here, there = (opened(visit, user) for visit in visits)
        unfold(here, "top")
        here.page.get_by_role("textbox", name="New subtask of top").fill("sub")
        here.press("Enter")
        unfold(there, "top: 0 of 1 done")
        until(lambda: below(there, "top") == ["sub"])

        mouse_drag(there.page, grip(there, "other"), spot(face(there, "sub")))
        here.page.get_by_role("button", name="Subtasks of sub: 0 of 1 done").click()
        until(lambda: below(here, "top") == ["sub", "other"])
        assert all(visit.is_calm() for visit in visits), visits


@pytest.mark.requirement("FR-372")
def test_the_menu_makes_a_subtask_and_moves_it_out(visit: Watched, user: httpx.Client) -> None:
    made = plant(user, {"a": {"b": {}, "c": {}}, "d": {}})
    board = opened(visit, user)
    board.go("inbox/board")
    unfold(board, "a")
    menu = visit.page.locator("#menu")
    visit.page.get_by_role("button", name="Move c").focus()

    board.press("Enter")
    board.tab_to("Make a subtask of “b”")
    board.press("Enter")
    board.says("“c” is a subtask of “b” now.")
    assert (below(board, "b"), board.focused()) == (["c"], "Move c")
    assert parent_of(user, made["c"]) == made["b"]["id"]
    board.press("Enter")
    assert menu.locator(".where").inner_text() == "1 of 1 in “b”"
    assert menu.get_by_role("button").all_inner_texts()[4:] == ["Move out of “b”", "Move", "Set"]
    board.tab_to("Move out of “b”")
    board.press("Enter")
    board.says("“c” is no longer a subtask of “b”.")
    assert (below(board, "a"), board.focused()) == (["b", "c"], "Move c")
    assert [task["title"] for task in subtasks(user, made["a"])] == ["b", "c"]
    board.press("Enter")
    board.tab_to("Move out of “a”")
    board.press("Enter")
    board.says("“c” is no longer a subtask of “a”.")
    board.shows(todo=["a", "b", "c", "d"])
    assert parent_of(user, made["c"]) is None
    visit.page.get_by_role("button", name="Move a").click()
    assert menu.get_by_role("button").all_inner_texts()[4:] == ["Move", "Set"]
    assert visit.is_calm(), visit


@pytest.mark.requirement("FR-372")
def test_a_card_that_is_dropped_onto_the_middle_of_another_one_is_its_subtask(
    visit: Watched, user: httpx.Client
) -> None:
    made = plant(user, {"a": {}, "b": {}, "c": {"d": {}}})
    board = opened(visit, user)
    board.go("inbox/board")
    unfold(board, "c")

    mouse_to(visit.page, grip(board, "b"), spot(face(board, "a")))
    assert marked(board) == ["a"]
    assert visit.page.locator(".drop-before, .drop-after").count() == 0
    visit.page.keyboard.press("Escape")
    assert marked(board) == []
    visit.page.mouse.up()
    mouse_to(visit.page, grip(board, "b"), spot(face(board, "a"), 0.1))
    assert (marked(board), visit.page.locator(".drop-before h3").all_inner_texts()) == ([], ["a"])
    visit.page.keyboard.press("Escape")
    visit.page.mouse.up()
    for target in ("c", "d"):  # itself, and what is below it
        mouse_to(visit.page, grip(board, "c"), spot(face(board, target), 0.6))
        assert (marked(board), visit.page.locator(".drop-before, .drop-after").count()) == ([], 0)
        visit.page.mouse.up()

    mouse_drag(visit.page, grip(board, "b"), spot(face(board, "a")))
    board.says("“b” is a subtask of “a” now.")
    assert below(board, "a") == ["b"]
    assert parent_of(user, made["b"]) == made["a"]["id"]
    mouse_drag(visit.page, grip(board, "a"), spot(face(board, "d")))
    board.says("“a” is a subtask of “d” now.")
    assert below(board, "c") == ["d", "a", "b"]
    assert visit.is_calm(), visit


@pytest.mark.requirement("FR-372")
def test_a_finger_drops_a_card_onto_the_middle_of_another_one(browser: Browser, user: httpx.Client) -> None:
    made = plant(user, {"a": {}, "b": {}, "c": {}})
    with watched(browser, PHONE, has_touch=True) as visit:
        board = opened(visit, user)
        finger = Finger(visit.page)
        handle = visit.page.get_by_role("button", name="Move c")
        handle.scroll_into_view_if_needed()

        finger.drag_to(spot(handle), spot(face(board, "b")))
        assert marked(board) == ["b"]
        assert board.width() <= PHONE
        finger.lift()
        board.says("“c” is a subtask of “b” now.")
        assert below(board, "b") == ["c"]
        assert parent_of(user, made["c"]) == made["b"]["id"]
        assert visit.is_calm(), visit


@pytest.mark.requirement("FR-372")
def test_what_would_be_too_deep_goes_back_and_the_page_says_why(visit: Watched, user: httpx.Client) -> None:
    made = plant(user, {"a": {"b": {"c": {"d": {"e": {}}}}}, "x": {"y": {}}})
    board = opened(visit, user)
    visit.page.set_viewport_size({"width": 1280, "height": 1400})  # all levels at once
    unfold(board, *"abcd")

    mouse_to(visit.page, grip(board, "x"), spot(face(board, "e")))
    assert marked(board) == []  # its level is the last one
    visit.page.keyboard.press("Escape")
    visit.page.mouse.up()
    held = held_moves(visit)
    mouse_drag(visit.page, grip(board, "x"), spot(face(board, "d")))
    assert below(board, "d") == ["e", "x"]
    until(lambda: visit.page.title() and held)
    held.pop().continue_()
    assert "There can be 5 levels of tasks" in board.says("(Request")
    until(lambda: below(board, "d") == ["e"])
    assert board.titles("To do") == ["x", "y", "a", "b", "c", "d", "e"]
    assert parent_of(user, made["x"]) is None

    mouse_drag(visit.page, grip(board, "x"), spot(face(board, "a")))
    until(lambda: visit.page.title() and held)
    user.delete(path_of(made["a"])).raise_for_status()
    held.pop().continue_()
    board.says("You have no such task")
    board.shows(todo=["x", "y"])
    assert visit.is_calm(), visit
