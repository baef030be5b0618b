"""The example page day by day: the places of the side bar, the rows of a list, and undoing."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import httpx
import pytest
from playwright.sync_api import Browser, Request, Route

from tests.fixtures.browsers.app import Board, opened
from tests.fixtures.browsers.chromium import Watched, watched
from tests.fixtures.browsers.hands import mouse_drag, spot
from tests.fixtures.calls.lists import make
from tests.fixtures.calls.tasks import create, path_of, read
from tests.fixtures.running.waiting import until

PHONE = 390


def day(plus: int) -> str:
    """Return a day as the browser on this machine sees it."""
    return (date.today() + timedelta(days=plus)).isoformat()  # noqa: DTZ011


def sections(board: Board) -> dict[str, list[str]]:
    """Return what is shown in a list: the titles below each heading, which may be unseen."""
    return {
        section.get_attribute("aria-label") or "": section.locator(".title").all_inner_texts()
        for section in board.page.locator("#board > section:visible").all()
    }


def counts(board: Board) -> dict[str, str]:
    """Return what the side bar says beside each place."""
    entries = board.page.locator("#side a.entry:has(.count)").all()
    return {each.locator(".name").inner_text(): each.locator(".count").inner_text() for each in entries}


@pytest.mark.requirement("FR-448")
def test_the_side_bar_leads_to_every_place_and_says_how_many_are_open(visit: Watched, user: httpx.Client) -> None:
    home = make(user, "Home", color="#228b22")
    create(user, "late", due_date=day(-2))
    create(user, "now", due_date=day(0), list_id=home["id"])
    create(user, "later", due_date=day(20), list_id=home["id"])
    create(user, "next", due_date=day(1))
    create(user, "some day")
    create(user, "ready", completed=True)
    board = opened(visit, user, "today/list")

    until(lambda: counts(board) == {"Today": "2", "Upcoming": "2", "Inbox": "3", "All tasks": "5", "Home": "2"})
    assert visit.page.locator("#side .late").inner_text() == "1 late"
    assert sections(board) == {"Late": ["late"], "Today": ["now"], "Done today": ["ready"]}
    board.list_named("Upcoming").click()
    board.settled()
    until(lambda: list(sections(board).values()) == [["next"], ["later"]])
    assert next(iter(sections(board))) == "Tomorrow"
    assert visit.page.url.endswith("#upcoming")
    board.list_named("Home").click()
    until(lambda: sections(board) == {"Open tasks": ["now", "later"], "Done": [], "Cancelled": []})
    visit.page.go_back()
    until(lambda: len(sections(board)) == 2)
    board.list_named("All tasks").click()
    until(lambda: sections(board).get("Open tasks") == ["some day", "next", "later", "now", "late"])
    visit.page.get_by_role("button", name="Done", exact=True).click()
    until(lambda: sections(board).get("Done") == ["ready"])
    visit.page.get_by_role("button", name="Done", exact=True).click()
    until(lambda: sections(board).get("Done") == [])
    user.patch(path_of(create(user, "one more")), json={"due_date": day(0)}).raise_for_status()
    until(lambda: counts(board)["Today"] == "3")
    visit.page.reload()
    board.settled()
    assert board.chosen() == "All tasks"
    assert visit.is_calm(), visit


@pytest.mark.requirement("FR-448")
def test_the_page_begins_with_today_if_anything_is_due(visit: Watched, user: httpx.Client) -> None:
    create(user, "some day")
    board = Board(visit.page)
    board.sign_in(f"{user.base_url}".rstrip("/"), user.headers["Authorization"].removeprefix("Bearer "))
    assert board.chosen() == "All tasks"
    assert visit.page.locator("#board").get_attribute("class") == "list"

    create(user, "now", due_date=day(0))
    board.sign_out()
    board.sign_in(f"{user.base_url}".rstrip("/"), user.headers["Authorization"].removeprefix("Bearer "))
    assert (board.chosen(), sections(board)) == ("Today", {"Today": ["now"]})
    visit.page.get_by_role("button", name="Board").click()
    board.shows(todo=["now"])
    visit.page.reload()
    board.shows(todo=["now"])  # people who like boards keep them
    assert visit.page.get_by_role("button", name="Board").get_attribute("aria-pressed") == "true"
    assert visit.is_calm(), visit


@pytest.mark.requirement("FR-448")
def test_archived_lists_and_the_trash_are_places_too(visit: Watched, user: httpx.Client) -> None:
    old = make(user, "Last year", archived=True)
    create(user, "Buy paint", list_id=old["id"])
    gone = create(user, "Buy milk")
    user.delete(path_of(gone)).raise_for_status()
    shop = make(user, "Shop")
    user.delete(f"/api/lists/{shop['id']}").raise_for_status()
    board = opened(visit, user, "all/list")

    visit.page.get_by_text("Archived lists").click()
    visit.page.locator(".archive").get_by_role("link", name="Last year").click()
    board.title("Buy paint").wait_for()
    visit.page.get_by_role("link", name="Trash").click()
    trash = visit.page.locator("#trash")
    trash.get_by_role("button", name="Bring back Shop").click()
    board.says("The list “Shop” is back, with its tasks.")
    trash.get_by_role("button", name="Bring back Buy milk").click()
    board.says("“Buy milk” is back.")
    trash.get_by_text("The trash is empty.").wait_for()
    assert visit.page.locator("#add").is_hidden()
    board.list_named("Shop").wait_for()
    board.list_named("Inbox").click()
    board.title("Buy milk").wait_for()
    assert trash.is_hidden()
    assert visit.is_calm(), visit


@pytest.mark.requirement("FR-448")
def test_a_phone_has_tabs(browser: Browser, user: httpx.Client) -> None:
    make(user, "Home")
    create(user, "now", due_date=day(0))
    create(user, "next", due_date=day(1))
    with watched(browser, PHONE) as visit:
        board = opened(visit, user, "today/list")
        tabs = visit.page.get_by_role("navigation", name="Views")
        board.title("now").wait_for()

        tabs.get_by_role("link", name="Upcoming").click()
        board.title("next").wait_for()
        tabs.get_by_role("button", name="Lists").click()
        visit.page.locator("#side").wait_for()
        board.list_named("Home").click()
        until(lambda: visit.page.locator("#side").is_hidden() and board.chosen() == "Home")
        tabs.get_by_role("button", name="Add a task").click()
        assert board.focused() == "New task"
        visit.page.keyboard.type("Paint tomorrow")
        visit.page.get_by_role("button", name="Add", exact=True).click()
        board.title("Paint").wait_for()
        board.press("Escape")
        assert visit.page.locator("#add").is_hidden()
        tabs.get_by_role("button", name="Search").click()
        assert board.focused() == "Search"
        visit.page.keyboard.type("nothing")
        visit.page.get_by_role("heading", name="Nothing matches").wait_for()
        assert visit.is_calm(), visit


@pytest.mark.requirement("FR-448")
def test_on_a_phone_the_lists_are_a_sheet_that_closes(browser: Browser, user: httpx.Client) -> None:
    make(user, "Home")
    create(user, "now", due_date=day(0))
    with watched(browser, PHONE) as visit:
        board = opened(visit, user, "today/list")
        side, lists = visit.page.locator("#side"), visit.page.get_by_role("button", name="Lists", exact=True)

        lists.click()
        visit.page.go_back()
        until(side.is_hidden)
        assert board.chosen() == "Today"
        lists.click()
        board.list_named("Home").click()
        until(lambda: side.is_hidden() and board.chosen() == "Home")
        visit.page.go_back()
        until(lambda: board.chosen() == "Today")
        assert side.is_hidden()
        lists.click()
        visit.page.get_by_role("button", name="Add a list").click()
        visit.page.get_by_label("New list").fill("Shop")
        board.press("Enter")
        until(lambda: side.is_hidden() and board.chosen() == "Shop")
        lists.click()
        visit.page.get_by_role("button", name="Account").click()
        assert (
            visit.page.get_by_role("link", name="Guide").get_attribute("href") == f"{user.base_url.join('/docs/guide')}"
        )
        board.press("Escape")
        lists.click()
        until(side.is_hidden)
        assert visit.is_calm(), visit


@pytest.mark.requirement("FR-492")
def test_a_start_asks_for_little_and_each_thing_once(visit: Watched, user: httpx.Client) -> None:
    make(user, "Home")
    create(user, "now", due_date=day(0))
    asked: list[str] = []

    def note(request: Request) -> None:
        if "/api/" in request.url:
            asked.append(request.url)

    visit.page.on("request", note)

    opened(visit, user, "today/list")
    until(lambda: visit.page.title() and any("/api/changes/stream" in url for url in asked))
    assert len(asked) == len(set(asked)) <= 11
    assert visit.is_calm(), visit


@pytest.mark.requirement("FR-449")
def test_a_row_says_what_matters_quietly(visit: Watched, user: httpx.Client) -> None:
    home = make(user, "Home", color="#228b22")
    task = create(
        user,
        "Fix the tap https://example.com/taps",
        description="See https://example.com/a?b=c, and call.\nTomorrow.",
        due_at=f"{day(1)}T09:00:00Z",
        priority="high",
        labels=["errand"],
        list_id=home["id"],
        status="in_progress",
    )
    for number in range(3):
        create(user, f"step {number}", parent_id=task["id"], completed=number == 0)
    board = opened(visit, user, "upcoming/list")

    row = board.card("Fix the tap https://example.com/taps")
    time = datetime.fromisoformat(task["due_at"]).astimezone().strftime("%H:%M")
    facts = row.locator(".facts li").all_inner_texts()
    assert facts == [f"Tomorrow {time}", "High", "In progress", "@errand", "example.com", "Home"]
    assert row.locator(".toggle").inner_text() == "1 of 3"
    links = row.locator("a.address")
    assert [link.get_attribute("href") for link in links.all()] == [
        "https://example.com/a?b=c",
        "https://example.com/taps",
    ]
    assert links.first.get_attribute("rel") == "noopener noreferrer"
    assert row.locator(".in .dot").evaluate("(dot) => getComputedStyle(dot).backgroundColor") == "rgb(34, 139, 34)"
    selected = """(title) => { getSelection().selectAllChildren(title); return String(getSelection()); }"""
    assert row.locator(".title").evaluate(selected) == "Fix the tap https://example.com/taps"
    row.get_by_role("button", name="Subtasks of").click()
    visit.page.locator("#panel").get_by_text("Subtasks, 1 of 3").wait_for()
    visit.page.get_by_role("checkbox", name="Subtask done: step 1").click()
    visit.page.locator("#panel").get_by_text("Subtasks, 2 of 3").wait_for()
    until(lambda: row.locator(".toggle").inner_text() == "2 of 3")
    create(user, "http://[a https://", description="http://[a", due_date=day(1))  # which are no addresses
    board.title("http://[a https://").wait_for()
    assert board.card("http://[a https://").locator("a.address").count() == 0
    assert visit.is_calm(), visit


@pytest.mark.requirement("FR-449", "FR-452")
def test_what_is_done_stays_in_its_place_until_it_is_undone_or_the_view_changes(
    visit: Watched, user: httpx.Client
) -> None:
    task = create(user, "Buy milk", status="in_progress")
    create(user, "Buy tea")
    board = opened(visit, user, "all/list")

    board.tick("Buy milk").click()
    board.says("“Buy milk” is done.")
    until(lambda: read(user, task)["status"] == "done")
    assert sections(board).get("Open tasks") == ["Buy tea", "Buy milk"]
    assert "line-through" in board.card("Buy milk").locator(".title").evaluate(
        "(at) => getComputedStyle(at).textDecoration"
    )
    visit.page.get_by_role("button", name="Undo").click()
    until(lambda: read(user, task)["status"] == "in_progress")
    until(lambda: board.message() == "")
    board.tick("Buy milk").click()
    board.says("“Buy milk” is done.")
    visit.page.keyboard.press("Control+z")
    until(lambda: read(user, task)["status"] == "in_progress")
    until(lambda: board.message() == "")
    board.tick("Buy milk").click()
    board.says("“Buy milk” is done.")
    board.list_named("Inbox").click()
    until(lambda: sections(board).get("Open tasks") == ["Buy tea"])
    assert visit.is_calm(), visit


@pytest.mark.requirement("FR-452")
def test_what_was_completed_along_is_undone_as_it_was_and_nothing_that_others_did(
    visit: Watched, user: httpx.Client
) -> None:
    above = create(user, "Party")
    begun = create(user, "Cake", parent_id=above["id"], status="in_progress")
    board = opened(visit, user, "all/list")

    board.tick("Party").click()
    board.says("“Party” is done.")
    until(lambda: read(user, begun)["status"] == "done")
    visit.page.get_by_role("button", name="Undo").click()
    until(lambda: read(user, begun)["status"] == "in_progress")
    assert read(user, above)["status"] == "todo"
    until(lambda: board.message() == "")
    board.tick("Party").click()
    board.says("“Party” is done.")
    user.patch(path_of(above), json={"title": "Feast"}).raise_for_status()
    visit.page.get_by_role("button", name="Undo").click()
    until(lambda: "changed" in board.message())
    assert read(user, above)["status"] == "done"


@pytest.mark.requirement("FR-452")
def test_an_offer_to_undo_goes_after_ten_seconds_unless_it_is_looked_at(visit: Watched, user: httpx.Client) -> None:
    create(user, "Buy milk")
    visit.page.clock.install()
    board = opened(visit, user, "all/list")

    board.tick("Buy milk").click()
    board.says("“Buy milk” is done.")
    visit.page.clock.fast_forward(9000)
    assert board.message() == "“Buy milk” is done."
    visit.page.locator("#message").hover()
    visit.page.clock.fast_forward(60_000)
    assert board.message() == "“Buy milk” is done."
    visit.page.locator("h1").last.hover()
    visit.page.clock.fast_forward(10_500)
    assert board.message() == ""
    assert visit.page.get_by_role("button", name="Undo").is_hidden()


@pytest.mark.requirement("FR-452", "FR-448")
def test_what_is_late_goes_to_today_and_back(visit: Watched, user: httpx.Client) -> None:
    rent = create(user, "Pay the rent", due_date=day(-2), start_date=day(-3))
    mail = create(user, "Answer", due_at=f"{day(-1)}T09:30:00Z", timezone="Europe/Berlin")
    board = opened(visit, user, "today/list")

    visit.page.get_by_role("button", name="Move both to today").click()
    board.says("2 tasks are due today.")
    until(lambda: read(user, rent)["due_date"] == day(0) and read(user, mail)["due_at"].startswith(day(0)))
    until(lambda: list(sections(board)) == ["Today"])
    visit.page.get_by_role("button", name="Undo").click()
    until(lambda: read(user, rent)["due_date"] == day(-2) and read(user, mail)["due_at"] == mail["due_at"])
    until(lambda: list(sections(board)) == ["Late"])
    assert visit.is_calm(), visit


@pytest.mark.requirement("FR-448", "FR-452")
def test_a_task_is_dropped_onto_a_day_and_onto_today(visit: Watched, user: httpx.Client) -> None:
    task = create(user, "Call Ada", due_date=day(1))
    other = create(user, "Call Bob", due_date=day(5))
    board = opened(visit, user, "upcoming/list")

    board.card("Call Ada").hover()
    mouse_drag(visit.page, board.grip("Call Ada"), spot(board.card("Call Bob")))
    until(lambda: read(user, task)["due_date"] == day(5))
    until(lambda: list(sections(board).values()) == [["Call Ada", "Call Bob"]] or len(sections(board)) == 1)
    board.card("Call Bob").hover()
    mouse_drag(visit.page, board.grip("Call Bob"), spot(board.list_named("Today")))
    until(lambda: read(user, other)["due_date"] == day(0))
    board.says("“Call Bob” is changed.")
    visit.page.get_by_role("button", name="Undo").click()
    until(lambda: read(user, other)["due_date"] == day(5))
    assert visit.is_calm(), visit


@pytest.mark.requirement("FR-452", "FR-345")
def test_moving_to_a_list_and_archiving_one_are_undone(visit: Watched, user: httpx.Client) -> None:
    home = make(user, "Home")
    task = create(user, "Buy milk")
    board = opened(visit, user, "inbox/list")

    board.card("Buy milk").hover()
    mouse_drag(visit.page, board.grip("Buy milk"), spot(board.list_named("Home")))
    board.says("“Buy milk” is in “Home” now.")
    visit.page.get_by_role("button", name="Undo").click()
    until(lambda: read(user, task)["list_id"] is None)
    board.title("Buy milk").wait_for()
    board.list_named("Home").click()
    visit.page.get_by_role("button", name="Change this list").click()
    visit.page.get_by_label("Colour").last.fill("#aa3300")
    until(lambda: user.get(f"/api/lists/{home['id']}").json()["data"]["color"] == "#aa3300")
    visit.page.get_by_role("button", name="Archive", exact=True).click()
    board.says("The list “Home” is archived.")
    until(lambda: board.lists() == ["Inbox", "All tasks"])
    visit.page.get_by_role("button", name="Undo").click()
    until(lambda: board.lists() == ["Inbox", "All tasks", "Home"])
    assert visit.is_calm(), visit


@pytest.mark.requirement("FR-455")
def test_an_empty_place_says_what_to_do(visit: Watched, user: httpx.Client) -> None:
    board = opened(visit, user, "all/list")

    visit.page.get_by_role("heading", name="Your first task").wait_for()
    visit.page.locator("#blank").get_by_role("button", name="Add a task").click()
    assert board.focused() == "New task"
    board.add("Buy milk")
    board.title("Buy milk").wait_for()
    assert visit.page.locator("#blank").is_hidden()
    board.list_named("Today").click()
    visit.page.get_by_role("heading", name="Nothing left for today").wait_for()
    visit.page.get_by_role("button", name="See what is next").click()
    visit.page.get_by_role("heading", name="Nothing is planned").wait_for()
    board.list_named("All tasks").click()
    board.find().get_by_label("Search").fill("bread")
    visit.page.get_by_role("heading", name="Nothing matches").wait_for()
    visit.page.locator("#blank").get_by_role("button", name="Clear filters").click()
    board.title("Buy milk").wait_for()
    assert visit.is_calm(), visit


@pytest.mark.requirement("FR-455")
def test_grey_rows_stand_where_tasks_will_be(visit: Watched, user: httpx.Client) -> None:
    create(user, "Buy milk")
    board = opened(visit, user, "all/list")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    visit.page.route("**/api/tasks?*include=*", hold)

    board.list_named("Inbox").click()
    visit.page.get_by_role("status", name="Loading").wait_for()
    until(lambda: visit.page.title() and len(held) == 1)
    held[0].continue_()
    board.title("Buy milk").wait_for()
    assert visit.page.get_by_role("status", name="Loading").is_hidden()
    assert visit.is_calm(), visit


@pytest.mark.requirement("FR-448")
def test_the_browser_goes_back_to_the_place_where_the_page_began(visit: Watched, user: httpx.Client) -> None:
    create(user, "Buy milk")
    visit.page.goto(f"{user.base_url}/app#token={user.headers['Authorization'].removeprefix('Bearer ')}")
    board = Board(visit.page)
    board.title("Buy milk").click()
    visit.page.locator("#panel").get_by_role("button", name="Close").wait_for()

    visit.page.go_back()

    visit.page.locator("#panel").wait_for(state="hidden")
    assert visit.page.url.endswith("#all")


@pytest.mark.requirement("FR-448")
def test_cancelled_tasks_are_counted(visit: Watched, user: httpx.Client) -> None:
    create(user, "Buy milk", status="cancelled")
    board = opened(visit, user, "all/list")
    section = visit.page.locator('#board > section[data-key="cancelled"]')

    section.locator(".fold").click()

    board.title("Buy milk").wait_for()
    until(lambda: section.locator(".count").inner_text() == "1")
