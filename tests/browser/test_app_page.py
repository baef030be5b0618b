"""The example page in a real browser, with the real service: one window, two windows, a phone, a keyboard."""

from __future__ import annotations

import re
import shutil
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Route

from backend.config import EXAMPLES, Settings
from backend.identity.jwt import issue_token
from tests.fixtures.browsers.app import IN_PROGRESS, Board, opened, token_of
from tests.fixtures.browsers.chromium import Watched, watched
from tests.fixtures.browsers.pages import website_of
from tests.fixtures.calls.api import new_user, serve
from tests.fixtures.calls.tasks import Task, create, path_of, read
from tests.fixtures.identity.tokens import SECRET
from tests.fixtures.running.waiting import until

PHONE = 390
PAGE = 25  # tasks of a column that come at once
LIGHT, DARK = 200, 60  # of 255
LONG = "awordwithoutanend" * 14


def tasks_of(user: httpx.Client) -> list[Task]:
    tasks: list[Task] = user.get("/api/tasks").json()["data"]
    return tasks


@pytest.mark.requirement("FR-320")
def test_the_link_signs_in_and_the_token_leaves_the_address(visit: Watched, user: httpx.Client) -> None:
    create(user, "Buy milk")

    board = opened(visit, user)

    board.shows(todo=["Buy milk"])
    assert visit.page.url == f"{user.base_url.join('/app/web/')}#all/board"
    visit.page.reload()
    board.shows(todo=["Buy milk"])
    other_window = visit.page.context.new_page()
    other_window.goto(visit.page.url)
    other_window.get_by_label("Email").wait_for()
    board.sign_out()
    visit.page.get_by_label("Email").wait_for()
    assert visit.page.get_by_text("Buy milk").count() == 0
    visit.page.reload()
    visit.page.get_by_label("Email").wait_for()
    assert visit.is_calm(), visit


@pytest.mark.requirement("FR-320", "FR-321")
def test_a_token_is_pasted_and_a_bad_one_is_refused_in_words(visit: Watched, user: httpx.Client) -> None:
    create(user, "Buy milk")
    board = Board(visit.page)
    visit.page.goto(f"{user.base_url}/app")
    visit.page.get_by_text("Use a token").click()
    token = visit.page.get_by_label("Token")
    visit.page.get_by_text(".venv/bin/task-api token alice").wait_for()

    token.fill("nonsense")
    token.press("Enter")
    assert re.search(r"token.* \(Request \w+\)$", board.says("(Request"))
    token.fill(token_of(user))
    token.press("Enter")

    board.settled().go("all/board").shows(todo=["Buy milk"])
    assert visit.is_calm(), visit


@pytest.mark.requirement("FR-319", "FR-307")
def test_a_copy_on_another_server_works_once_it_is_told_the_address(
    visit: Watched, settings: Settings, tmp_path: Path
) -> None:
    shutil.copytree(EXAMPLES, tmp_path / "examples")
    page = tmp_path / "examples" / "web" / "index.html"
    with serve(settings.model_copy(update={"cors_origins": ()})) as api, website_of(tmp_path) as port:
        told = page.read_text().replace('name="task-api" content=""', f'name="task-api" content="{api.base_url}"')
        page.write_text(told)
        token = issue_token(SECRET, new_user(), ttl_seconds=600)
        visit.page.goto(f"http://127.0.0.1:{port}/examples/web/#token={token}")
        board = Board(visit.page).settled()

        board.add("Buy milk")
        board.title("Buy milk").wait_for()
    assert visit.hosts == {f"127.0.0.1:{port}", urlsplit(api.base_url).netloc}


@pytest.mark.requirement("FR-321")
def test_each_status_is_a_column_whose_next_page_comes_when_asked_for(visit: Watched, user: httpx.Client) -> None:
    names = [f"task {number}" for number in range(PAGE + 2)]
    for name in names:
        create(user, name)
    create(user, "begun", status="in_progress")
    create(user, "ready", completed=True)
    create(user, "dropped", status="cancelled")
    asked: list[str] = []
    visit.page.on("request", lambda request: asked.append(request.url))

    board = opened(visit, user)

    newest = names[::-1]
    board.shows(todo=newest[:PAGE], in_progress=["begun"], done=["ready"], cancelled=["dropped"])
    listed = [re.findall(r"status=([^&]+)", url) for url in asked if "/api/tasks?" in url and "include=" in url]
    assert sorted(listed) == [
        ["cancelled"],
        ["done"],
        ["in_progress"],
        ["todo"],
        ["todo%2Cin_progress"],
    ]  # a list first
    visit.page.get_by_role("button", name="More tasks: To do").click()
    board.shows(todo=newest)
    assert visit.page.get_by_role("button", name="More tasks").count() == 0
    assert visit.is_calm(), visit


