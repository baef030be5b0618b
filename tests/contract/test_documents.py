"""The files and settings named in the documents exist as described."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import backend
from backend.config import Settings
from tests.fixtures.documents.markdown import anchors, links

ROOT = Path(__file__).parents[2]
TOP = ["README.md", "CHANGELOG.md", "CLAUDE.md", "CONTRIBUTING.md", "SECURITY.md"]
DOCUMENTS = [
    *TOP,
    *sorted(str(path.relative_to(ROOT)) for folder in ("specs", "docs") for path in ROOT.glob(f"{folder}/**/*.md")),
]
# A path has a folder in it or a known ending; an address starts with a slash or has a colon; media types are neither.
PATH = re.compile(r"`(?!application/|text/|\d)((?:[\w.-]+/)+[\w.-]*|[\w.-]+\.(?:py|md|sql|json|toml|lock|example))`")


def _everything() -> Iterator[str]:
    """List the paths of all files and folders of the project, except generated ones."""
    made = {line.strip("/") for line in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()} | {".git"}
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in made]
        place = Path(folder).relative_to(ROOT)
        yield from ((place / name).as_posix() for name in [*folders, *files])


def missing_paths(text: str, existing: set[str]) -> list[str]:
    """List the back-quoted paths that match no path or end of a path (`routers/` of `backend/api/routers/`)."""
    names = [name.rstrip("/") for name in PATH.findall(text)]
    return [name for name in names if not any(path == name or path.endswith(f"/{name}") for path in existing)]


def broken_links(document: Path) -> list[str]:
    """List the links of a document that lead to no file, or to no heading or anchor of another document."""
    broken = []
    for path, anchor in links(document.read_text(encoding="utf-8")):
        target = document.parent / path if path else document
        if not target.exists() or (anchor and anchor not in anchors(target.read_text(encoding="utf-8"))):
            broken.append(f"{path}#{anchor}")
    return broken


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_path_that_a_document_names_exists(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")

    assert missing_paths(text, set(_everything())) == []
    assert broken_links(ROOT / document) == []


def test_a_missing_path_is_noticed() -> None:
    existing = {"backend", "backend/api", "backend/api/main.py", ".env.example"}
    addresses = "`/api/tasks` `a=b` `iss` `https://a/b` `application/json`"
    text = f"`backend/` `api/main.py` `.env.example` `gone/` `backend/api/gone.py` {addresses}"

    assert missing_paths(text, existing) == ["gone", "backend/api/gone.py"]


def test_a_broken_link_is_noticed(tmp_path: Path) -> None:
    document = tmp_path / "a.md"
    (tmp_path / "b.md").write_text('# B\n\n## What a user\'s data is\n\n| <a id="code"></a>`code` |\n')
    good = "[a](b.md) [b](https://example.com/x.md) [c](#top) [d](b.md#what-a-users-data-is) [e](b.md#code)"
    document.write_text(f"# Top\n\n{good}\n\n    [f](code.md)\n\n[g](gone.md) [h](#gone) [i](b.md#gone)\n")

    assert broken_links(document) == ["gone.md#", "#gone", "b.md#gone"]


def _default(value: object) -> str:
    text = "" if value is None or value == () else str(value)
    return text.lower() if isinstance(value, bool) else text


# Each setting with its default and description, in the order of the class.
SETTINGS = [(name.upper(), _default(field.default), field.description) for name, field in Settings.model_fields.items()]


def test_every_setting_is_described() -> None:
    assert SETTINGS
    assert all(description for _, _, description in SETTINGS)


def test_the_template_lists_every_setting() -> None:
    """Each is a line `# <description>` and a line `#NAME=default`, with nothing after the = if there is no default."""
    text = (ROOT / ".env.example").read_text(encoding="utf-8")

    listed = re.findall(r"^# (.+)\n#([A-Z_]+)=(.*)$", text, re.MULTILINE)

    assert [(name, default, description) for description, name, default in listed] == SETTINGS
    assert len(re.findall(r"^#? ?[A-Z_]+=", text, re.MULTILINE)) == len(SETTINGS)


def test_the_template_can_be_used_with_everything_uncommented(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, _, _ in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    template = (ROOT / ".env.example").read_text(encoding="utf-8")
    file = tmp_path / ".env"
    file.write_text(re.sub(r"^#([A-Z_]+=)", r"\1", template, flags=re.MULTILINE), encoding="utf-8")

    assert Settings(_env_file=file) == Settings(_env_file=None)


def test_the_page_of_settings_lists_every_setting() -> None:
    """Each is a row | `NAME` | `default` | description |, with a plain unset if there is no default."""
    text = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")

    listed = re.findall(r"^\| `([A-Z_]+)` \| (?:`([^`]+)`|unset) \| (.+) \|$", text, re.MULTILINE)

    assert listed == SETTINGS


@pytest.mark.requirement("FR-318")
def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").split()) <= 550


@pytest.mark.requirement("FR-318")
def test_the_newest_version_in_the_changelog_is_that_of_the_program() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

    assert re.findall(r"^## (\d\S*)", text, re.MULTILINE)[0] == backend.__version__


@pytest.mark.requirement("FR-318")
@pytest.mark.parametrize("document", ["README.md", "docs/index.md"])
def test_the_line_for_containers_is_that_of_the_file_for_compose(document: str) -> None:
    head = (ROOT / "compose.yaml").read_text(encoding="utf-8").partition("services:")[0]
    line = " && ".join(re.findall(r"^#   (\S.*)$", head, re.MULTILINE))

    assert line.startswith("deploy/make-secrets.sh && docker compose up ")
    text = (ROOT / document).read_text(encoding="utf-8")
    assert re.search(rf"`{re.escape(line)}`|^    {re.escape(line)}$", text, re.MULTILINE)
