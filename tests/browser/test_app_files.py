"""Importing a file on the example page, and what the trash says and does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from tests.fixtures.browsers.app import opened
from tests.fixtures.browsers.chromium import Watched
from tests.fixtures.calls.lists import make
from tests.fixtures.calls.tasks import create, path_of
from tests.fixtures.running.waiting import until

ROWS = "title,due_date\nBuy milk,2026-12-24\nBuy tea,someday\n"
DROP = """(text) => {
  const data = new DataTransfer();
  data.items.add(new File([text], "tasks.jsonl"));
  for (const type of ["dragover", "drop"]) {
    document.body.dispatchEvent(new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }));
  }
}"""


@pytest.mark.requirement("FR-491")
def test_an_empty_account_imports_a_file_and_reads_what_became_of_it(
    visit: Watched, user: httpx.Client, tmp_path: Path
) -> None:
    (tmp_path / "tasks.csv").write_text(ROWS)
    board = opened(visit, user, "all/list")

    with visit.page.expect_file_chooser() as chooser:
        visit.page.locator("#blank").get_by_role("button", name="Import a file").click()
    chooser.value.set_files(tmp_path / "tasks.csv")
    report = visit.page.get_by_role("dialog", name="tasks.csv is imported")
    report.get_by_text("1 task is new.").wait_for()
    report.get_by_text("1 task could not be read.").wait_for()
    assert report.locator("li").inner_text().startswith("Line 3, Due: ")
    report.get_by_role("button", name="Close").click()
    board.title("Buy milk").wait_for()
    assert visit.is_calm(), visit


@pytest.mark.requirement("FR-491")
def test_the_menu_of_the_account_saves_everything(visit: Watched, user: httpx.Client) -> None:
    create(user, "Buy milk", list_id=make(user, "Home")["id"])
    opened(visit, user, "all/list")

    visit.page.get_by_role("button", name="Account").click()
    with visit.page.expect_download() as download:
        visit.page.get_by_role("button", name="Export everything").click()

    assert download.value.suggested_filename.endswith(".jsonl")
    assert download.value.path().read_text(encoding="utf-8") == user.get("/api/me/export").text
    assert visit.is_calm(), visit


@pytest.mark.requirement("FR-491")
def test_a_file_is_imported_by_the_menu_or_dropped(visit: Watched, user: httpx.Client, tmp_path: Path) -> None:
    create(user, "Buy milk")
    (tmp_path / "tasks.docx").write_text("nothing")
    board = opened(visit, user, "all/list")

    visit.page.get_by_role("button", name="Account").click()
    with visit.page.expect_file_chooser() as chooser:
        visit.page.get_by_role("button", name="Import a file").click()
    chooser.value.set_files(tmp_path / "tasks.docx")
    report = visit.page.locator("#report")
    report.get_by_text("Choose a file that ends with .jsonl, .json, .csv or .ics.").wait_for()
    board.press("Escape")
    visit.page.evaluate(DROP, '{"title": "Buy tea"}\n')
    report.get_by_text("1 task is new.").wait_for()
    board.press("Escape")
    board.title("Buy tea").wait_for()
    assert visit.is_calm(), visit


@pytest.mark.requirement("FR-448")
def test_the_trash_says_until_when_and_asks_before_it_deletes_for_good(visit: Watched, user: httpx.Client) -> None:
    for title in ("Buy milk", "Buy tea"):
        user.delete(path_of(create(user, title))).raise_for_status()
    user.delete(f"/api/lists/{make(user, 'Shop')['id']}").raise_for_status()
    board = opened(visit, user, "trash")
    trash = visit.page.locator("#trash")

    end = datetime.now(UTC).astimezone() + timedelta(days=30)
    said = trash.locator("li", has_text="Buy milk").locator(".note").inner_text()
    assert said.startswith("Deleted today at ")
    assert f"gone for good on {end:%a} {end.day} {end:%b}" in said
    trash.get_by_role("button", name="Delete Buy milk for good").click()
    visit.page.get_by_role("dialog", name="Delete “Buy milk” for good?").get_by_role("button", name="Keep it").click()
    assert trash.locator("li").count() == 3
    for name in ("Buy milk", "Shop"):
        trash.get_by_role("button", name=f"Delete {name} for good").click()
        visit.page.get_by_role("dialog").get_by_role("button", name="Delete for good").click()
        board.says(f"“{name}” is gone for good.")
    until(lambda: trash.locator(".name").all_inner_texts() == ["Buy tea"])
    left = [task["title"] for task in user.get("/api/tasks?deleted=true").json()["data"]]
    assert (left, user.get("/api/lists?deleted=true").json()["data"]) == (["Buy tea"], [])
    assert visit.is_calm(), visit