@pytest.mark.requirement("FR-321")
@pytest.mark.parametrize("require_if_match", [False, True])
def test_a_task_is_added_edited_moved_deleted_and_brought_back(
    visit: Watched, settings: Settings, *, require_if_match: bool
) -> None:
    strict = settings.model_copy(update={"require_if_match": require_if_match})
    with serve(strict) as api, api.client(new_user()) as user:
        lives_with_a_task(visit, user)
    visit.page.close()


def lives_with_a_task(visit: Watched, user: httpx.Client) -> None:
    board = opened(visit, user)

    board.add("Buy milk 2026-12-24 p1 @home @errand")
    board.shows(todo=["Buy milk"])
    (task,) = tasks_of(user)
    assert (task["due_date"], task["priority"], task["labels"]) == ("2026-12-24", "high", ["home", "errand"])

    form = board.edit("Buy milk")
    form.get_by_label("Title").fill("Buy oat milk")
    form.get_by_label("Notes").fill("Two litres\nOrganic")
    form.get_by_label("Due", exact=True).fill("")
    form.get_by_label("Priority").select_option("Low")
    form.get_by_label("Labels").fill("home")
    board.close()
    board.shows(todo=["Buy oat milk"])
    until(lambda: read(user, task)["labels"] == ["home"])
    task = read(user, task)
    assert (task["description"], task["due_date"]) == ("Two litres\nOrganic", None)
    assert (task["priority"], task["title"]) == ("low", "Buy oat milk")

    board.tick("Buy oat milk").click()
    board.shows(todo=[], done=["Buy oat milk"])
    until(lambda: read(user, task)["completed"] is True)

    board.edit("Buy oat milk").get_by_role("button", name="Delete").click()
    board.shows(done=[])
    board.says("“Buy oat milk” is in the trash.")
    visit.page.get_by_role("button", name="Undo").click()
    board.shows(done=["Buy oat milk"])
    assert visit.is_calm(), visit


@pytest.mark.requirement("FR-321")
def test_the_board_is_searched_and_narrowed(visit: Watched, user: httpx.Client) -> None:
    create(user, "Buy milk", priority="high", labels=["home"])
    create(user, "Buy bread", completed=True, due_date="2020-01-01")
    create(user, "Call Ada", due_date="2020-01-01", labels=["work"])
    create(user, "Call Bob", due_date="2999-01-01", priority="low")
    board = opened(visit, user)
    find = board.find()

    find.get_by_label("Search").fill("buy")
    board.shows(todo=["Buy milk"], done=["Buy bread"])
    find.get_by_label("Search").fill("")
    find.get_by_label("Priority").select_option("None")
    board.shows(todo=["Call Ada"], done=["Buy bread"])
    find.get_by_label("Priority").select_option("Any")
    find.get_by_label("Label").select_option("work")
    board.shows(todo=["Call Ada"], done=[])
    find.get_by_role("button", name="Clear filters").click()
    board.shows(todo=["Call Bob", "Call Ada", "Buy milk"], done=["Buy bread"])
    find.get_by_label("Overdue only").check()
    board.shows(todo=["Call Ada"], done=[])
    board.card("Call Ada").locator(".late").filter(has_text="Wed 1 Jan 2020").wait_for()
    board.add("Buy tea")
    board.says("“Buy tea” is added, but the filter hides it.")
    board.shows(todo=["Call Ada"])
    assert visit.is_calm(), visit


