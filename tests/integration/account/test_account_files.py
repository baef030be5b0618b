"""The export of an account is read back: labels and lists, then tasks, and nothing that is in the trash."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from backend.config import Settings
from backend.models.list import MAX_LISTS
from backend.services.task_files import reader
from tests.fixtures.calls.access_tokens import WRITE, make_token, with_token
from tests.fixtures.calls.api import API, new_user, serve
from tests.fixtures.calls.exports import EXPORT, Exported, export, leave_something_everywhere, read_lines
from tests.fixtures.calls.lists import make
from tests.fixtures.calls.task_files import LINES, Report, counts_of, imported, lines_of, report_of, send
from tests.fixtures.calls.tasks import create, read, revision_of

pytestmark = pytest.mark.requirement("FR-433")

HOME, TRIP = (str(uuid.UUID(int=7 * 2**80 + number)) for number in (1, 2))
# What an import does not bring back, by the type of the line.
NOT_KEPT = {
    "task": {"updated_at", "revision", "request_hash"},
    "label": {"created_at", "updated_at", "revision"},
    "list": {"created_at", "updated_at", "archived_at", "revision", "request_hash"},
}


def lived_in(client: httpx.Client) -> str:
    """Give a user everything that there can be; returns the export."""
    client.put("/api/labels/Home", json={"color": "#228b22"}).raise_for_status()
    client.put("/api/labels/unused", json={}).raise_for_status()
    home = make(client, "Home", id=HOME, color="#1e90ff")
    away = make(client, "Away", archived=True)
    client.post(f"/api/lists/{away['id']}/move", json={"before": home["id"]}).raise_for_status()
    trip = create(client, "Trip", id=TRIP, list_id=home["id"], labels=["home", "new"], description="")
    create(client, "Pack", parent_id=trip["id"], status="done", priority="low", due_date="2026-11-21")
    times = {"due_at": "2026-11-21T09:00:00.5Z", "timezone": "Europe/Berlin"}
    create(client, "Call", list_id=away["id"], status="in_progress", **times)
    gone = make(client, "Gone")
    create(client, "Gone along", list_id=gone["id"])
    client.delete(f"/api/lists/{gone['id']}").raise_for_status()
    of_others = "BEGIN:VCALENDAR\nBEGIN:VTODO\nUID:uid@of.others\nSUMMARY:Walk\nEND:VTODO\nEND:VCALENDAR\n"
    assert imported(client, of_others, "text/calendar") == {"created": 1}
    leave_something_everywhere(client, "Something")
    return client.get(EXPORT).text


def kept(exported: Exported) -> Exported:
    """Return what an import keeps: the living rows, without what it sets itself."""
    return {
        kind: [
            {name: value for name, value in row.items() if name not in ignored}
            for row in exported[kind]
            if row.get("deleted_at") is None
        ]
        for kind, ignored in NOT_KEPT.items()
    }


def archived(exported: Exported) -> dict[str, bool]:
    return {row["name"]: row["archived_at"] is not None for row in exported["list"] if row["deleted_at"] is None}


def test_an_account_that_was_erased_comes_back_from_its_export(client: httpx.Client, user_id: str) -> None:
    text = lived_in(client)
    before = read_lines(text)
    client.delete("/api/me", params={"confirm": user_id}).raise_for_status()

    report = report_of(send(client, text))

    after = export(client)
    assert kept(after) == kept(before)
    assert "uid@of.others" in {row["uid"] for row in after["task"]}
    assert archived(after) == archived(before) == {"Away": True, "Home": False, "Something": False}
    assert sum(map(len, kept(after).values())) == report["created"] == 4 + 3 + 6
    others = sum(len(before[kind]) for kind in ("removed_task", "idempotency_key", "access_token", "event"))
    in_trash = sum(row["deleted_at"] is not None for kind in ("task", "list") for row in before[kind])
    assert (report["skipped"], report["failed"], report["mended"]) == (others + in_trash, 0, 0)
    assert in_trash == 3

    revision = revision_of(client)
    assert counts_of(report_of(send(client, text))) == {"unchanged": report["created"], "skipped": report["skipped"]}
    assert revision_of(client) == revision


def test_what_has_changed_since_becomes_as_the_export_says(client: httpx.Client) -> None:
    text = lived_in(client)
    before = read_lines(text)
    client.put("/api/labels/home", json={"color": None}).raise_for_status()
    client.patch(f"/api/lists/{HOME}", json={"name": "Other", "color": None, "archived": True}).raise_for_status()
    client.delete(f"/api/lists/{HOME}").raise_for_status()

    report = report_of(send(client, text))

    assert (report["restored"], report["updated"], report["failed"]) == (1, 1, 0)  # its tasks come back along with it
    assert kept(export(client)) == kept(before)


def test_an_export_is_read_into_another_account(client: httpx.Client, stranger: httpx.Client) -> None:
    text = lived_in(client)
    taken = stranger.put("/api/labels/HOME", json={"color": "#000000"}).json()["data"]

    report = report_of(send(stranger, text))

    assert (report["created"], report["updated"], report["failed"]) == (12, 1, 0)
    found = export(stranger)
    labels = {row["name"]: (row["id"], row["color"]) for row in found["label"]}
    assert labels["HOME"] == (taken["id"], "#228b22")
    assert labels["unused"][0] == next(row["id"] for row in read_lines(text)["label"] if row["name"] == "unused")
    assert [row["labels"] for row in found["task"] if row["title"] == "Trip"] == [["HOME", "new"]]


def line(kind: str, **data: object) -> dict[str, object]:
    return {"type": kind, "data": data}


def label(name: object, **data: object) -> dict[str, object]:
    return line("label", **{"id": HOME, "name": name, "color": None, **data})


def list_(name: object, **data: object) -> dict[str, object]:
    return line("list", **{"id": HOME, "name": name, **data})


def codes_of(report: Report) -> list[tuple[int, str, str]]:
    return [(error["line"], error["field"], error["code"]) for error in report["errors"]]


def test_an_id_that_another_label_has_is_left_to_it(client: httpx.Client) -> None:
    assert imported(client, lines_of([label("home"), label("work"), label("HOME", color="#00FF00")])) == {
        "created": 2,
        "updated": 1,
    }

    labels = {each["name"]: (each["id"], each["color"]) for each in client.get("/api/labels").json()["data"]}
    assert labels["home"] == (HOME, "#00ff00")
    assert labels["work"][0] != HOME


def test_what_a_line_omits_stays_as_it_is(client: httpx.Client) -> None:
    rows = [label("home", color="#00ff00"), list_("Home", color="#00ff00", archived_at="2026-11-21T09:00:00+00:00")]
    assert imported(client, lines_of(rows)) == {"created": 2}

    bare = [line("label", id=HOME, name="home"), line("list", id=HOME, name="Home")]
    assert imported(client, lines_of(bare)) == {"unchanged": 2}
    assert imported(client, lines_of([list_("Home", archived_at=None)])) == {"updated": 1}
    assert client.get(f"/api/lists/{HOME}").json()["data"]["color"] == "#00ff00"


def test_each_bad_line_is_reported_and_all_others_are_stored(client: httpx.Client) -> None:
    rows: list[Any] = [
        label("a,b"), label(None), label("a", id="1"), label("b", color="red"), label("c", x=1), list_(""),
        line("list", name="Home"), list_("Home", position="!"), line("task", title=1), line("unknown", title="a"),
        {"type": "task", "data": {"title": "a"}, "more": 1}, {"type": "task", "data": []}, {"type": 1, "data": {}},
        label("good"), list_("Good"), line("task", title="good", list_id=HOME, labels=["good"]),
    ]  # fmt: skip

    report = report_of(send(client, lines_of(rows)))

    assert counts_of(report) == {"created": 3, "failed": 13}
    assert codes_of(report) == [
        (1, "name", "label_format"),
        (2, "name", "string_type"),
        (3, "id", "uuid_format"),
        (4, "color", "color_format"),
        (5, "x", "extra_forbidden"),
        (6, "name", "string_too_short"),
        (7, "id", "missing"),
        (8, "position", "position_invalid"),
        (9, "title", "string_type"),
        *((number, "type", "extra_forbidden") for number in range(10, 14)),
    ]


def test_an_export_without_its_last_line_is_said_to_be_incomplete(client: httpx.Client) -> None:
    first, *_ = client.get(EXPORT).text.splitlines()

    report = report_of(send(client, f"{first}\n{lines_of([line('task', title='a')])}"))

    assert counts_of(report) == {"created": 1, "failed": 1}
    assert codes_of(report) == [(1, "row", "export_unfinished")]


def test_the_lines_may_be_in_an_array(client: httpx.Client, stranger: httpx.Client) -> None:
    text = lived_in(client)

    report = report_of(send(stranger, json.dumps([json.loads(each) for each in text.splitlines()]), "application/json"))

    assert (report["created"], report["failed"]) == (13, 0)


def test_a_file_names_no_more_labels_and_lists_than_there_may_be(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside = reader._BESIDE.items()  # noqa: SLF001 - else 1,500 rows
    few = {kind: (replace(resource, max_rows=2), row) for kind, (resource, row) in beside}
    monkeypatch.setattr(reader, "_BESIDE", few)
    rows = [label("a"), label("a"), label("a"), list_("a"), list_("a"), list_("a"), line("task", title="a")]

    report = report_of(send(client, lines_of(rows)))

    assert counts_of(report) == {"created": 3, "unchanged": 2, "failed": 2}
    assert codes_of(report) == [(3, "row", "too_many_labels"), (6, "row", "too_many_lists")]


def test_a_full_account_takes_no_other_list(client: httpx.Client) -> None:
    rows = [list_("a", id=str(uuid.UUID(int=number))) for number in range(MAX_LISTS)]
    assert imported(client, lines_of(rows)) == {"created": MAX_LISTS}

    report = report_of(send(client, lines_of([list_("a"), list_("b", id=rows[0]["data"]["id"])])))  # type: ignore[index]

    assert counts_of(report) == {"updated": 1, "failed": 1}
    assert codes_of(report) == [(1, "row", "too_many_lists")]


@pytest.fixture(scope="module")
def strict(settings: Settings) -> Iterator[API]:
    """The service configured to require a precondition for every change."""
    with serve(settings.model_copy(update={"require_if_match": True})) as running:
        yield running


def test_where_an_etag_is_required_lists_and_labels_are_only_added(strict: API) -> None:
    with strict.client(new_user()) as client:
        assert imported(client, lines_of([label("a"), list_("a")])) == {"created": 2}
        assert imported(client, lines_of([label("a"), list_("a")])) == {"unchanged": 2}

        report = report_of(send(client, lines_of([label("a", color="#00ff00"), list_("b")])))

        assert counts_of(report) == {"failed": 2}
        assert codes_of(report) == [(number, "id", "precondition_required") for number in (1, 2)]


def test_a_token_for_one_list_makes_no_labels_and_lists(api: API, client: httpx.Client) -> None:
    home = make(client, "Home")
    with with_token(api, make_token(client, WRITE, list_id=home["id"])["token"]) as limited:
        rows = [label("a"), list_("a"), list_("b", id=home["id"]), line("task", title="a")]
        report = report_of(send(limited, lines_of(rows), LINES))

    assert counts_of(report) == {"created": 1, "failed": 3}
    assert codes_of(report) == [(number, "row", "outside_list") for number in (1, 2, 3)]
    assert [each["name"] for each in client.get("/api/lists").json()["data"]] == ["Home"]


def test_a_list_of_the_file_is_there_for_the_tasks_after_it(client: httpx.Client) -> None:
    rows = [
        {"title": "before"},
        list_("Home"),
        line("task", id=TRIP, title="after", list_id=HOME),
        line("list", id=HOME, name="Gone", deleted_at="2026-11-21T09:00:00+00:00"),
    ]

    assert imported(client, lines_of(rows)) == {"created": 3, "skipped": 1}
    assert read(client, {"id": TRIP})["list_id"] == HOME
