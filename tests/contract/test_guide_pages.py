"""The guide in docs/: its pages are found from the start page, and are short, whole, and readable everywhere."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from backend.api.openapi.answers import example_of
from backend.models.task import TaskPublic
from backend.models.task_query import TaskQuery
from tests.fixtures.documents.guide_blocks import CALL, ELSEWHERE, GUIDE, IN_NODE, IN_SHELLS, START, blocks, shell_parts
from tests.fixtures.documents.markdown import headings, links, prose

pytestmark = pytest.mark.requirement("FR-475")

PAGES = sorted(GUIDE.glob("*.md"))
LONGEST = 250
NAMES = [page.name for page in PAGES]
PICTURES = [page.name for page in GUIDE.glob("*.svg")]


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def test_the_start_page_lists_every_page_with_its_title() -> None:
    listed = re.findall(r"^\| \[(.+?)\]\(([\w-]+\.md)\) \| \S.* \|$", text_of(START), re.MULTILINE)

    assert sorted([START.name, *(name for _, name in listed)]) == NAMES
    assert [title for title, _ in listed] == [text_of(GUIDE / name).splitlines()[0][2:] for _, name in listed]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_is_short_and_its_links_stay_within_the_guide(page: Path) -> None:
    text = text_of(page)

    assert len(text.splitlines()) <= LONGEST
    assert [
        path for path, _ in links(text) if path and path not in [*NAMES, *PICTURES]
    ] == []  # else the built guide has dead links


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_github_and_the_generator_show_a_page_alike(page: Path) -> None:
    text = text_of(page)
    addresses = headings(text)

    assert len(set(addresses)) == len(addresses)  # a repeated heading has another address in each of them
    assert [address for address in addresses if "--" in address or not address.isascii()] == []
    assert re.findall(r"^\|(?: *\|)+$", text, re.MULTILINE) == []  # a table has a head that says something
    assert re.findall(r"^(?:!!!|===|\?\?\?) ", prose(text), re.MULTILINE) == []


def test_every_page_with_lines_to_paste_is_run() -> None:
    run = {page.name for page in (*IN_SHELLS, *IN_NODE)} | ELSEWHERE
    pasted = {page.name for page in PAGES if {block.language for block in blocks(page)} & {"sh", "js"}}

    assert pasted == run
    assert {"tasks.md", "files.md", "scripts.md"} <= {page.name for page in IN_SHELLS}
    parts = "".join(block.text for page in IN_SHELLS for block in shell_parts(page))
    assert len(CALL.findall(parts)) == len(re.findall(r"^call ", parts, re.MULTILINE)) > 150


@pytest.mark.requirement("FR-041")
def test_the_first_task_that_is_shown_has_every_field() -> None:
    shown = next(block.answer for block in blocks(GUIDE / "tasks.md") if block.answer)

    assert list(json.loads(shown)["data"]) == list(example_of(TaskPublic))


def test_the_page_of_filters_names_every_parameter() -> None:
    named = set(re.findall(r"`(\w+)(?:=\w+)?`", text_of(GUIDE / "filters.md")))

    assert TaskQuery.model_fields.keys() <= named
