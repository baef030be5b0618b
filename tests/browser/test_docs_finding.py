"""/docs: finding a call, its samples and its parameters, and reading all of it with a keyboard or a screen reader."""

from __future__ import annotations

from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Page

from backend.api.openapi.groups import GROUPS
from tests.fixtures.browsers.axe import findings, needs_axe
from tests.fixtures.browsers.chromium import HEIGHT, Watched
from tests.fixtures.browsers.docs import SwaggerUI
from tests.fixtures.calls.tasks import create
from tests.fixtures.documents.contract import operations
from tests.fixtures.running.waiting import until

DESK, PHONE = 1280, 390  # pixels
FOUND = ".opblock-summary-path"
SEVERE = {"critical", "serious"}
FILES = {
    "application/jsonl": b'{"title": "From lines"}\n',
    "text/csv": b"title,due_date\nFrom a table,2026-11-21\n",
    "text/calendar": b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VTODO\r\nUID:1\r\n"
    b"SUMMARY:From a calendar\r\nEND:VTODO\r\nEND:VCALENDAR\r\n",
}


def docs(visit: Watched, user: httpx.Client, width: int = DESK) -> SwaggerUI:
    """Open the page in a window of this width, and paste a token."""
    visit.page.set_viewport_size({"width": width, "height": HEIGHT})
    visit.page.goto(f"{user.base_url}/docs")
    page = SwaggerUI(visit.page)
    page.authorize(user.headers["Authorization"].removeprefix("Bearer "))
    return page


def is_focused(page: Page, name: str) -> bool:
    """Return whether the button that opens an operation has the focus."""
    inside: bool = page.evaluate(f"!!document.activeElement.closest('[id$=\"-{name}\"]')")
    return inside


@pytest.mark.requirement("FR-485")
def test_a_link_at_the_side_opens_an_operation_and_takes_the_focus_there(visit: Watched, user: httpx.Client) -> None:
    docs(visit, user)
    side = visit.page.get_by_role("navigation", name="Operations")
    assert side.get_by_role("link").count() == len(operations()) + 1  # and the guide
    assert not visit.page.get_by_label("Jump to an operation").is_visible()

    side.get_by_role("link", name="Rename a label").press("Enter")

    visit.page.locator(".opblock.is-open[id$=update_label]").wait_for()
    until(lambda: is_focused(visit.page, "update_label"))
    assert urlsplit(visit.page.url).fragment == "/labels/update_label"
    visit.page.go_back()
    visit.page.evaluate("location.hash = '#/lists/list_lists'")
    visit.page.locator(".opblock.is-open[id$=list_lists]").wait_for()
    assert visit.is_calm(), visit


@pytest.mark.requirement("FR-485")
def test_on_a_phone_one_chooses_where_to_jump(visit: Watched, user: httpx.Client) -> None:
    docs(visit, user, PHONE)
    assert not visit.page.get_by_role("navigation", name="Operations").is_visible()

    visit.page.get_by_label("Jump to an operation").select_option("#/lists/delete_list")

    visit.page.locator(".opblock.is-open[id$=delete_list]").wait_for()
    until(lambda: is_focused(visit.page, "delete_list"))
    place = visit.page.locator(".opblock[id$=delete_list]").bounding_box()
    assert place
    assert 0 < place["y"] < HEIGHT / 4, "below the filter, which stays"


@pytest.mark.requirement("FR-485")
@pytest.mark.parametrize(
    ("word", "first"),
    [
        ("label", "/api/labels"),
        ("lists", "/api/lists"),
        ("trash", "/api/tasks/{task_id}"),
        ("delete task", "/api/tasks/{task_id}"),
        ("import file", "/api/tasks/import"),
        ("/api/tasks/import", "/api/tasks/import"),
    ],
)
def test_the_filter_shows_first_what_is_called_so(visit: Watched, user: httpx.Client, word: str, first: str) -> None:
    docs(visit, user)

    visit.page.get_by_label("Filter the operations").fill(word)

    until(lambda: visit.page.locator(FOUND).first.get_attribute("data-path") == first)
    visit.page.get_by_label("Filter the operations").fill("zebra crossing")
    visit.page.get_by_text("No operation has these words.").wait_for()
    assert visit.page.locator(FOUND).count() == 0
    assert not visit.page.get_by_text("No operations defined").is_visible()


@pytest.mark.requirement("FR-488")
def test_the_page_leads_to_the_guide(visit: Watched, user: httpx.Client) -> None:
    docs(visit, user)

    links = visit.page.locator('a[href="/docs/guide/"]')
    assert {link.inner_text() for link in links.all()} == {"guide", "Guide"}
    visit.page.set_viewport_size({"width": PHONE, "height": HEIGHT})
    until(lambda: [link.inner_text() for link in links.all() if link.is_visible()] == ["guide"])


