"""Files that are sent again: no row makes a second task, and an Idempotency-Key brings the first report back."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest

from backend.config import Settings
from backend.formats.rows import ROW
from backend.models.task_file import ImportedTask
from backend.services.task_files.row_ids import RowIds
from tests.fixtures.calls.access_tokens import WRITE, make_token, with_token
from tests.fixtures.calls.api import API, serve
from tests.fixtures.calls.keys import is_replayed, new_key
from tests.fixtures.calls.lists import make
from tests.fixtures.calls.task_files import (
    CALENDAR,
    CSV,
    LINES,
    imported,
    lines_of,
    problems,
    report_of,
    send,
    tasks_of,
)
from tests.fixtures.calls.tasks import create, error_of, path_of, read, revision_of, task_of

FILES: dict[str, Any] = {
    LINES: lines_of([{"title": "a", "labels": ["home"]}, {"title": "b"}, {"title": "b"}, {"title": "c"}]),
    CSV: "title,labels\na,home\nb,\nb,\nc,\n",
    CALENDAR: "BEGIN:VCALENDAR\n"
    + "".join(f"BEGIN:VTODO\nSUMMARY:{title}\nEND:VTODO\n" for title in "abbc")
    + "END:VCALENDAR\n",
}


def titles_of(client: httpx.Client, **params: str) -> list[str]:
    return [task["title"] for task in client.get("/api/tasks", params=params).json()["data"]]


def warnings_of(client: httpx.Client, content: Any, kind: str = LINES) -> list[tuple[int, str, str]]:
    warnings = report_of(send(client, content, kind))["warnings"]
    return [(warning["line"], warning["field"], warning["code"]) for warning in warnings]


@pytest.mark.requirement("FR-397")
@pytest.mark.parametrize("kind", FILES)
def test_a_file_that_is_sent_again_makes_nothing_twice(client: httpx.Client, stranger: httpx.Client, kind: str) -> None:
    file = FILES[kind]
    assert imported(client, file, kind) == {"created": 4}
    before = tasks_of(client)
    assert imported(client, file, kind) == {"unchanged": 4}
    assert tasks_of(client) == before
    assert imported(stranger, file, kind) == {"created": 4}
    assert not {task["id"] for task in tasks_of(stranger)} & {task["id"] for task in before}


@pytest.mark.requirement("FR-397")
def test_what_has_come_before_a_file_was_cut_off_is_found_again(client: httpx.Client) -> None:
    rows = lines_of({"title": str(number % 7), "priority": "high"} for number in range(600))
    cut = rows[: rows.index("\n", len(rows) // 2) + 1]
    assert imported(client, cut)["created"] == cut.count("\n")
    assert imported(client, rows) == {"unchanged": cut.count("\n"), "created": 600 - cut.count("\n")}
    added = f'{{"title": "new"}}\n{rows}'
    assert imported(client, added) == {"unchanged": 600, "created": 1}


@pytest.mark.requirement("FR-397")
def test_the_same_row_is_found_in_other_words(client: httpx.Client) -> None:
    assert imported(client, lines_of([{"title": "a", "due_date": "2026-11-21", "description": None}])) == {"created": 1}
    assert imported(client, lines_of([{"due_date": "2026-11-21", "labels": [], "title": " a "}])) == {"unchanged": 1}
    assert imported(client, "due_date,title,priority\n2026-11-21,a,\n", CSV) == {"unchanged": 1}
    assert imported(client, lines_of([{"title": "a", "due_date": "2026-11-22"}])) == {"created": 1}


@pytest.mark.requirement("FR-397")
def test_a_row_without_an_id_changes_no_task(client: httpx.Client) -> None:
    assert imported(client, FILES[LINES]) == {"created": 4}
    tasks = {task["title"]: task for task in tasks_of(client)}
    edited = task_of(client.patch(path_of(tasks["a"]), json={"title": "A", "due_date": "2026-11-21"}))
    assert client.delete(path_of(tasks["c"])).status_code == 204

    report = report_of(send(client, FILES[LINES]))
    assert [report[name] for name in ("unchanged", "restored", "mended")] == [3, 1, 1]
    assert [(each["line"], each["field"], each["code"]) for each in report["warnings"]] == [(1, ROW, "imported_before")]
    assert read(client, edited) == edited
    assert sorted(titles_of(client)) == ["A", "b", "b", "c"]

    assert client.delete(path_of(tasks["c"]), params={"permanent": "true"}).status_code == 204
    assert imported(client, lines_of([{"title": "c"}])) == {"created": 1}


@pytest.mark.requirement("FR-397")
def test_a_row_that_contradicts_what_its_task_is_now_leaves_it_alone(client: httpx.Client) -> None:
    row = lines_of([{"title": "a", "due_date": "2026-11-21"}])
    assert imported(client, row) == {"created": 1}
    (task,) = tasks_of(client)
    moved = task_of(
        client.patch(path_of(task), json={"due_at": "2026-11-21T09:30:00Z", "start_at": "2026-11-21T09:00:00Z"})
    )
    assert warnings_of(client, row) == [(1, ROW, "imported_before")]
    assert read(client, task) == moved


@pytest.mark.requirement("FR-397", "FR-252")
def test_where_changes_need_an_etag_a_row_brings_nothing_back(
    client: httpx.Client, settings: Settings, user_id: str
) -> None:
    assert imported(client, FILES[LINES]) == {"created": 4}
    (task,) = (task for task in tasks_of(client) if task["title"] == "c")
    assert client.delete(path_of(task)).status_code == 204
    with serve(settings.model_copy(update={"require_if_match": True})) as api, api.client(user_id) as careful:
        assert problems(careful, FILES[LINES]) == [(4, "id", "precondition_required")]
        assert careful.get(path_of(task)).status_code == 404


@pytest.mark.requirement("FR-397", "FR-355")
def test_a_token_for_one_list_has_rows_of_its_own(api: API, client: httpx.Client) -> None:
    home = make(client, "Home")
    assert imported(client, FILES[LINES]) == {"created": 4}
    made = make_token(client, WRITE, list_id=home["id"])
    with with_token(api, made["token"]) as script:
        assert imported(script, FILES[CSV], CSV)["created"] == 4
        assert imported(script, FILES[CSV], CSV)["unchanged"] == 4
    assert sorted(titles_of(client, list_id=home["id"])) == ["a", "b", "b", "c"]


@pytest.mark.requirement("FR-397")
def test_equal_rows_are_remembered_once() -> None:
    ids = RowIds()
    rows = [ImportedTask(title=title) for title in "aabaa"]
    assert len({ids.next_of(row) for row in rows}) == 5
    assert sorted(ids._seen.values()) == [1, 4]  # noqa: SLF001 - what it holds cannot be seen otherwise


@pytest.mark.requirement("FR-398")
def test_a_key_brings_the_first_report_back(client: httpx.Client) -> None:
    key = new_key()
    task = create(client, "mine")
    file = FILES[LINES] + lines_of([{"id": task["id"], "title": "theirs"}, {}])
    first = send(client, file, **key)
    assert [report_of(first)[name] for name in ("created", "updated", "failed")] == [4, 1, 1]
    task_of(client.patch(path_of(task), json={"title": "mine again"}))
    before = revision_of(client)

    again = send(client, file, **key)
    assert is_replayed(again)
    assert again.content == first.content
    for other, kind in ((file + "\n", LINES), (file, CSV)):
        refused = error_of(send(client, other, kind, **key), 422, "VALIDATION_ERROR")
        assert refused["details"][0]["code"] == "idempotency_key_reused"
    assert revision_of(client) == before
    assert read(client, task)["title"] == "mine again"


@pytest.mark.requirement("FR-398")
def test_another_key_makes_second_copies(client: httpx.Client) -> None:
    keys = new_key(), new_key()
    for key in keys:
        assert report_of(send(client, FILES[LINES], **key))["created"] == 4
    assert imported(client, FILES[LINES]) == {"created": 4}
    assert len(titles_of(client)) == 12


@pytest.mark.requirement("FR-398")
def test_a_file_that_was_refused_does_not_use_up_its_key(client: httpx.Client) -> None:
    key = new_key()
    error_of(send(client, "name\na\n", CSV, **key), 422, "VALIDATION_ERROR")
    assert report_of(send(client, FILES[CSV], CSV, **key))["created"] == 4
    error_of(send(client, FILES[CSV], CSV, **{"Idempotency-Key": "k" * 256}), 400, "BAD_REQUEST")


@pytest.mark.requirement("FR-398", "FR-357")
def test_a_key_of_a_token_for_one_list_is_the_lists_own(api: API, client: httpx.Client) -> None:
    key, home = new_key(), make(client, "Home")
    assert report_of(send(client, FILES[LINES], **key))["created"] == 4
    made = make_token(client, WRITE, list_id=home["id"])
    with with_token(api, made["token"]) as script:
        first, again = (send(script, FILES[LINES], **key) for _ in range(2))
    assert (is_replayed(first), is_replayed(again)) == (False, True)
    assert report_of(again)["created"] == 4


@pytest.mark.requirement("FR-399")
def test_new_tasks_are_in_the_order_of_the_file(client: httpx.Client) -> None:
    titles = [uuid.uuid4().hex for _ in range(600)]
    assert imported(client, lines_of({"title": title} for title in titles)) == {"created": 600}
    assert titles_of(client) == titles[::-1]
    assert titles_of(client, sort="position", list_id="inbox") == titles
    assert all(task["created_at"] <= task["updated_at"] for task in tasks_of(client))
