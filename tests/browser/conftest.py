"""One browser and one service for the tests of a module, a new page and a new user for each test."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser

from backend.config import Settings
from tests.fixtures.browsers.chromium import Watched, chromium, watched
from tests.fixtures.calls.api import API, new_user, serve


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


@pytest.fixture(scope="module")
def service(settings: Settings) -> Iterator[API]:
    """The real service in development, with endless streams."""
    with serve(settings) as api:
        yield api


@pytest.fixture
def user(service: API) -> Iterator[httpx.Client]:
    """A client of the user who looks at the page."""
    with service.client(new_user()) as client:
        yield client
