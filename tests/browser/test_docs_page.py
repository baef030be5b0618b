"""/docs in a real browser: everything works, loads only from this service, and causes no browser errors."""

from __future__ import annotations

from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page

from tests.fixtures.browsers.chromium import HEIGHT, Watched, watched
from tests.fixtures.browsers.docs import Form, SwaggerUI
from tests.fixtures.calls.access_tokens import make_token
from tests.fixtures.calls.api import API
from tests.fixtures.calls.erasure import user_of
from tests.fixtures.calls.labels import put
from tests.fixtures.calls.lists import make
from tests.fixtures.calls.sign_in import PASSWORD, register
from tests.fixtures.calls.tasks import MISSING_ID, Task, create, do_what_is_undone
from tests.fixtures.documents.contract import Operation, operations
from tests.fixtures.running.waiting import until

JSON = "application/json"
JSON_LINES = b'{"title": "Buy milk"}\n'
HUNG_UP = ": this page has stopped listening; the stream goes on"
DESK, PHONE = 1280, 390  # pixels
# The proposed token is nobody's, and the user signs in elsewhere.
REFUSED = {"refresh": 401, "change_password": 404}
TAGS = {operation.document["tags"][0] for operation in operations().values()}
# On one page each, because loading the page takes as long as opening four operations.
TOGETHER = [{"tasks"}, {"labels", "lists"}, TAGS - {"tasks", "labels", "lists"}]


def docs(visit: Watched, user: httpx.Client, *, authorized: bool = True) -> SwaggerUI:
    """Open the page, and paste a token."""
    visit.page.goto(f"{user.base_url}/docs")
    page = SwaggerUI(visit.page)
    if authorized:
        page.authorize(user.headers["Authorization"].removeprefix("Bearer "))
    return page


def names_in(operation: Operation, user: httpx.Client | None = None) -> dict[str, str]:
    """Fill in the required parameters: with the user's own ids, or with ids that nobody has."""
    kinds = {
        "task_id": lambda user: create(user)["id"],
        "list_id": lambda user: make(user, "Groceries")["id"],
        "token_id": lambda user: make_token(user)["id"],
        "name": lambda user: put(user, uuid4().hex)["name"],
        "confirm": user_of,
    }
    needed = [parameter["name"] for parameter in operation.document.get("parameters", []) if parameter["required"]]
    return {name: kinds[name](user) if user else MISSING_ID for name in needed}


def is_in_sight(heading: Locator) -> bool:
    """Return whether nothing covers a heading, and it is in the upper part of the window."""
    box = heading.bounding_box()
    on_top = "(node, [x, y]) => node.contains(document.elementFromPoint(x, y))"
    return bool(box and 0 < box["y"] < HEIGHT / 4 and heading.evaluate(on_top, [box["x"] + 2, box["y"] + 2]))


def tasks_of(user: httpx.Client) -> list[Task]:
    """List the user's tasks."""
    tasks: list[Task] = user.get("/api/tasks").json()["data"]
    return tasks


@pytest.mark.requirement("FR-329")
def test_another_answer_and_the_headers_unfold(visit: Watched, user: httpx.Client) -> None:
    block = docs(visit, user).open(operations()["create_task"]).block
    answers = block.locator(".responses-inner")

    assert answers.locator("tbody .response-col_status").all_inner_texts() == ["201"]
    assert "Location" not in answers.inner_text()
    answers.get_by_text("Headers").click()
    answers.get_by_text("Location").wait_for()
    answers.get_by_text("409  ").click()
    answers.get_by_text('"CONFLICT"').wait_for()
    assert visit.is_calm(), visit


@pytest.mark.requirement("FR-207")
def test_operations_are_found_by_a_word(visit: Watched, user: httpx.Client) -> None:
    visit.page.goto(f"{user.base_url}/docs")
    found = visit.page.locator(".opblock-summary-path")
    found.first.wait_for()

    for word, paths in [("TRASH", "/restore"), ("/api/labels", "/{name}"), ("server-sent", "/stream")]:
        visit.page.get_by_label("Filter the operations").fill(word)
        found.filter(has_text=paths).first.wait_for()
        assert 0 < found.count() < len(operations()) / 2, word
    visit.page.get_by_label("Filter the operations").fill("")
    until(lambda: found.count() == len(operations()))
    assert visit.is_calm(), visit


@pytest.mark.requirement("FR-330")
def test_operations_stand_in_the_order_of_their_use(visit: Watched, user: httpx.Client) -> None:
    visit.page.goto(f"{user.base_url}/docs")
    visit.page.locator(".opblock").first.wait_for()
    shown = [block.get_attribute("id") or "" for block in visit.page.locator(".opblock").all()]

    names = [name.rpartition("-")[2] for name in shown]
    in_order = ["create_task", "list_tasks", "get_task", "update_task", "patch_task", "complete_task"]
    in_order += ["post_complete_task", "delete_task"]
    assert names[: len(in_order)] == in_order
    assert names[-3:] == ["get_directory", "check_liveness", "check_readiness"]


