"""/docs/guide in a real browser: readable everywhere, searchable, calm, and without a request to another host."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.fixtures.browsers.axe import findings, needs_axe
from tests.fixtures.browsers.chromium import Watched, watched
from tests.fixtures.calls.api import API
from tests.fixtures.documents.guide import names_of_pages
from tests.fixtures.running.waiting import until

pytestmark = pytest.mark.requirement("FR-477")

PHONE, DESK = 390, 1280  # pixels
COLOURS = {"light": "default", "dark": "slate"}
# All pages are checked on a desk in light colours; of phones and the dark, what these have stands for the others.
TYPICAL = ("errors.html", "index.html", "reference.html", "sign-in.html")
# Chromium says this of the search field on each page that is opened at an anchor.
OF_ANCHORS = "info: Autofocus processing was blocked"


def is_calm(visit: Watched) -> bool:
    """Return whether there was no error, and no request to another host."""
    visit.console[:] = [line for line in visit.console if not line.startswith(OF_ANCHORS)]
    return visit.is_calm()


@needs_axe
@pytest.mark.parametrize("scheme", COLOURS)
@pytest.mark.parametrize("width", [PHONE, DESK])
def test_pages_are_calm_and_fit_and_axe_finds_nothing_serious(
    browser: Browser, service: API, width: int, scheme: str
) -> None:
    with watched(browser, width) as visit:
        page = visit.page
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        for name in names_of_pages() if (width, scheme) == (DESK, "light") else TYPICAL:
            page.goto(f"{service.base_url}/docs/guide/{name}")
            assert page.locator("body").get_attribute("data-md-color-scheme") == COLOURS[scheme]
            assert page.evaluate("document.documentElement.scrollWidth") <= width, name
            found = findings(page)
            assert [each for each in found if each.startswith(("critical", "serious"))] == [], name
            assert is_calm(visit), (name, visit)


def test_what_is_searched_is_found_and_read_again(visit: Watched, service: API) -> None:
    page = visit.page
    page.goto(f"{service.base_url}/docs/guide")
    assert page.url == f"{service.base_url}/docs/guide/"

    page.get_by_role("button", name="Search").click()
    page.get_by_role("dialog", name="Search").get_by_role("combobox").fill("If-Match")
    results = page.get_by_role("listbox", name="Search results").get_by_role("option")
    until(lambda: results.count() >= 3)
    results.first.click()
    page.wait_for_url("**/docs/guide/*.html?h=If-Match*")
    page.locator("mark", has_text="Match").first.wait_for()

    for _ in range(2):  # the browser asks whether the page is the same, and keeps it
        page.reload()
        page.locator("mark", has_text="Match").first.wait_for()
    assert is_calm(visit), visit


def test_the_colours_can_be_switched_and_stay(visit: Watched, service: API) -> None:
    page = visit.page
    page.emulate_media(color_scheme="light")
    page.goto(f"{service.base_url}/docs/guide/errors.html")

    page.get_by_title("Switch to dark colours").click()
    page.get_by_role("link", name="Settings").first.click()

    page.wait_for_url("**/settings.html")
    assert page.locator("body").get_attribute("data-md-color-scheme") == "slate"
    assert is_calm(visit), visit


def test_a_phone_has_the_contents_in_a_drawer(browser: Browser, service: API) -> None:
    with watched(browser, PHONE, has_touch=True) as visit:
        page = visit.page
        page.goto(f"{service.base_url}/docs/guide/")
        contents = page.get_by_role("navigation", name="Navigation").get_by_role("link", name="Errors")
        page.locator("label.md-header__button[for=__drawer]").tap()
        contents.tap()

        page.wait_for_url("**/docs/guide/errors.html")
        assert is_calm(visit), visit
