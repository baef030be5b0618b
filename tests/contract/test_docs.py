"""/docs: a page that loads nothing from other sites."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from urllib.parse import urlsplit

import httpx
import pytest

from backend.api.http.envelope import GUIDE
from backend.config import Settings
from tests.fixtures.calls.api import serve
from tests.fixtures.documents.contract import contract, operations

KINDS = {".js": "javascript", ".css": "text/css", ".png": "image/png"}
MIN_ASSET_BYTES = 500


class Page(HTMLParser):
    """The addresses that a page loads, and its scripts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.assets: list[str] = []
        self.feed(html)

    def handle_starttag(self, _tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.assets += [value for name, value in attributes if name in {"src", "href", "srcset", "data"} and value]


@pytest.fixture
def page(anonymous: httpx.Client) -> str:
    """Read the page."""
    response = anonymous.get("/docs")
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/html")
    return response.text


@pytest.mark.requirement("FR-056")
def test_every_asset_of_the_page_comes_from_the_service(anonymous: httpx.Client, page: str) -> None:
    assets = Page(page).assets

    assert {asset[asset.rindex(".") :] for asset in assets} == KINDS.keys()
    for asset in assets:
        assert not urlsplit(asset).netloc
        response = anonymous.get(asset)
        assert response.status_code == 200
        assert len(response.content) > MIN_ASSET_BYTES
        assert KINDS[asset[asset.rindex(".") :]] in response.headers["Content-Type"]


@pytest.mark.requirement("FR-056")
def test_neither_the_page_nor_its_styles_name_another_host(anonymous: httpx.Client, page: str) -> None:
    assert not re.findall(r"(?:https?:)?//[a-z]", page)

    styles = "".join(anonymous.get(asset).text for asset in Page(page).assets if asset.endswith(".css"))
    loaded = re.findall(r"(?:url\(|@import)\s*['\"]?([^'\")]+)", styles)
    assert loaded
    assert [address for address in loaded if not address.startswith("data:")] == []


@pytest.mark.requirement("FR-056")
def test_the_page_reads_a_contract_that_has_an_authorize_button(anonymous: httpx.Client) -> None:
    (address,) = re.findall(r'url: "([^"]+)"', anonymous.get("/docs/assets/docs.js").text)

    document = anonymous.get(address).json()

    assert document == contract()
    # Swagger UI shows the button when a scheme exists, and a lock at each operation that uses it.
    assert document["components"]["securitySchemes"]["BearerToken"]["scheme"] == "bearer"


@pytest.mark.requirement("FR-330")
def test_the_page_knows_the_order_of_use(page: str) -> None:
    (names,) = re.findall(r'data-operations="([^"]+)"', page)
    order = names.split()

    in_order = ["create_task", "list_tasks", "get_task", "update_task", "patch_task", "complete_task"]
    in_order += ["post_complete_task", "delete_task"]
    assert order[: len(in_order)] == in_order
    assert order[-3:] == ["get_directory", "check_liveness", "check_readiness"]
    assert sorted(order) == sorted(operations())


@pytest.mark.requirement("FR-331")
def test_an_example_answer_has_what_the_example_request_set() -> None:
    for name in ("create_task", "update_task", "patch_task", "complete_task"):
        document = operations()[name].document
        request = next(iter(document["requestBody"]["content"]["application/json"]["examples"].values()))["value"]
        success = next(iter(document["responses"].values()))["content"]["application/json"]["example"]["data"]
        assert success.items() >= request.items(), name

    new = operations()["create_task"].document["responses"]["201"]["content"]["application/json"]["example"]["data"]
    assert (new["status"], new["completed"], new["revision"]) == ("todo", False, 1)
    assert [new[name] for name in ("description", "due_date", "priority", "labels")] == [None, None, None, []]


@pytest.mark.requirement("FR-055", "FR-056")
def test_the_root_address_leads_to_the_page(anonymous: httpx.Client) -> None:
    directory = anonymous.get("/").json()["data"]

    assert directory["docs"] == "/docs"
    for name in ("docs", "openapi", "health"):
        assert anonymous.get(directory[name]).status_code == 200
    for name in ("tasks", "account"):
        assert anonymous.get(directory[name]).status_code == 401


@pytest.mark.requirement("FR-444", "FR-480")
@pytest.mark.parametrize("environment", ["development", "production"])
def test_the_root_address_is_a_page_for_browsers(settings: Settings, environment: str) -> None:
    browser = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
    with serve(settings.model_copy(update={"environment": environment})) as api, api.client() as client:
        page, directory = client.get("/", headers=browser), client.get("/")

        assert page.headers["Content-Type"] == "text/html; charset=utf-8"
        assert page.headers["Vary"] == directory.headers["Vary"] == "Accept, Origin"
        assert page.headers["Content-Security-Policy"] == client.get("/docs").headers["Content-Security-Policy"]
        linked = Page(page.text).assets
        assert ("/app" in linked) == (environment == "development")
        assert {"/docs", GUIDE, "/openapi.json"} < set(linked)
        for address in linked:
            assert client.get(address).status_code in {200, 307}, address


@pytest.mark.requirement("FR-444")
@pytest.mark.parametrize("accept", ["*/*", "application/json", "application/json, text/html", ""])
def test_the_root_address_is_json_for_programs(anonymous: httpx.Client, accept: str) -> None:
    assert anonymous.get("/", headers={"Accept": accept}).json() == anonymous.get("/").json()


@pytest.mark.requirement("FR-444")
def test_the_page_has_an_address_with_a_slash_too(anonymous: httpx.Client, page: str) -> None:
    assert anonymous.get("/docs/").text == page
