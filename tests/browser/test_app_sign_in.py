"""The example page signs people in where the service does, and makes accounts."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, Page

from backend.config import Settings
from backend.identity.from_settings import sign_in_secrets_of
from backend.identity.invitations import Invitations
from tests.fixtures.browsers.app import Board
from tests.fixtures.browsers.axe import findings, needs_axe
from tests.fixtures.browsers.chromium import Watched, watched
from tests.fixtures.calls.api import API, serve
from tests.fixtures.calls.sign_in import OTHER_PASSWORD, PASSWORD, new_email, register

pytestmark = pytest.mark.requirement("FR-561")

PHONE, DESK = 390, 1280
COMMON = "password1"


def fill(page: Page, button: str, **fields: str) -> None:
    """Fill in the form of the door, and press its button."""
    for label, text in fields.items():
        page.get_by_label(label).fill(text)
    page.get_by_role("button", name=button, exact=True).click()


def test_who_makes_an_account_stays_signed_in_until_signing_out(visit: Watched, service: API) -> None:
    page, email = visit.page, new_email()
    board = Board(page)
    page.goto(f"{service.base_url}/app")
    page.get_by_role("button", name="Make one").click()
    page.get_by_text("At least 8 characters.").wait_for()
    fill(page, "Make account", Email=email, Name="Anna", Password=PASSWORD)
    board.settled().add("Buy milk")
    board.go("all/board").shows(todo=["Buy milk"])
    assert page.locator("#who").inner_text() == "Anna"

    page.reload()
    board.settled().shows(todo=["Buy milk"])
    other_window = page.context.new_page()
    other_window.goto(page.url)
    Board(other_window).settled().shows(todo=["Buy milk"])

    board.sign_out()
    page.get_by_label("Email").wait_for()
    assert board.focused() == "Email"
    assert page.evaluate("localStorage.getItem('task-api-session')") is None
    other_window.reload()
    other_window.get_by_label("Email").wait_for()

    fill(page, "Sign in", Email=email.upper(), Password=PASSWORD)
    board.settled().shows(todo=["Buy milk"])
    assert visit.is_calm(), visit


def test_what_is_wrong_is_said_and_what_was_typed_stays(visit: Watched, service: API) -> None:
    page, board = visit.page, Board(visit.page)
    email = register(service).email
    page.goto(f"{service.base_url}/app")
    fill(page, "Sign in", Email=email, Password=OTHER_PASSWORD)
    board.says("The address or the password is not right.")
    assert page.get_by_label("Email").input_value() == email

    page.get_by_role("button", name="Make one").click()
    assert board.focused() == "Email"
    assert board.message() == ""
    fill(page, "Make account", Password=COMMON)
    assert board.says("among the first that are tried").startswith("Password: ")
    fill(page, "Make account", Password=OTHER_PASSWORD)
    board.says("This address is registered already.")
    page.get_by_role("button", name="Sign in", exact=True).click()
    fill(page, "Sign in", Password=PASSWORD)
    board.settled()
    assert page.locator("#who").inner_text() == email


def test_without_a_sign_in_there_is_the_token_only(visit: Watched, settings: Settings) -> None:
    with serve(settings.model_copy(update={"sign_in": False})) as api:
        visit.page.goto(f"{api.base_url}/app")
        visit.page.get_by_label("Token").wait_for()
        assert visit.page.get_by_label("Email").is_hidden()
        assert visit.page.get_by_text("Use a token").is_hidden()
        assert visit.is_calm(), visit


def test_where_people_are_invited_the_invitation_is_asked_for(visit: Watched, settings: Settings) -> None:
    closed = settings.model_copy(update={"sign_up": False})
    secrets = sign_in_secrets_of(closed)
    assert secrets
    email = new_email()
    with serve(closed) as api:
        visit.page.goto(f"{api.base_url}/app")
        visit.page.get_by_label("Email").wait_for()
        assert visit.page.get_by_label("Invitation").is_hidden()
        visit.page.get_by_role("button", name="Make one").click()
        invitation = Invitations(secrets).new(email, datetime.now(UTC), days=1)
        fill(visit.page, "Make account", Email=email, Password=PASSWORD, Invitation=invitation)
        Board(visit.page).settled()


@needs_axe
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [PHONE, DESK])
def test_axe_finds_nothing_at_the_door(browser: Browser, service: API, width: int, scheme: str) -> None:
    with watched(browser, width) as visit:
        visit.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        visit.page.goto(f"{service.base_url}/app")
        visit.page.get_by_label("Email").wait_for()
        assert findings(visit.page) == []
        visit.page.get_by_role("button", name="Make one").click()
        assert findings(visit.page) == []
        visit.page.get_by_text("Use a token").click()
        assert findings(visit.page) == []
        assert Board(visit.page).width() == width
