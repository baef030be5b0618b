"""/app: the example page, which is served in development only, and the files that one copies."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from backend.api.openapi.example_page import FILES
from backend.commands.serve import _announce
from backend.config import EXAMPLES, Settings
from tests.fixtures.calls.api import serve
from tests.fixtures.calls.tasks import error_of

MAX_LINES = 300
ADDRESS = "http://127.0.0.1:8000"
KINDS = {".css": "text/css", ".html": "text/html", ".js": "text/javascript", ".svg": "image/svg+xml"}
SOURCES = {name: (EXAMPLES / name).read_text(encoding="utf-8") for name in FILES}
PAGE = EXAMPLES / "web"
OURS = {name: text for name, text in SOURCES.items() if name.startswith("web/")}


@pytest.mark.requirement("FR-320")
def test_the_page_is_what_the_folder_holds(anonymous: httpx.Client) -> None:
    for path in ("/app", "/app/"):
        leads_to = anonymous.get(path)
        assert (leads_to.status_code, leads_to.headers["Location"]) == (307, "/app/web/")

    for name, text in SOURCES.items():
        answer = anonymous.get(f"/app/{name}".removesuffix("index.html"))
        assert (answer.status_code, answer.text) == (200, text)
        charset = "" if name.endswith(".svg") else "; charset=utf-8"
        assert answer.headers["Content-Type"] == f"{KINDS[Path(name).suffix]}{charset}"
    assert error_of(anonymous.post("/app/web/"), 405, "METHOD_NOT_ALLOWED")


@pytest.mark.requirement("FR-319")
def test_all_files_of_the_page_are_served_and_nothing_else_of_the_folder(anonymous: httpx.Client) -> None:
    assert {path.relative_to(EXAMPLES).as_posix() for path in PAGE.iterdir()} == set(OURS)

    for path in ("/app/web", "/app/task-api.d.ts", "/app/web/..%2ftask-api.d.ts", "/app/web/nothing.js"):
        error_of(anonymous.get(path), 404, "NOT_FOUND")


@pytest.mark.requirement("FR-320", "FR-110")
def test_the_page_may_run_our_files_only(anonymous: httpx.Client) -> None:
    (docs,) = anonymous.get("/docs").headers.get_list("Content-Security-Policy")
    (policy,) = anonymous.get("/app/web/").headers.get_list("Content-Security-Policy")

    assert policy == re.sub(r" 'sha256-[\w+/]{43}='", "", docs)
    html = SOURCES["web/index.html"]
    assert not re.findall(r"<style|<script(?! type=\"module\" src=)|\son\w+=|\sstyle=|javascript:", html)


@pytest.mark.requirement("FR-320")
def test_an_edited_file_shows_on_reload(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in SOURCES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr("backend.config.EXAMPLES", tmp_path)

    with serve(settings) as api, api.client() as client:
        assert client.get("/app/web/frame.css").text == SOURCES["web/frame.css"]
        (tmp_path / "web" / "frame.css").write_text("body { color: red; }")
        edited = client.get("/app/web/frame.css")

    assert (edited.text, edited.headers["Cache-Control"]) == ("body { color: red; }", "no-store")


@pytest.mark.requirement("FR-320")
@pytest.mark.parametrize("where", ["in production", "installed without examples"])
def test_otherwise_the_address_is_unknown(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    if where == "in production":
        settings = settings.model_copy(update={"environment": "production"})
    else:
        monkeypatch.setattr("backend.config.EXAMPLES", tmp_path)

    with serve(settings) as api, api.client() as client:
        unknown = error_of(client.get("/nothing"), 404, "NOT_FOUND")
        for path in ("/app", "/app/", "/app/web/", "/app/web/app.js", "/app/task-api.js"):
            error = error_of(client.get(path), 404, "NOT_FOUND")
            assert error["message"] == unknown["message"]


@pytest.mark.requirement("FR-320")
def test_a_start_prints_a_link_that_signs_in(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def link() -> list[str]:
        _announce(settings, ADDRESS)
        return re.findall(r"^App       (.*)$", said := capsys.readouterr().out, re.MULTILINE) + re.findall(
            r"^(ey\S+)$", said, re.MULTILINE
        )

    (with_token, token) = link()
    assert with_token == f"{ADDRESS}/app#token={token}"

    settings = settings.model_copy(update={"jwt_secret": None})  # an issuer makes the tokens
    assert link() == [f"{ADDRESS}/app"]

    monkeypatch.setattr("backend.config.EXAMPLES", tmp_path)
    assert link() == []


@pytest.mark.requirement("FR-319")
@pytest.mark.parametrize("name", OURS)
def test_a_file_of_the_page_is_short_and_makes_no_html_of_texts(name: str) -> None:
    text = OURS[name]

    assert len(text.splitlines()) < MAX_LINES
    assert max(map(len, text.splitlines())) <= 130
    assert not re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b", text)
    assert not re.findall(r"https?://(?!127|www\.w3\.org/2000/svg)\w", text)
    assert set(re.findall(r'from "([^"]+)"', text)) <= {f"./{other.name}" for other in PAGE.iterdir()} | {
        "../task-api.js"
    }
