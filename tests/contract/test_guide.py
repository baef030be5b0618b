"""/docs/guide: every page of docs/ is there, complete, found from the first, and made of our own files."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from backend.api.http.envelope import GUIDE
from backend.api.openapi import user_guide
from backend.config import Settings
from tests.fixtures.calls.api import serve
from tests.fixtures.calls.tasks import error_of
from tests.fixtures.documents.contract import contract, operations
from tests.fixtures.documents.error_codes import documented_errors
from tests.fixtures.documents.guide import PAGES, names_of_pages, page

ROOT = Path(__file__).parents[2]


def sources() -> set[str]:
    return {path.name for path in (ROOT / "docs").glob("*.md")}


@pytest.mark.requirement("FR-476")
def test_every_page_is_in_the_contents_and_nothing_else_is() -> None:
    contents = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:\n")[2].partition("\n\n")[0]

    assert sorted(re.findall(r"^  - (\S+\.md)$", contents, re.MULTILINE)) == sorted(sources())
    assert names_of_pages() == sorted(name.replace(".md", ".html") for name in sources())


@pytest.mark.requirement("FR-476")
@pytest.mark.parametrize("name", sorted(path.stem for path in (ROOT / "docs").glob("*.md")))
def test_a_page_shows_all_pages_and_its_links_lead_somewhere(anonymous: httpx.Client, name: str) -> None:
    read = page(f"{name}.html")

    assert set(names_of_pages()) <= {link.removeprefix("./") for link in read.links}
    for link in read.links:
        address = urlsplit(link)
        if address.scheme:
            assert address.scheme == "https"
        elif link.startswith("/"):
            assert anonymous.get(address.path).status_code in {200, 307}, link
        else:
            target = page(address.path) if address.path else read
            assert address.fragment in target.anchors | {""}, link


@pytest.mark.requirement("FR-476")
@pytest.mark.parametrize("environment", ["development", "production"])
def test_a_page_and_its_files_are_served_and_asked_for_again(settings: Settings, environment: str) -> None:
    with serve(settings.model_copy(update={"environment": environment})) as api, api.client() as client:
        start = client.get(GUIDE)
        moved = client.get(GUIDE.rstrip("/"))

        assert (moved.status_code, moved.headers["Location"]) == (307, GUIDE)
        assert start.content == client.get(f"{GUIDE}index.html").content == (PAGES / "index.html").read_bytes()
        for name in ("index.html", *page("index.html").loaded):
            if not urlsplit(name).path.endswith("/"):
                first = client.get(f"{GUIDE}{name}")
                again = client.get(f"{GUIDE}{name}", headers={"If-None-Match": first.headers["ETag"]})
                assert (first.status_code, first.headers["Cache-Control"]) == (200, "no-cache"), name
                assert (again.status_code, again.content) == (304, b""), name


@pytest.mark.requirement("FR-476")
def test_a_page_that_does_not_exist_is_said_to_be_missing(anonymous: httpx.Client) -> None:
    for path in ("nothing.html", "assets", "..%2f..%2fuser_guide.py", "../policy.txt", "index.html/x", "x" * 300):
        error = error_of(anonymous.get(f"{GUIDE}{path}"), 404, "NOT_FOUND")
        assert path != "nothing.html" or f"It begins at {GUIDE}" in error["message"]
    error_of(anonymous.post(GUIDE), 405, "METHOD_NOT_ALLOWED")


@pytest.mark.requirement("FR-477")
def test_the_policy_allows_the_scripts_of_the_pages_and_no_others(anonymous: httpx.Client) -> None:
    inline = re.compile(r"<script>(.*?)</script>", re.DOTALL)
    scripts = {found for name in names_of_pages() for found in inline.findall((PAGES / name).read_text())}
    hashes = {base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts}

    for options in ({}, {"If-None-Match": anonymous.get(GUIDE).headers["ETag"]}):
        (policy,) = anonymous.get(GUIDE, headers=options).headers.get_list("Content-Security-Policy")
        allowed = dict(directive.split(" ", 1) for directive in policy.split("; "))
        assert set(allowed.pop("script-src").split()) == {"'self'", *(f"'sha256-{each}'" for each in hashes)}
        assert re.fullmatch(r"'self' 'sha256-[\w+/]{43}='", allowed.pop("style-src"))
        assert allowed == {
            **dict.fromkeys(("default-src", "frame-ancestors", "base-uri", "form-action"), "'none'"),
            **dict.fromkeys(("connect-src", "worker-src"), "'self'"),
            "img-src": "'self' data:",
        }


@pytest.mark.requirement("FR-476", "FR-477")
def test_no_page_loads_anything_from_another_host() -> None:
    for name in names_of_pages():
        assert [address for address in page(name).loaded if urlsplit(address).netloc] == []


@pytest.mark.requirement("FR-478")
def test_a_service_without_a_guide_says_how_to_build_one(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(user_guide, "BUILT", tmp_path)
    with serve(settings) as api, api.client() as client:
        for path in (GUIDE.rstrip("/"), GUIDE, f"{GUIDE}errors.html"):
            response = client.get(path, follow_redirects=True)
            assert "make guide" in error_of(response, 404, "NOT_FOUND")["message"]


@pytest.mark.requirement("FR-479")
def test_the_guide_has_every_call_and_every_field_of_the_contract() -> None:
    links = page("reference.html").links
    text = re.sub(r"<[^>]+>", "", (PAGES / "reference.html").read_text(encoding="utf-8"))

    for operation in operations().values():
        assert f"/docs#/{operation.document['tags'][0]}/{operation.id}" in links
        assert f"{operation.method.upper()} {operation.path}" in text
    fields = contract()["components"]["schemas"]["TaskPublic"]["properties"]
    assert [name for name in fields if f"\n{name}\n" not in text] == []
    assert "string, at most 10,000 characters or null" in text
    assert "array of up to 50: string, at most 60 characters" in text


@pytest.mark.requirement("FR-479")
def test_the_guide_says_what_a_new_task_has(client: httpx.Client) -> None:
    (said,) = re.findall(r"A new task needs only.*?\n\n", (ROOT / "docs/reference.md").read_text(), re.DOTALL)
    defaults = {name: json.loads(value) for name, value in re.findall(r"`(\w+)`\s\(`(.+?)`\)", said)}

    task = client.post("/api/tasks", json={"title": "Buy milk"}).json()["data"]

    sent = contract()["components"]["schemas"]["TaskCreate"]["properties"].keys() - {"title", "id", "position"}
    assert {name: task[name] for name in sent} == dict.fromkeys(sent) | defaults


@pytest.mark.requirement("FR-480")
def test_every_error_leads_to_its_place_in_the_guide(anonymous: httpx.Client, client: httpx.Client) -> None:
    error = error_of(anonymous.get("/api/tasks"), 401, "UNAUTHORIZED")
    assert error["documentation"] == f"{GUIDE}errors.html#unauthorized"

    missing = error_of(client.post("/api/tasks", json={}), 422, "VALIDATION_ERROR")
    assert missing["documentation"] == f"{GUIDE}errors.html#missing"

    anchors = page("errors.html").anchors
    assert [code for _, code in documented_errors() if code.lower() not in anchors] == []
