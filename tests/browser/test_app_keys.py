"""The single keys of the example page."""

from __future__ import annotations

import httpx
import pytest

from tests.fixtures.browsers.app import opened
from tests.fixtures.browsers.chromium import Watched
from tests.fixtures.calls.lists import make, titles_in
from tests.fixtures.calls.tasks import create, read
from tests.fixtures.running.waiting import until

pytestmark = pytest.mark.requirement("FR-454")


def test_keys_lead_from_task_to_task_and_change_them(visit: Watched, user: httpx.Client) -> None:
    for title in ("c", "b", "a"):
        create(user, title)
    board = opened(visit, user, "all/list")

    board.press("j")
    assert board.focused() == "a"
    board.press("j", "ArrowDown", "k")
    assert board.focused() == "b"
    task = next(each for each in user.get("/api/tasks").json()["data"] if each["title"] == "b")
    board.press("1")
    until(lambda: read(user, task)["priority"] == "high")
    board.press("0")
    until(lambda: read(user, task)["priority"] is None)
    board.press("e")
    until(lambda: read(user, task)["status"] == "done")
    assert board.focused() == "b"
    board.says("“b” is done.")
    board.press("z")
    until(lambda: read(user, task)["status"] == "todo")
    board.press("d")
    until(lambda: board.focused() == "Due")
    board.press("Escape")
    assert board.focused() == "b"
    board.press("m")
    assert visit.page.locator("#menu").is_visible()
    board.press("Escape")
    board.press("Enter")
    until(lambda: board.focused() == "Title")
    assert visit.is_calm(), visit


def test_keys_lead_to_places_and_open_what_is_needed(visit: Watched, user: httpx.Client) -> None:
    board = opened(visit, user, "all/list")

    for key, name in {"u": "Upcoming", "i": "Inbox", "t": "Today", "a": "All tasks"}.items():
        board.press("g", key)
        until(lambda name=name: board.chosen() == name)  # type: ignore[misc]
    board.press("g", "b")
    visit.page.locator("#board.board").wait_for()
    board.press("g", "x", "n")
    assert board.focused() == "New task"
    visit.page.keyboard.type("ne/w?")  # in a field, they are letters
    assert board.field().input_value() == "ne/w?"
    board.press("Escape", "/")
    assert board.focused() == "Search"
    board.press("Escape")
    assert board.focused() == "Find tasks"
    board.press("g", "t")
    until(lambda: board.chosen() == "Today")
    board.press("/")
    until(lambda: board.chosen() == "All tasks")  # what is searched may be due at any time
    assert board.focused() == "Search"
    assert visit.is_calm(), visit


def test_alt_and_an_arrow_arrange(visit: Watched, user: httpx.Client) -> None:
    home = make(user, "Home")
    for title in ("a", "b", "c"):
        create(user, title, list_id=home["id"])
    board = opened(visit, user, f"list/{home['id']}/list")
    board.title("a").focus()

    board.press("Alt+ArrowDown")
    until(lambda: titles_in(user, home["id"], sort="position") == ["b", "a", "c"])
    assert board.focused() == "a"
    board.press("Alt+ArrowUp", "Alt+ArrowUp")
    until(lambda: titles_in(user, home["id"], sort="position") == ["a", "b", "c"])
    board.go("all/list")
    board.title("a").focus()
    board.press("Alt+ArrowDown")  # nobody arranges all tasks
    assert titles_in(user, home["id"], sort="position") == ["a", "b", "c"]
    assert visit.is_calm(), visit


def test_help_lists_them_and_turns_them_off(visit: Watched, user: httpx.Client) -> None:
    create(user, "Buy milk")
    board = opened(visit, user, "all/list")

    board.press("?")
    keys = visit.page.get_by_role("dialog", name="Shortcuts")
    keys.wait_for()
    assert "Add a task\nn" in keys.inner_text()
    keys.get_by_label("Single keys do these things").uncheck()
    keys.get_by_role("button", name="Close").click()
    board.press("n", "/", "?")
    assert keys.is_hidden()
    assert board.focused() not in {"New task", "Search"}
    visit.page.reload()
    board.settled()
    board.press("n")
    assert board.focused() != "New task"
    board.press("ArrowDown")  # which is no single letter
    assert board.focused() == "Buy milk"
    visit.page.get_by_role("button", name="Shortcuts").click()
    keys.get_by_label("Single keys do these things").check()
    board.press("Escape", "n")
    assert board.focused() == "New task"
    assert visit.is_calm(), visit