@pytest.mark.requirement("FR-484")
def test_parameters_stand_in_groups_and_words_are_chosen(visit: Watched, user: httpx.Client) -> None:
    begun, done = create(user, "Begun", status="in_progress"), create(user, "Done", status="done")
    form = docs(visit, user).open(operations()["list_tasks"])
    assert form.block.locator("tr.group strong").all_inner_texts() == [*GROUPS]
    assert form.block.locator("tr[data-param-name]").count() == 0

    with visit.page.expect_request(lambda request: "/api/tasks" in request.url) as sent:
        shown = form.choose("status", "todo", "in_progress").execute()

    assert urlsplit(sent.value.url).query == "status=todo,in_progress", "no default that nobody has chosen"
    assert (begun["id"] in shown.text, done["id"] in shown.text) == (True, False)
    form.block.get_by_label("todo", exact=True).uncheck()
    form.block.get_by_label("in_progress", exact=True).uncheck()
    assert done["id"] in form.execute().text


@pytest.mark.requirement("FR-483")
def test_the_samples_are_tabs_with_the_address_of_the_page(visit: Watched, user: httpx.Client) -> None:
    samples = docs(visit, user).open(operations()["create_task"]).block.locator(".samples")
    assert f'curl -X POST "{str(user.base_url).rstrip("/")}/api/tasks"' in samples.get_by_role("tabpanel").inner_text()

    samples.get_by_role("tab", name="curl").press("ArrowLeft")

    assert samples.get_by_role("tab", selected=True).inner_text() == "Python"
    assert "import httpx" in samples.get_by_role("tabpanel", name="Python").inner_text()
    samples.get_by_role("tab", name="JavaScript").click()
    assert "await fetch" in samples.get_by_role("tabpanel", name="JavaScript").inner_text()
    assert visit.is_calm(), visit


@pytest.mark.requirement("FR-486")
def test_an_import_takes_a_file_of_each_type_and_shows_an_example(visit: Watched, user: httpx.Client) -> None:
    form = docs(visit, user).open(operations()["import_tasks"])

    for kind, content in FILES.items():
        shown = form.attach(content, kind).execute()
        assert (shown.status, '"created": 1' in shown.text) == (200, True), kind
        example = form.block.locator(".body-example")
        example.locator("summary").click()
        documented = operations()["import_tasks"].document["requestBody"]["content"][kind]["example"]
        assert example.locator("pre").text_content() == documented
        example.locator("summary").click()


@pytest.mark.requirement("FR-486")
def test_the_name_of_a_file_says_its_type(visit: Watched, user: httpx.Client) -> None:
    form = docs(visit, user).open(operations()["import_tasks"])

    shown = form.attach(FILES["text/csv"], name="Tasks of May.CSV").execute()

    assert (shown.status, '"created": 1' in shown.text) == (200, True)
    assert form.block.get_by_label("Request content type").input_value() == "text/csv"


@needs_axe
@pytest.mark.requirement("FR-445", "FR-487")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_read_what_is_missing(visit: Watched, user: httpx.Client, scheme: str) -> None:
    visit.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    form = docs(visit, user).open(operations()["get_task"])

    form.block.locator(".execute").press("Enter")

    form.block.get_by_role("alert").get_by_text("Not sent.").wait_for()
    assert findings(visit.page, within=".not-sent") == []


@needs_axe
@pytest.mark.requirement("FR-487")
@pytest.mark.timeout(600)  # axe looks at each of some thousand elements, and more slowly on a busy machine
@pytest.mark.parametrize("width", [DESK, PHONE])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_read_and_use_the_page(visit: Watched, user: httpx.Client, scheme: str, width: int) -> None:
    visit.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page = docs(visit, user, width)
    assert findings(visit.page, SEVERE) == []
    visit.page.locator(".auth-wrapper > .authorize").click()
    visit.page.locator(".modal-ux").wait_for()
    assert findings(visit.page, SEVERE) == []
    visit.page.locator(".modal-ux .btn-done").first.click()

    for name in ("list_tasks", "create_task", "import_tasks", "delete_task"):
        form = page.open(operations()[name])
        form.unfold("status").unfold("due_before")
        if name in {"list_tasks", "create_task"}:
            assert form.execute().status < 300
        assert findings(visit.page, SEVERE) == [], name

    visit.page.locator(".swagger-ui .models").get_by_role("button", name="Schemas").first.click()
    visit.page.get_by_role("button", name="TaskPublic", exact=True).click()
    assert findings(visit.page, SEVERE) == []
