"""/docs and /redoc: pages that load nothing from other sites."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from urllib.parse import urlsplit

import httpx
import pytest

from tests.fixtures.contract import contract

PAGES = {"/docs": {"js", "css", "png"}, "/redoc": {"js", "png"}}
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


def page(anonymous: httpx.Client, path: str) -> str:
    """Read one of the pages."""
    response = anonymous.get(path)
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/html")
    return response.text


@pytest.mark.requirement("FR-056", "FR-207")
@pytest.mark.parametrize("path", PAGES)
def test_every_asset_of_a_page_comes_from_the_service(anonymous: httpx.Client, path: str) -> None:
    assets = Page(page(anonymous, path)).assets

    assert {asset.rpartition(".")[2] for asset in assets} == PAGES[path]
    for asset in assets:
        assert not urlsplit(asset).netloc
        response = anonymous.get(asset)
        assert response.status_code == 200
        assert len(response.content) > MIN_ASSET_BYTES
        assert KINDS[asset[asset.rindex(".") :]] in response.headers["Content-Type"]


@pytest.mark.requirement("FR-207")
def test_the_logo_that_redoc_looks_for_comes_from_the_service(anonymous: httpx.Client) -> None:
    """Redoc would fetch it from its makers' site; the package that ships Redoc has changed that address."""
    program = anonymous.get("/redoc/redoc.standalone.js").text

    (address,) = re.findall(r"[^,{}]*/logo-mini\.svg", program)
    assert address == 'src:window.location.pathname+"/logo-mini.svg'
    assert "image/svg" in anonymous.get("/redoc/logo-mini.svg").headers["Content-Type"]


@pytest.mark.requirement("FR-056", "FR-207")
@pytest.mark.parametrize("path", PAGES)
def test_neither_a_page_nor_its_styles_name_another_host(anonymous: httpx.Client, path: str) -> None:
    html = page(anonymous, path)
    assert not re.findall(r"(?:https?:)?//[a-z]", html)

    styles = "".join(anonymous.get(asset).text for asset in Page(html).assets if asset.endswith(".css"))
    loaded = re.findall(r"(?:url\(|@import)\s*['\"]?([^'\")]+)", styles)
    assert bool(loaded) == ("css" in PAGES[path])
    assert [address for address in loaded if not address.startswith("data:")] == []


@pytest.mark.requirement("FR-207", "FR-110")
def test_the_page_to_read_may_run_our_files_only(anonymous: httpx.Client) -> None:
    (policy,) = anonymous.get("/redoc").headers.get_list("Content-Security-Policy")
    directives = dict(directive.split(" ", 1) for directive in policy.split("; "))

    styles = directives.pop("style-src")
    assert re.fullmatch(r"'self'( 'sha256-[\w+/]{43}=')+", styles)
    assert directives == {
        "default-src": "'none'",
        "script-src": "'self'",
        "img-src": "'self' data:",
        "connect-src": "'self'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "worker-src": "blob:",
    }


@pytest.mark.requirement("FR-056", "FR-207")
@pytest.mark.parametrize(("path", "pattern"), [("/docs", r"url: '([^']+)'"), ("/redoc", r'spec-url="([^"]+)"')])
def test_a_page_reads_a_contract_that_has_an_authorize_button(anonymous: httpx.Client, path: str, pattern: str) -> None:
    (address,) = re.findall(pattern, page(anonymous, path))

    document = anonymous.get(address).json()

    assert document == contract()
    # Swagger UI shows the button when a scheme exists, and a lock at each operation that uses it.
    assert document["components"]["securitySchemes"]["BearerToken"]["scheme"] == "bearer"


@pytest.mark.requirement("FR-055", "FR-056", "FR-207")
def test_the_root_address_leads_to_the_pages(anonymous: httpx.Client) -> None:
    directory = anonymous.get("/").json()["data"]

    assert (directory["docs"], directory["redoc"]) == ("/docs", "/redoc")
    for name in ("docs", "redoc", "openapi", "health"):
        assert anonymous.get(directory[name]).status_code == 200
    for name in ("tasks", "account"):
        assert anonymous.get(directory[name]).status_code == 401
