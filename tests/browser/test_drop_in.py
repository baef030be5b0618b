"""The drop-in client in a real browser, in a page of another origin."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backend.config import Settings
from backend.identity.jwt import issue_token
from tests.fixtures.browsers.chromium import Watched
from tests.fixtures.browsers.pages import website
from tests.fixtures.calls.api import API, serve
from tests.fixtures.http.faulty_http import LOST, faulty_proxy
from tests.fixtures.identity.tokens import SECRET
from tests.fixtures.node.clients import needs_node
from tests.fixtures.node.drop_in import IN_A_PAGE, LIFE, compiled, sources, token_of

pytestmark = needs_node


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder with the compiled use of the client."""
    with compiled() as folder:
        yield folder


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """The port of the website."""
    with website() as port:
        yield port


@pytest.fixture(scope="module")
def service(settings: Settings, port: int) -> Iterator[API]:
    """The service, which the website may call."""
    with serve(settings.model_copy(update={"cors_origins": (f"http://localhost:{port}",)})) as api:
        yield api


def in_a_page(visit: Watched, port: int, folder: Path, name: str, address: str, *tokens: str) -> dict[str, Any]:
    visit.page.goto(f"http://localhost:{port}/")
    said: dict[str, Any] = json.loads(visit.page.evaluate(IN_A_PAGE, [sources(folder), name, address, list(tokens)]))
    return said


@pytest.mark.requirement("FR-301", "FR-302", "FR-305")
def test_a_page_lives_with_tasks(visit: Watched, port: int, folder: Path, service: API, user_id: str) -> None:
    assert in_a_page(visit, port, folder, "life", service.base_url, token_of(user_id))["got"] == LIFE


@pytest.mark.requirement("FR-303", "FR-304")
def test_a_page_survives_an_expired_token_and_a_lost_answer(
    visit: Watched, port: int, folder: Path, service: API, user_id: str
) -> None:
    expired = issue_token(SECRET, user_id, ttl_seconds=-60)
    with faulty_proxy(service.base_url) as way:
        way.faults = [None, LOST]

        said = in_a_page(visit, port, folder, "create", way.address, expired, token_of(user_id))

        assert (said["got"], said["asked"], len(way.requests)) == ("Buy milk", [False, True], 3)
    assert in_a_page(visit, port, folder, "list", service.base_url, token_of(user_id))["got"] == ["Buy milk"]


@pytest.mark.requirement("FR-306")
def test_a_page_follows_a_stream_that_breaks(
    visit: Watched, port: int, folder: Path, service: API, user_id: str
) -> None:
    names = ["first", "second", "third", "last"]
    with service.client(user_id) as client:
        for name in names:
            client.post("/api/tasks", json={"title": name}).raise_for_status()
    with faulty_proxy(service.base_url) as way:
        way.cut_streams_after = 700

        said = in_a_page(visit, port, folder, "follow", way.address, token_of(user_id))

    assert said["got"] == {"seen": names, "later": ["removed"]}
