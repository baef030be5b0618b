"""One browser for the tests of a module, and a new page for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.fixtures.browser import Watched, chromium, watched


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser whose pages share no state."""
    with chromium() as browser:
        yield browser


@pytest.fixture
def visit(browser: Browser) -> Iterator[Watched]:
    """An empty page."""
    with watched(browser) as page:
        yield page
