"""Nothing that is typed into the example page is lost: by Escape, a reload, a refusal, or without a network."""

from __future__ import annotations

import httpx
import pytest
from playwright.sync_api import Route

from tests.fixtures.browsers.app import opened
from tests.fixtures.browsers.chromium import Watched
from tests.fixtures.calls.api import API, new_user
from tests.fixtures.calls.lists import make
from tests.fixtures.calls.tasks import create, path_of, read
from tests.fixtures.running.waiting import until

pytestmark = pytest.mark.requirement("FR-451")


def test_escape_and_a_click_elsewhere_save_what_was_typed(visit: Watched, user: httpx.Client) -> None:
    milk, tea = create(user, "Buy milk"), create(user, "Buy tea")
    board = opened(visit, user, "all/list")

    board.edit("Buy milk").get_by_label("Notes").fill("Two litres")
    board.press("Escape")
    until(lambda: read(user, milk)["description"] == "Two litres")
    assert board.focused() == "Buy milk"
    board.edit("Buy milk").get_by_label("Title").fill("Buy oat milk")
    board.title("Buy tea").click()
    until(lambda: read(user, milk)["title"] == "Buy oat milk")
    form = visit.page.get_by_role("form", name="Edit the task")
    until(lambda: form.get_by_label("Title").input_value() == "Buy tea")
    form.get_by_label("Labels").fill("home, home ,errand,")
    visit.page.go_back()
    until(lambda: read(user, tea)["labels"] == ["home", "errand"])
    assert visit.is_calm(), visit


def test_every_field_is_saved_when_it_is_left(visit: Watched, user: httpx.Client) -> None:
    home = make(user, "Home")
    task = create(user, "Buy milk")
    board = opened(visit, user, "all/list")
    form = board.edit("Buy milk")

    form.get_by_label("Due", exact=True).fill("2026-12-24")
    form.get_by_label("Starts", exact=True).fill("2026-12-20")
    form.get_by_label("Title").focus()
    until(lambda: (read(user, task)["due_date"], read(user, task)["start_date"]) == ("2026-12-24", "2026-12-20"))
    form.get_by_label("Due at").fill("18:30")
    form.get_by_label("Title").focus()
    until(lambda: read(user, task)["due_date"] is None)  # a due and a start are both days, or both times
    stored = read(user, task)
    assert stored["timezone"]
    board.is_saved()
    assert form.get_by_label("Starts at").input_value() == "00:00"
    assert form.get_by_label("Due at").input_value() == "18:30"
    form.get_by_label("Due", exact=True).fill("")
    form.get_by_label("Starts", exact=True).fill("")
    form.get_by_label("Title").focus()
    until(lambda: (read(user, task)["due_at"], read(user, task)["start_at"]) == (None, None))
    form.get_by_label("Priority").select_option("High")
    form.get_by_label("Status").select_option("In progress")
    form.get_by_label("List").select_option("Home")
    until(lambda: read(user, task)["list_id"] == home["id"])
    stored = read(user, task)
    assert (stored["priority"], stored["status"]) == ("high", "in_progress")
    board.close()
    assert board.card("Buy milk").locator(".facts li").all_inner_texts() == ["High", "In progress", "Home"]
    assert visit.is_calm(), visit


def test_a_reload_keeps_what_is_being_typed(visit: Watched, user: httpx.Client) -> None:
    task = create(user, "Buy milk")
    board = opened(visit, user, "all/list")
    board.field().fill("Call Ada tomorrow")
    form = board.edit("Buy milk")
    form.get_by_label("Notes").fill("Two litres, and")
    assert visit.page.locator("#panel .saved").inner_text() == "Not saved yet"

    def refuse_edits(route: Route) -> None:  # the reload leaves the field, too
        route.abort() if route.request.method == "PATCH" else route.continue_()

    visit.page.route(f"**{path_of(task)}", refuse_edits)

    visit.page.reload()
    board.settled()
    until(lambda: form.get_by_label("Notes").input_value() == "Two litres, and")
    assert board.field().input_value() == "Call Ada tomorrow"
    assert visit.page.locator("#add .chip").all_inner_texts() == ["Tomorrow"]
    assert read(user, task)["description"] is None
    visit.page.unroute(f"**{path_of(task)}")
    until(lambda: read(user, task)["description"] == "Two litres, and")
    board.is_saved()


def test_what_is_typed_without_a_network_is_marked_and_sent_later(visit: Watched, user: httpx.Client) -> None:
    task = create(user, "Buy milk")
    board = opened(visit, user, "all/list")
    form = board.edit("Buy milk")
    visit.page.context.set_offline(True)

    form.get_by_label("Title").fill("Buy oat milk")
    board.press("Escape")
    row = visit.page.locator("#board .task")
    row.get_by_text("Not saved yet").wait_for()
    visit.page.context.set_offline(False)
    until(lambda: read(user, task)["title"] == "Buy oat milk")
    board.title("Buy oat milk").wait_for()
    until(lambda: row.get_by_text("Not saved yet").count() == 0)


def test_a_new_task_stays_in_its_field_until_the_service_has_it(visit: Watched, user: httpx.Client) -> None:
    board = opened(visit, user, "all/list")
    visit.page.route("**/api/tasks", lambda route: route.fulfill(status=500, body="{}"))

    board.add("Buy milk tomorrow")
    board.says("The service answered 500.")
    assert board.field().input_value() == "Buy milk tomorrow"
    visit.page.unroute("**/api/tasks")
    board.press("Enter")
    board.title("Buy milk").wait_for()
    assert board.field().input_value() == ""


def test_what_is_refused_stays_until_it_is_changed(visit: Watched, user: httpx.Client) -> None:
    task = create(user, "Buy milk")
    board = opened(visit, user, "all/list")
    form = board.edit("Buy milk")

    form.get_by_label("Labels").fill("a" * 61)
    board.press("Escape")
    board.card("Buy milk").get_by_text("Not saved yet").wait_for()
    board.title("Buy milk").click()
    assert form.get_by_label("Labels").input_value() == "a" * 61
    form.get_by_role("alert").filter(has_text="(Request").wait_for()
    form.get_by_label("Labels").fill("home")
    board.press("Escape")
    until(lambda: read(user, task)["labels"] == ["home"])
    until(lambda: board.card("Buy milk").get_by_text("Not saved yet").count() == 0)
    assert visit.is_calm(), visit


def test_signing_out_leaves_nothing_in_the_window(visit: Watched, user: httpx.Client, service: API) -> None:
    create(user, "Buy milk")
    board = opened(visit, user, "all/list")
    board.field().fill("A secret")
    visit.page.route("**/api/tasks/*", lambda route: route.abort())
    board.edit("Buy milk").get_by_label("Title").fill("Another secret")

    other = new_user()
    visit.page.goto("about:blank")
    with service.client(other) as somebody:
        opened(visit, somebody, "all/list")  # in the same window, without signing out
    assert board.field().input_value() == ""
    assert "secret" not in visit.page.evaluate("JSON.stringify({ ...sessionStorage, ...localStorage })")
    board.field().fill("A secret")
    board.sign_out()
    visit.page.get_by_label("Email").wait_for()
    assert "secret" not in visit.page.evaluate("JSON.stringify({ ...sessionStorage, ...localStorage })")
    assert "task/" not in visit.page.url