@pytest.mark.requirement("FR-321", "FR-319")
def test_what_users_write_is_text_and_what_is_wrong_is_said(visit: Watched, user: httpx.Client) -> None:
    title = "<img src=x onerror=alert(1)><b>bold</b>"
    create(user, title, description="<script>alert(1)</script>", labels=["<i>label</i>"])
    board = opened(visit, user)

    board.shows(todo=[title])
    assert visit.page.locator("#board :is(img, b, i, script)").count() == 0
    board.add("Buy milk\u0007 @home")
    assert "Title: " in board.says("(Request")
    assert board.field().input_value() == "Buy milk\u0007 @home"  # what was typed stays
    form = board.edit(title)
    form.get_by_label("Labels").fill("a" * 61)
    form.get_by_label("Title").focus()
    refused = form.get_by_role("alert").filter(has_text="(Request")
    assert re.search(r"^Labels: .* \(Request \w+\)$", refused.locator("p").inner_text())
    form.get_by_role("button", name="Discard what I typed").click()
    assert form.get_by_label("Labels").input_value() == "<i>label</i>"
    assert visit.is_calm(), visit


CLASH = "This task has changed elsewhere while you were typing"


def in_conflict(visit: Watched, user: httpx.Client, **theirs: object) -> tuple[Board, Task]:
    """Type another title while somebody else changes the task, and leave the field."""
    task = create(user, "Buy milk", description="One litre", priority="low")
    board = opened(visit, user)
    form = board.edit("Buy milk")
    form.get_by_label("Title").fill("Buy my milk")
    user.patch(path_of(task), json=theirs).raise_for_status()
    form.get_by_label("Notes").focus()
    form.get_by_role("heading", name=CLASH).wait_for()
    return board, task


@pytest.mark.requirement("FR-322")
def test_of_an_edit_in_between_both_are_shown_and_theirs_can_be_kept(visit: Watched, user: httpx.Client) -> None:
    board, task = in_conflict(visit, user, title="Buy their milk", description="Two litres", status="in_progress")

    assert visit.page.locator(".clash dl").inner_text().split("\n") == [
        *("Title", "Yours: Buy my milk", "Theirs: Buy their milk"),
    ]
    form = visit.page.get_by_role("form", name="Edit the task")
    assert form.get_by_label("Title").input_value() == "Buy my milk"
    assert form.get_by_label("Notes").input_value() == "Two litres"  # which nobody typed here
    assert form.get_by_label("Status").input_value() == "in_progress"
    assert board.focused() == "Notes"  # where it was led
    visit.page.get_by_role("button", name="Take theirs").click()

    board.shows(todo=[], in_progress=["Buy their milk"])
    assert form.get_by_label("Title").input_value() == "Buy their milk"
    assert read(user, task)["title"] == "Buy their milk"
    assert visit.is_calm(), visit


@pytest.mark.requirement("FR-322")
def test_or_mine_is_kept_which_leaves_alone_what_i_did_not_type(visit: Watched, user: httpx.Client) -> None:
    visit.page.route("**/api/changes/stream*", lambda _: None)  # is never answered
    board, task = in_conflict(visit, user, title="Buy their milk", description="Two litres")
    sent = board.sent()
    user.patch(
        path_of(task), json={"title": "Buy her milk", "priority": "high"}
    ).raise_for_status()  # once more in between
    revision = read(user, task)["revision"]

    visit.page.get_by_role("button", name="Keep mine").click()
    visit.page.get_by_text("Theirs: Buy her milk").wait_for()
    visit.page.get_by_role("button", name="Keep mine").click()

    board.shows(todo=["Buy my milk"])
    assert [sent[-1][name] for name in ("method", "body", "if_match")] == [
        *("PATCH", {"title": "Buy my milk"}, f'"{revision}"'),
    ]
    stored = read(user, task)
    assert (stored["title"], stored["description"], stored["priority"]) == ("Buy my milk", "Two litres", "high")
    assert visit.is_calm(), visit


@pytest.mark.requirement("FR-322")
def test_what_i_typed_is_still_there_if_mine_cannot_be_used(visit: Watched, user: httpx.Client) -> None:
    task = create(user, "Buy milk", due_date="2026-03-03")
    board = opened(visit, user)
    form = board.edit("Buy milk")
    due, start = form.get_by_label("Due", exact=True), form.get_by_label("Starts", exact=True)
    due.fill("2026-01-01")
    user.patch(path_of(task), json={"due_date": "2026-06-07", "start_date": "2026-06-01"}).raise_for_status()
    until(lambda: visit.page.locator(".clash").is_visible())
    start.fill("2026-06-01")
    form.get_by_role("button", name="Keep mine").click()

    form.get_by_role("alert").filter(has_text="(Request").wait_for()
    assert (due.input_value(), board.focused()) == ("2026-01-01", "Title")
    due.fill("2026-07-01")
    form.get_by_label("Title").focus()

    until(lambda: read(user, task)["due_date"] == "2026-07-01")
    assert read(user, task)["start_date"] == "2026-06-01"
    assert visit.is_calm(), visit


