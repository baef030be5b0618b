"""Files that are no tasks at all, or almost: what the answer says, and what is read all the same."""

from __future__ import annotations

import gzip

import httpx
import pytest

from tests.fixtures.calls.task_files import CSV, IMPORT, LINES, counts_of, imported, report_of, send, tasks_of
from tests.fixtures.calls.tasks import error_of

OCTETS = "application/octet-stream"
TABLE = "title,completed\na,true\n"
ZIPPED, OLD_OFFICE = b"PK\x03\x04" + b"\0" * 100, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" * 100


def named(client: httpx.Client, name: str, content: bytes, kind: str = OCTETS) -> httpx.Response:
    return send(client, content, kind, **{"Content-Disposition": f'attachment; filename="{name}"'})


@pytest.mark.requirement("FR-469")
@pytest.mark.parametrize(
    ("content", "code", "word"),
    [
        (ZIPPED, "not_text", "CSV UTF-8"),
        (OLD_OFFICE, "not_text", "CSV UTF-8"),
        (b"%PDF-1.7\n", "not_text", "CSV UTF-8"),
        (gzip.compress(TABLE.encode()), "not_text", "unpack"),
        (TABLE.encode("utf-16"), "encoding_invalid", "CSV UTF-8"),
        (TABLE.encode("utf-16-le"), "encoding_invalid", "CSV UTF-8"),
        (TABLE.encode("utf-16-be"), "encoding_invalid", "CSV UTF-8"),
        (TABLE.encode("utf-32"), "encoding_invalid", "CSV UTF-8"),
    ],
    ids=range(8),
)
@pytest.mark.parametrize("kind", [CSV, LINES, "application/json", "text/calendar"])
def test_what_is_no_text_in_utf_8_is_named(
    client: httpx.Client, content: bytes, code: str, word: str, kind: str
) -> None:
    error = error_of(send(client, content, kind), 422, "VALIDATION_ERROR")

    ((detail),) = error["details"]
    assert (detail["field"], detail["code"]) == ("row", code)
    assert word in detail["message"]
    assert "Nothing was imported" in error["message"]
    assert tasks_of(client) == []


@pytest.mark.requirement("FR-469")
def test_a_short_beginning_is_read_when_more_has_come(client: httpx.Client) -> None:
    pieces = (OLD_OFFICE[at : at + 1] for at in range(20))
    error_of(client.post(IMPORT, content=pieces, headers={"Content-Type": CSV}), 422, "VALIDATION_ERROR")
    good = (TABLE.encode()[at : at + 1] for at in range(len(TABLE)))
    assert counts_of(report_of(client.post(IMPORT, content=good, headers={"Content-Type": CSV}))) == {"created": 1}
    assert imported(client, b"") == {}


@pytest.mark.requirement("FR-469")
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("tasks.xlsx", OCTETS),
        ("Tasks.XLS", OCTETS),
        ("tasks.ods", OCTETS),
        ("tasks", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("tasks", "application/vnd.oasis.opendocument.spreadsheet"),
    ],
)
def test_the_type_or_name_of_a_workbook_is_refused_with_what_to_do(client: httpx.Client, name: str, kind: str) -> None:
    error = error_of(named(client, name, ZIPPED, kind), 415, "UNSUPPORTED_MEDIA_TYPE")
    assert "CSV UTF-8" in error["message"]


@pytest.mark.requirement("FR-470")
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("tasks.tsv", "title\tcompleted\na\ttrue\n"),
        ("tasks.txt", "title\tcompleted\na\ttrue\n"),
        ("tasks.vcs", "BEGIN:VCALENDAR\nVERSION:1.0\nBEGIN:VTODO\nSUMMARY:a\nEND:VTODO\nEND:VCALENDAR\n"),
        ("tasks.ical", "BEGIN:VCALENDAR\nBEGIN:VTODO\nSUMMARY:a\nEND:VTODO\nEND:VCALENDAR\n"),
    ],
)
def test_more_names_of_files_are_known(client: httpx.Client, name: str, content: str) -> None:
    assert counts_of(report_of(named(client, name, content.encode()))) == {"created": 1}


@pytest.mark.requirement("FR-470")
@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("text/tab-separated-values", "title\tcompleted\na\ttrue\n"),
        ("text/x-vcalendar", "BEGIN:VCALENDAR\nBEGIN:VTODO\nSUMMARY:a\nEND:VTODO\nEND:VCALENDAR\n"),
    ],
)
def test_more_types_of_files_are_known(client: httpx.Client, kind: str, content: str) -> None:
    assert imported(client, content.encode(), kind) == {"created": 1}


@pytest.mark.requirement("FR-470")
def test_two_equal_types_are_one(client: httpx.Client) -> None:
    def typed(*kinds: str) -> httpx.Response:
        return client.post(IMPORT, content=TABLE, headers=[("Content-Type", kind) for kind in kinds])

    assert counts_of(report_of(typed(CSV, CSV))) == {"created": 1}
    assert typed("text/csv; charset=utf-8", "text/csv; charset=utf-8").status_code == 200
