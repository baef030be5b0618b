"""Imports of completely bad files: they stop early, and stop when their token expires."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from backend.config import Settings
from backend.models.task_file import MAX_BAD_ROWS, ImportReport
from backend.services.task_files import reader as task_import
from backend.services.task_files.reader import Part, TaskImport
from tests.fixtures.calls.access_tokens import TOKENS, WRITE, make_token, with_token
from tests.fixtures.calls.api import API, serve
from tests.fixtures.calls.task_files import CALENDAR, CSV, LINES, TYPES, counts_of, report_of, send, tasks_of
from tests.fixtures.calls.tasks import create, error_of
from tests.fixtures.running.waiting import until

BAD = {LINES: b"{}\n", CSV: b"a,b\n", CALENDAR: b"BEGIN:VTODO\nSUMMARY:\xff\nEND:VTODO\n"}
GOOD = {LINES: b'{"title":"good"}\n', CSV: b"good\n", CALENDAR: b"BEGIN:VTODO\nSUMMARY:good\nEND:VTODO\n"}
HEADS = {LINES: b"", CSV: b"title\n", CALENDAR: b"BEGIN:VCALENDAR\n"}


@pytest.mark.requirement("FR-242")
@pytest.mark.parametrize("kind", TYPES.values())
def test_an_import_stops_behind_very_many_bad_rows_and_says_where(client: httpx.Client, kind: str) -> None:
    begin = HEADS[kind] + GOOD[kind] + BAD[kind] * MAX_BAD_ROWS
    rest = GOOD[kind] + b"\xff" * 2**20 + b'\n"\n'

    report = report_of(send(client, begin + rest, kind))

    assert counts_of(report) == {"created": 1, "failed": MAX_BAD_ROWS, "stopped_at_line": begin.count(b"\n") + 1}
    assert [task["title"] for task in tasks_of(client)] == ["good"]


@pytest.mark.requirement("FR-242")
def test_an_import_that_did_not_stop_says_so(client: httpx.Client) -> None:
    assert report_of(send(client, GOOD[LINES] + BAD[LINES]))["stopped_at_line"] is None


@pytest.mark.requirement("FR-242")
def test_rows_for_which_the_account_has_no_room_count_as_bad_ones(
    settings: Settings, user_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task_import, "MAX_BAD_ROWS", 300)
    with serve(settings.model_copy(update={"max_tasks_per_user": 1})) as api, api.client(user_id) as client:
        create(client)

        report = report_of(send(client, GOOD[LINES] * 1000))

    # All rows of a part are stored at once, or not at all.
    assert counts_of(report) == {"failed": 500, "stopped_at_line": 501}


@pytest.mark.requirement("FR-243", "FR-214")
@pytest.mark.parametrize("kind", TYPES.values())
@pytest.mark.parametrize("before", [10, MAX_BAD_ROWS + 1])
def test_an_import_without_a_good_row_ends_with_its_token(
    api: API, client: httpx.Client, kind: str, before: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, is_stopped = make_token(client, WRITE), before > MAX_BAD_ROWS
    reports = noted_reports(monkeypatch)

    def rows() -> Iterator[bytes]:
        yield HEADS[kind] + BAD[kind] * before
        until(lambda: bool(reports) and reports[0].failed == min(before, MAX_BAD_ROWS))
        until(lambda: (reports[0].stopped_at_line is not None) == is_stopped)
        assert client.delete(f"{TOKENS}/{made['id']}").status_code == 204
        yield BAD[kind] * 10

    with with_token(api, made["token"]) as script:
        error = error_of(send(script, rows(), kind), 401, "UNAUTHORIZED")

    assert "revoked" in error["message"]
    assert (reports[0].stopped_at_line is not None) == is_stopped
    assert reports[0].failed == min(before, MAX_BAD_ROWS)  # nothing more was read


def noted_reports(monkeypatch: pytest.MonkeyPatch) -> list[ImportReport]:
    """Record the report of each import, which is filled in while its file is read."""
    reports, read = list[ImportReport](), TaskImport.read

    def noting(self: TaskImport, piece: bytes) -> Iterator[Part]:
        if not reports:
            reports.append(self.report)
        return read(self, piece)

    monkeypatch.setattr(TaskImport, "read", noting)
    return reports