@pytest.mark.requirement("FR-322")
@pytest.mark.parametrize("is_narrowed", [False, True])
def test_what_somebody_types_is_neither_replaced_nor_removed(
    visit: Watched, user: httpx.Client, *, is_narrowed: bool
) -> None:
    task = create(user, "Buy milk")
    board = opened(visit, user)
    if is_narrowed:
        board.find().get_by_label("Search").fill("buy")
    form = board.edit("Buy milk")
    form.get_by_label("Title").fill("Buy my milk")

    user.patch(path_of(task), json={"title": "Sell milk", "status": "done"}).raise_for_status()
    create(user, "Buy bread")  # which the page learns of later
    board.card("Buy bread").wait_for()
    assert form.get_by_label("Title").input_value() == "Buy my milk"
    user.delete(path_of(task)).raise_for_status()
    create(user, "Buy tea")
    board.card("Buy tea").wait_for()
    assert form.get_by_label("Title").input_value() == "Buy my milk"
    form.get_by_role("button", name="Keep mine").click()
    form.get_by_role("alert").filter(has_text="Task not found.").wait_for()
    assert form.get_by_label("Title").input_value() == "Buy my milk"
    form.get_by_role("button", name="Discard what I typed").click()

    board.shows(todo=["Buy tea", "Buy bread"], done=[])
    assert visit.page.locator("#panel").is_hidden()
    assert visit.is_calm(), visit


@pytest.mark.requirement("FR-323")
def test_two_windows_see_what_the_other_does(browser: Browser, user: httpx.Client) -> None:
    with ExitStack() as stack:
        visits = [stack.enter_context(watched(browser)) for _ in range(2)]
        here, there = (opened(visit, user) for visit in visits)

        here.add("Buy milk")
        there.shows(todo=["Buy milk"])
        form = there.edit("Buy milk")
        form.get_by_label("Title").fill("Buy bread")
        there.press("Enter")
        here.shows(todo=["Buy bread"])
        here.edit("Buy bread").get_by_label("Status").select_option(IN_PROGRESS)
        there.shows(todo=[], in_progress=["Buy bread"])
        form.get_by_role("button", name="Delete").click()
        here.shows(in_progress=[])
        until(lambda: here.page.locator("#panel").is_hidden())
        there.page.get_by_role("button", name="Undo").click()
        here.shows(in_progress=["Buy bread"])

        assert all(visit.is_calm() for visit in visits), visits


@pytest.mark.requirement("FR-323")
def test_a_window_that_is_narrowed_sees_only_what_fits(visit: Watched, user: httpx.Client) -> None:
    create(user, "Buy milk")
    call = create(user, "Call Ada")
    board = opened(visit, user)
    board.find().get_by_label("Search").fill("buy")
    board.shows(todo=["Buy milk"])

    create(user, "Call Bob")
    user.patch(path_of(call), json={"title": "Buy bread"}).raise_for_status()
    board.shows(todo=["Buy bread", "Buy milk"])
    user.patch(path_of(call), json={"title": "Call Ada"}).raise_for_status()
    board.shows(todo=["Buy milk"])
    assert visit.is_calm(), visit