@pytest.mark.requirement("FR-330")
def test_an_operation_has_an_address(browser: Browser, service: API) -> None:
    with watched(browser) as visit:
        visit.page.goto(f"{service.base_url}/docs#/changes/stream_changes")
        visit.page.locator(".opblock.is-open").get_by_text("It is to be read by a program").wait_for()

        assert visit.page.locator(".opblock.is-open").count() == 1
        heading = visit.page.locator(".opblock.is-open .opblock-summary-path")
        until(lambda: is_in_sight(heading))
        assert visit.is_calm(), visit


@pytest.mark.requirement("FR-206")
def test_a_token_is_pasted_once_and_stays_until_one_logs_out(visit: Watched, user: httpx.Client) -> None:
    account = operations()["get_account"]
    page = docs(visit, user)

    assert page.open(account).execute().status == 200
    page.reload()
    assert page.open(account).execute().status == 200
    page.log_out()
    assert page.open(account).execute().status == 401
    page.reload()
    assert page.open(account).execute().status == 401
    assert visit.is_calm(), visit


@pytest.mark.requirement("FR-538")
def test_who_signs_in_with_address_and_password_makes_calls(visit: Watched, user: httpx.Client, service: API) -> None:
    anna, account = register(service), operations()["get_account"]
    page = docs(visit, user, authorized=False)
    page.sign_in(anna.email, PASSWORD)

    shown = page.open(account).execute()
    assert (shown.status, anna.id in shown.text) == (200, True)
    kept = visit.page.evaluate("JSON.stringify(localStorage)")
    assert (PASSWORD in kept, "access_token" in kept) == (False, True)
    page.reload()
    assert page.open(account).execute().status == 200
    assert visit.is_calm(), visit


@pytest.mark.requirement("FR-206")
def test_without_a_token_one_is_asked_for(visit: Watched, user: httpx.Client) -> None:
    page = docs(visit, user, authorized=False)

    plain = [
        operation for operation in operations().values() if operation.is_private and operation.id != "import_tasks"
    ]
    for operation in {operation.method: operation for operation in plain}.values():
        shown = page.open(operation).fill(**names_in(operation)).execute()
        assert (shown.status, "UNAUTHORIZED" in shown.text) == (401, True), operation.id
    assert visit.is_calm(), visit


@pytest.mark.requirement("FR-056", "FR-110", "FR-206", "FR-329")
@pytest.mark.timeout(600)  # the page takes half a second for each click, and more on a busy machine
@pytest.mark.parametrize("tags", TOGETHER, ids=["tasks", "labels and lists", "others"])
def test_every_operation_fits_few_screens_and_can_be_tried_and_says_what_is_missing_or_wrong(
    visit: Watched, user: httpx.Client, tags: set[str]
) -> None:
    page = docs(visit, user)
    do_what_is_undone(user)

    for operation in (each for each in operations().values() if each.document["tags"][0] in tags):
        kinds = operation.document.get("requestBody", {}).get("content", {})
        form = page.open(operation)
        assert_fits(visit.page, form, operation)
        form.fill(**names_in(operation, user))
        shown = (form.attach(JSON_LINES) if operation.id == "import_tasks" else form).execute()
        expected = REFUSED.get(operation.id)
        assert shown.status == expected if expected else 200 <= shown.status < 300, (operation.id, shown)
        assert str(shown.status) in operation.document["responses"], operation.id
        if operation.is_about_one:
            shown = form.fill(**names_in(operation)).execute()
            assert (shown.status, "NOT_FOUND" in shown.text) == (404, True), operation.id
        if operation.id == "erase_account":
            shown = form.fill(**names_in(operation)).execute()
            assert (shown.status, "Nothing was erased" in shown.text) == (422, True)
        if JSON in kinds and operation.id != "import_tasks":
            shown = form.fill('{"colour": "red"}').execute()
            assert (shown.status, '"field": "colour"' in shown.text) == (422, True), operation.id
    assert visit.is_calm(), visit


def assert_fits(page: Page, form: Form, operation: Operation) -> None:
    """Check that an open operation fits few screens of a phone and of a desk, and shows one answer."""
    for width, screens in ((PHONE, 4), (DESK, 2)):
        page.set_viewport_size({"width": width, "height": HEIGHT})
        until(lambda: page.evaluate("window.innerWidth") == width)  # noqa: B023 - called at once
        opened = form.block.bounding_box()
        assert opened, operation.id
        assert opened["height"] <= screens * HEIGHT, (operation.id, width)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, (operation.id, width)
    answers = form.block.locator(".responses-inner tbody .response-col_status").all_inner_texts()
    assert [answer for answer in answers if answer in operation.document["responses"]] == answers
    assert len(answers) == 1, "the others are folded"


