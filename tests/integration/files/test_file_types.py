"""Which format a file has: by its Content-Type, or by its name; and the byte order mark for Excel."""

from __future__ import annotations

import json

import httpx
import pytest

from backend.models.task_file import FileFormat
from tests.fixtures.calls.api import API, ORIGIN
from tests.fixtures.calls.task_files import (
    EXPORT,
    IMPORT,
    LINES,
    TYPES,
    counts_of,
    exported,
    imported,
    report_of,
    tasks_of,
)
from tests.fixtures.calls.tasks import create, error_of, read
from tests.fixtures.running.waiting import PATIENCE_SECONDS

CSV = b"title,completed\na,true\n"
OCTETS = "application/octet-stream"
FILES = {
    "tasks.csv": CSV,
    "tasks.jsonl": b'{"title": "a"}',
    "tasks.ndjson": b'{"title": "a"}',
    "tasks.json": b'[{"title": "a"}]',
    "tasks.ics": b"BEGIN:VCALENDAR\nBEGIN:VTODO\nSUMMARY:a\nEND:VTODO\nEND:VCALENDAR\n",
}


def sent(client: httpx.Client, content: bytes, **headers: str) -> httpx.Response:
    return client.post(
        IMPORT, content=content, headers={name.replace("_", "-"): each for name, each in headers.items()}
    )


@pytest.mark.requirement("FR-430")
@pytest.mark.parametrize("kind", ["application/vnd.ms-excel", "Application/Vnd.MS-Excel; charset=utf-8"])
def test_what_browsers_on_windows_call_a_csv_is_one(client: httpx.Client, kind: str) -> None:
    assert imported(client, CSV, kind) == {"created": 1}


