"""The smallest page, which people copy: served from another address, as theirs will be."""

from __future__ import annotations

import shutil
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Page

from backend.config import EXAMPLES, Settings
from tests.fixtures.browsers.app import token_of
from tests.fixtures.browsers.axe import findings, needs_axe
from tests.fixtures.browsers.chromium import Watched
from tests.fixtures.browsers.pages import website_of
from tests.fixtures.calls.api import API, new_user, serve
from tests.fixtures.calls.tasks import create, path_of
from tests.fixtures.running.waiting import until

pytestmark = [pytest.mark.requirement("FR-457"), needs_axe]
MAX_LINES = 70


def copied(api: API, folder: Path) -> None:
    """Copy what the README says, and write down where the service is."""
    shutil.copy(EXAMPLES / "task-api.js", folder)
    text = (EXAMPLES / "minimal.html").read_text(encoding="utf-8")
    (folder / "minimal.html").write_text(text.replace("http://127.0.0.1:8000", api.base_url), encoding="utf-8")


def titles(page: Page) -> list[str]:
    return [text.strip() for text in page.locator("li").all_inner_texts()]


def test_tasks_are_shown_added_completed_and_followed(visit: Watched, settings: Settings, tmp_path: Path) -> None:
    with serve(settings.model_copy(update={"cors_origins": ()})) as api, website_of(tmp_path) as port:
        copied(api, tmp_path)
        with api.client(new_user()) as user:
            lives(visit, user, port)
    assert visit.hosts == {f"127.0.0.1:{port}", urlsplit(api.base_url).netloc}
    assert visit.console == []
    visit.page.close()


def lives(visit: Watched, user: httpx.Client, port: int) -> None:
    page = visit.page
    create(user, "<b>Buy milk</b>")
    create(user, "ready", completed=True)
    page.goto(f"http://127.0.0.1:{port}/minimal.html#token={token_of(user)}")
    until(lambda: titles(page) == ["<b>Buy milk</b>"])

    page.get_by_label("New task").fill("Buy tea")
    page.get_by_label("New task").press("Enter")
    until(lambda: titles(page) == ["Buy tea", "<b>Buy milk</b>"])
    assert page.get_by_label("New task").input_value() == ""
    page.get_by_role("checkbox", name="Buy tea").click()  # not `check`: a completed task leaves before that is checked
    until(lambda: titles(page) == ["<b>Buy milk</b>"])
    other = create(user, "Call Ada")
    until(lambda: titles(page) == ["Call Ada", "<b>Buy milk</b>"])
    user.delete(path_of(other)).raise_for_status()
    until(lambda: titles(page) == ["<b>Buy milk</b>"])
    page.get_by_label("New task").fill("bell \u0007")
    page.get_by_label("New task").press("Enter")
    until(lambda: page.get_by_role("status").inner_text() != "")
    assert page.get_by_label("New task").input_value() == "bell \u0007"
    assert findings(page) == []


def test_it_is_short() -> None:
    assert len((EXAMPLES / "minimal.html").read_text(encoding="utf-8").splitlines()) < MAX_LINES