@pytest.mark.requirement("FR-206")
def test_what_the_page_proposes_creates_tasks_each_time_and_lists_them(visit: Watched, user: httpx.Client) -> None:
    page = docs(visit, user)

    for name in ("create_task", "batch_tasks"):
        form = page.open(operations()[name])
        numbers = [len(tasks_of(user)), *(len(tasks_of(user)) for _ in range(2) if form.execute().status < 300)]
        assert numbers[2] - numbers[1] == numbers[1] - numbers[0] > 0, name

    shown = page.open(operations()["list_tasks"]).execute()
    assert [task["id"] for task in tasks_of(user) if task["id"] not in shown.text] == []


@pytest.mark.requirement("FR-445")
def test_a_value_that_the_form_would_refuse_is_sent_and_answered(visit: Watched, user: httpx.Client) -> None:
    page = docs(visit, user)

    shown = page.open(operations()["list_tasks"]).fill(limit="0", cursor="!").execute()
    assert (shown.status, "query.limit" in shown.text) == (422, True)
    shown = page.open(operations()["get_task"]).fill(task_id="7").execute()
    assert shown.status == 404
    assert visit.is_calm(), visit


@pytest.mark.requirement("FR-445")
def test_nothing_that_was_sent_is_marked_as_wrong(visit: Watched, user: httpx.Client) -> None:
    """Swagger UI takes the choice of neither true nor false for a mistake."""
    form = docs(visit, user).open(operations()["list_tasks"])
    form.unfold("deleted")

    assert form.fill(limit="0").execute().status == 422
    assert form.block.locator(".invalid").count() == 0
    assert not form.block.get_by_text("Please correct the following").is_visible()


@pytest.mark.requirement("FR-445")
def test_what_is_missing_is_said(visit: Watched, user: httpx.Client) -> None:
    form = docs(visit, user).open(operations()["get_task"])

    form.block.locator(".execute").press("Enter")

    form.block.get_by_role("alert").get_by_text("Not sent.").wait_for()
    assert form.block.locator(".invalid").count() == 1
    assert "task_id" in form.block.get_by_role("alert").inner_text()
    form.fill(task_id=create(user)["id"])
    assert form.execute().status == 200
    form.block.get_by_role("alert").wait_for(state="detached")


@pytest.mark.requirement("FR-445")
def test_a_missing_file_is_said(visit: Watched, user: httpx.Client) -> None:
    form = docs(visit, user).open(operations()["import_tasks"])

    form.block.locator(".execute").press("Enter")

    form.block.get_by_role("alert").get_by_text("choose a file").wait_for()
    assert form.attach(JSON_LINES).execute().status == 200
    form.block.get_by_role("alert").wait_for(state="detached")


@pytest.mark.requirement("FR-446")
def test_the_page_is_dark_where_the_system_is(visit: Watched, user: httpx.Client) -> None:
    docs(visit, user, authorized=False)
    brightness = (
        "Math.max(...getComputedStyle(document.querySelector('.swagger-ui .info .title')).color.match(/\\d+/g))"
    )
    for scheme, is_light_on_dark in (("dark", True), ("light", False)):
        visit.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        visit.page.locator(".swagger-ui .info .title").wait_for()
        until(lambda: (visit.page.evaluate(brightness) > 128) == is_light_on_dark)  # noqa: B023 - called at once


@pytest.mark.requirement("FR-446")
def test_the_schemas_are_listed_at_the_end(visit: Watched, user: httpx.Client) -> None:
    docs(visit, user, authorized=False)
    section = visit.page.locator(".swagger-ui .models")

    section.get_by_role("button", name="Schemas").first.click()

    section.get_by_text("TaskPublic", exact=True).first.wait_for()


@pytest.mark.requirement("FR-206")
def test_a_stream_shows_what_comes_in_the_first_seconds(visit: Watched, user: httpx.Client) -> None:
    task = create(user)

    shown = docs(visit, user).open(operations()["stream_changes"]).execute()

    assert shown.status == 200
    assert task["id"] in shown.text
    assert HUNG_UP in shown.text


@pytest.mark.requirement("FR-206")
def test_a_file_can_be_kept(visit: Watched, user: httpx.Client) -> None:
    form = docs(visit, user).open(operations()["export_account"])
    form.execute()

    with visit.page.expect_download() as download:
        form.block.get_by_text("Download file").click()

    assert download.value.suggested_filename == "task-api-export.jsonl"
    assert download.value.path().read_text().splitlines() == user.get("/api/me/export").text.splitlines()
    assert visit.is_calm(), visit