@pytest.mark.requirement("FR-430")
def test_a_workbook_of_excel_is_refused(client: httpx.Client) -> None:
    response = sent(client, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" * 100, Content_Type="application/vnd.ms-excel")

    error_of(response, 422, "VALIDATION_ERROR")


@pytest.mark.requirement("FR-430")
@pytest.mark.parametrize("kind", [{}, {"Content_Type": ""}, {"Content_Type": OCTETS}], ids=str)
@pytest.mark.parametrize("name", FILES)
def test_a_file_without_a_type_is_what_its_name_ends_in(client: httpx.Client, kind: dict[str, str], name: str) -> None:
    said = {"Content_Disposition": f'attachment; filename="my {name}"'}

    assert counts_of(report_of(sent(client, FILES[name], **kind, **said))) == {"created": 1}


@pytest.mark.requirement("FR-430")
@pytest.mark.parametrize(
    "name",
    [
        "filename=a.CSV",
        "form-data; name=file ; FileName = a.csv ; x=y",
        'attachment; filename="a;b=.ics.csv"',
        "attachment; filename*=UTF-8''%e2%82%ac.csv",
        "attachment; filename=\"EURO\"; filename*=utf-8''%e2%82%ac.csv",
    ],
)
def test_a_file_name_may_be_spelled_in_every_way(client: httpx.Client, name: str) -> None:
    response = sent(client, CSV, Content_Type=OCTETS, Content_Disposition=name)

    assert counts_of(report_of(response)) == {"created": 1}


@pytest.mark.requirement("FR-430")
@pytest.mark.parametrize(
    "headers",
    [
        {"Content_Type": OCTETS},
        {"Content_Disposition": "attachment"},
        {"Content_Disposition": 'attachment; filename="csv.doc"'},
        {"Content_Disposition": 'attachment; filename="'},
        {"Content_Disposition": "filename=" * 3000 + ".csv.x"},
        {"Content_Disposition": f'filename="{"a" * 20_000}.csv"'},
        {"Content_Type": "text/plain", "Content_Disposition": "filename=a.csv"},
        {"Content_Type": f"{OCTETS}; charset=utf-16", "Content_Disposition": "filename=a.csv"},
    ],
    ids=lambda headers: str(headers)[:60],
)
def test_a_file_of_which_nothing_is_known_is_refused(client: httpx.Client, headers: dict[str, str]) -> None:
    error_of(sent(client, CSV, **headers), 415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.requirement("FR-430")
def test_a_type_counts_more_than_a_name(client: httpx.Client) -> None:
    response = sent(client, FILES["tasks.jsonl"], Content_Type=LINES, Content_Disposition="filename=a.csv")

    assert counts_of(report_of(response)) == {"created": 1}


@pytest.mark.requirement("FR-430")
def test_a_form_is_refused_with_what_to_send(client: httpx.Client) -> None:
    response = client.post(IMPORT, files={"file": ("tasks.csv", CSV, "text/csv")})

    assert "Send the file itself" in error_of(response, 415, "UNSUPPORTED_MEDIA_TYPE")["message"]


@pytest.mark.requirement("FR-430")
def test_a_page_of_an_allowed_origin_may_say_the_name(api: API) -> None:
    headers = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-disposition",
    }
    with httpx.Client(base_url=api.base_url, trust_env=False, timeout=PATIENCE_SECONDS) as browser:
        answer = browser.options(IMPORT, headers=headers)

    assert "content-disposition" in answer.headers["Access-Control-Allow-Headers"]


@pytest.mark.requirement("FR-431")
def test_a_csv_for_excel_begins_with_a_mark_and_imports_again(client: httpx.Client) -> None:
    task = create(client, "Grüße")
    plain = exported(client, "csv")

    marked = client.get(EXPORT, params={"format": "csv", "bom": "true"}).content

    assert marked == b"\xef\xbb\xbf" + plain.encode()
    assert client.get(EXPORT, params={"format": "csv", "bom": "false"}).content == plain.encode()
    assert imported(client, marked, TYPES[FileFormat.CSV]) == {"unchanged": 1}
    assert read(client, task) == task


@pytest.mark.requirement("FR-431")
@pytest.mark.parametrize("params", [{}, {"format": "jsonl"}, {"format": "ics"}], ids=str)
def test_only_a_csv_can_have_a_mark(client: httpx.Client, params: dict[str, str]) -> None:
    error = error_of(client.get(EXPORT, params={**params, "bom": "true"}), 422, "VALIDATION_ERROR")

    assert [(detail["field"], detail["code"]) for detail in error["details"]] == [("query.bom", "bom_without_csv")]
    assert client.get(EXPORT, params={**params, "bom": "false"}).status_code == 200


JSON = "application/json"


@pytest.mark.requirement("FR-432")
@pytest.mark.parametrize("params", [{}, {"include": "subtask_counts"}], ids=str)
def test_the_answer_of_a_listing_is_imported(
    client: httpx.Client, stranger: httpx.Client, params: dict[str, str]
) -> None:
    tasks = [create(client, f"{number}]", description='"}', labels=["x"]) for number in range(3)]
    listing = client.get("/api/tasks", params={"limit": 2, **params})

    assert imported(client, listing.content, JSON) == {"unchanged": 2}
    assert imported(stranger, listing.content, f"{JSON}; charset=utf-8") == {"created": 2}
    array = json.dumps([*listing.json()["data"], {"title": 1}, tasks[0]], indent=4)
    report = report_of(sent(stranger, array.encode(), Content_Type=JSON))
    assert counts_of(report) == {"created": 1, "unchanged": 2, "failed": 1}
    assert [(error["line"], error["code"]) for error in report["errors"]] == [(3, "string_type")]


@pytest.mark.requirement("FR-432")
def test_what_comes_before_the_broken_part_of_an_array_is_stored(client: httpx.Client) -> None:
    rows = [{"title": str(number)} for number in range(300)]
    file = json.dumps(rows)[:-1] + ', {"title": "cu'

    report = report_of(sent(client, file.encode(), Content_Type=JSON))

    assert counts_of(report) == {"created": 300, "failed": 1}
    assert [(error["line"], error["code"]) for error in report["errors"]] == [(301, "array_unfinished")]
    assert len(tasks_of(client)) == 300


@pytest.mark.requirement("FR-432")
@pytest.mark.parametrize("body", ['{"title": "a"}', "", "[" * 100_000 + '"', '{"title": "a"}\n{"title": "b"}'])
def test_json_without_tasks_is_answered(client: httpx.Client, body: str) -> None:
    response = sent(client, body.encode(), Content_Type=JSON)

    if body[:1] == "[":
        assert [error["code"] for error in report_of(response)["errors"]] == ["array_invalid"]
        return
    (detail,) = error_of(response, 422, "VALIDATION_ERROR")["details"]
    assert (detail["field"], detail["code"]) == ("row", "array_missing")


@pytest.mark.requirement("FR-432", "FR-242")
def test_an_import_of_an_array_stops_after_too_many_bad_elements(client: httpx.Client) -> None:
    body = b"[" + b"{}," * 1_000_000 + b'{"title": "a"}]'

    report = report_of(sent(client, body, Content_Type=JSON))

    assert (report["failed"], report["stopped_at_line"]) == (10_000, 10_001)
    assert tasks_of(client) == []