@pytest.mark.requirement("FR-324")
def test_everything_works_by_keyboard_and_the_focus_is_kept(visit: Watched, user: httpx.Client) -> None:
    board = opened(visit, user)
    visit.page.get_by_label("New task").focus()

    visit.page.keyboard.type("Buy milk")
    board.press("Enter")
    board.says("“Buy milk” is added.")
    assert board.focused() == "New task"
    board.tab_to("Buy milk")
    board.press("Enter")
    until(lambda: board.focused() == "Title")
    board.press("Control+A")
    visit.page.keyboard.type("Buy bread")
    board.press("Escape")
    board.shows(todo=["Buy bread"])
    assert board.focused() == "Buy bread"

    user.patch(path_of(tasks_of(user)[0]), json={"title": "Buy rye"}).raise_for_status()
    board.shows(todo=["Buy rye"])
    assert board.focused() == "Buy rye"
    board.press("m")
    board.tab_to("Status")
    board.press("ArrowDown", "Tab", "Enter")
    board.shows(todo=[], in_progress=["Buy rye"])
    until(lambda: board.focused() == "Buy rye")

    board.press("Enter")
    until(lambda: board.focused() == "Title")
    board.press("Escape")
    until(lambda: board.focused() == "Buy rye")
    create(user, "Buy tea", status="in_progress")
    board.shows(in_progress=["Buy tea", "Buy rye"])
    assert board.focused() == "Buy rye"
    board.press("Enter")
    until(lambda: board.focused() == "Title")
    board.press("Shift+Tab", "Shift+Tab")
    assert board.focused() == "Delete"
    board.press("Enter")
    until(lambda: board.focused() == "Undo")
    board.press("Enter")
    board.says("is back")
    until(lambda: board.focused() == "Buy tea")
    assert visit.is_calm(), visit


@pytest.mark.requirement("FR-324", "FR-322")
def test_keys_that_follow_fast_end_where_the_last_one_leads(visit: Watched, user: httpx.Client) -> None:
    task = create(user, "Buy milk")
    board = opened(visit, user)

    status = board.edit("Buy milk").get_by_label("Status")
    held: list[Route] = []

    def hold_the_first(route: Route) -> None:
        held.append(route)
        if len(held) > 1:
            route.continue_()

    visit.page.route(f"**{path_of(task)}", hold_the_first)

    status.focus()
    board.press("ArrowDown", "ArrowDown")
    assert status.input_value() == "done"
    until(lambda: visit.page.title() and held)
    assert [route.request.post_data_json for route in held] == [{"status": "in_progress"}]
    assert visit.page.locator("#panel .saved").inner_text() == "Saving…"
    held[0].continue_()

    board.shows(todo=[], in_progress=[], done=["Buy milk"])  # and not only for now
    until(lambda: read(user, task)["status"] == "done")
    board.shows(todo=[], in_progress=[], done=["Buy milk"])
    board.is_saved()


@pytest.mark.requirement("FR-324")
def test_it_fits_a_phone(browser: Browser, user: httpx.Client) -> None:
    create(user, LONG, description=LONG, labels=[LONG[:60]], due_at="2026-12-24T18:00:00Z", timezone="Europe/Berlin")
    with watched(browser, PHONE) as visit:
        board = opened(visit, user)
        board.shows(todo=[LONG])
        assert board.width() <= PHONE
        board.find().get_by_label("Search").fill(LONG[:20])
        board.shows(todo=[LONG])
        assert board.width() <= PHONE
        form = board.edit(LONG)
        assert board.width() <= PHONE
        theirs = f"{LONG}, as was searched for"  # so that the card stays when its title has changed
        form.get_by_label("Title").fill(LONG[::-1])
        user.patch(path_of(tasks_of(user)[0]), json={"description": theirs, "title": theirs}).raise_for_status()
        form.get_by_role("button", name="Keep mine").click()
        assert board.width() <= PHONE
        until(lambda: tasks_of(user)[0]["title"] == LONG[::-1])
        board.close()
        board.shows(todo=[LONG[::-1]])
        board.add(f"{LONG} @{'a' * 60}")
        board.says("is added")
        assert board.width() <= PHONE
        board.press("Escape")
        visit.page.get_by_role("button", name="Lists").click()
        assert board.width() <= PHONE
        board.sign_out()
        assert board.width() <= PHONE
        assert visit.is_calm(), visit


@pytest.mark.requirement("FR-324")
def test_it_follows_the_light_or_dark_of_the_system(visit: Watched, user: httpx.Client) -> None:
    opened(visit, user)
    lightness = "[...getComputedStyle(document.body).backgroundColor.matchAll(/\\d+/g)].map(Number)[0]"

    found = {}
    for scheme in ("light", "dark"):
        visit.page.emulate_media(color_scheme=scheme)
        found[scheme] = visit.page.evaluate(lightness)

    assert found["light"] > LIGHT
    assert found["dark"] < DARK
