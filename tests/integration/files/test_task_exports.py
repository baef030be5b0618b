"""Exports of tasks: all living tasks in every format, and no incomplete export that looks complete."""

from __future__ import annotations

import csv
import io
import json
import uuid

import httpx
import pytest

from backend.services.task_files import export_service
from tests.fixtures.calls.api import API
from tests.fixtures.calls.exports import give_large_tasks
from tests.fixtures.calls.task_files import EXPORT, TYPES, exported, tasks_of
from tests.fixtures.calls.tasks import create, error_of, path_of, read
from tests.fixtures.http.deadlines import hurried_at
from tests.fixtures.postgres.proxy import Fault, Proxy
from tests.fixtures.running.waiting import PATIENCE_SECONDS
from tests.fixtures.telemetry.logs import events

pytestmark = pytest.mark.requirement("FR-223")


def test_living_tasks_are_exported_as_they_are_answered(client: httpx.Client, stranger: httpx.Client) -> None:
    tasks = [create(client, f"{number}\u2028", description="a\nb", completed=number == 1) for number in range(4)]
    assert client.delete(path_of(tasks.pop())).status_code == 204
    create(stranger, "not mine")

    assert tasks_of(client) == [read(client, task) for task in tasks]
    rows = list(csv.DictReader(io.StringIO(exported(client, "csv"), newline="")))
    assert [(row["id"], row["title"], row["completed"], row["revision"]) for row in rows] == [
        (task["id"], task["title"], str(task["completed"]).lower(), str(task["revision"])) for task in tasks
    ]
    assert exported(client, "ics").count("BEGIN:VTODO") == 3


@pytest.mark.parametrize(("file_format", "kind"), TYPES.items())
def test_it_is_a_file_for_a_browser(client: httpx.Client, file_format: str, kind: str) -> None:
    for method in ("GET", "HEAD"):
        response = client.request(method, EXPORT, params={"format": file_format})

        assert response.status_code == 200
        assert response.headers["Content-Type"] == (kind if file_format == "jsonl" else f"{kind}; charset=utf-8")
        assert response.headers["Content-Disposition"] == f'attachment; filename="tasks.{file_format}"'
        assert not (method == "HEAD" and response.content)
    assert exported(client) == ""


def test_only_what_is_known_may_be_asked_for(client: httpx.Client) -> None:
    for params, field in (({"format": "xml"}, "format"), ({"limit": "1"}, "limit"), ({"format": "CSV"}, "format")):
        error = error_of(client.get(EXPORT, params=params), 422, "VALIDATION_ERROR")
        assert [detail["field"] for detail in error["details"]] == [f"query.{field}"]
    error_of(client.post(EXPORT), 405, "METHOD_NOT_ALLOWED")


@pytest.mark.parametrize("bound", [("MAX_ROWS", 3), ("MAX_BYTES", 1)])
def test_each_task_is_on_one_page(
    client: httpx.Client, bound: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_service, *bound)
    ids = sorted(create(client, "a", id=str(uuid.uuid4()))["id"] for _ in range(10))

    for file_format in TYPES:
        assert [id_ for id_ in ids if exported(client, file_format).count(id_) != 1] == []
    assert [task["id"] for task in tasks_of(client)] == ids


@pytest.mark.parametrize("file_format", TYPES)
def test_what_is_broken_off_does_not_look_complete(
    weathered: tuple[API, Proxy], user_id: str, database_url: str, file_format: str, caplog: pytest.LogCaptureFixture
) -> None:
    (api, proxy), token = weathered, weathered[0].client(user_id).headers["Authorization"]
    give_large_tasks(database_url, user_id, 30)
    pieces = list[str]()
    with httpx.Client(
        base_url=api.base_url, headers={"Authorization": token}, trust_env=False, timeout=PATIENCE_SECONDS
    ) as client:
        assert client.get("/api/me").status_code == 200
        proxy.fail_at(2, Fault.SILENT)
        with hurried_at(api, 2), client.stream("GET", EXPORT, params={"format": file_format}) as response:
            assert response.status_code == 200
            with pytest.raises(httpx.RemoteProtocolError):
                pieces.extend(response.iter_text())

    text = "".join(pieces)
    assert 0 < text.count("large") < 30
    assert text.endswith("\n")
    assert "END:VCALENDAR" not in text
    assert len(events(caplog, "export_aborted")) == 1
    assert [record for record in caplog.records if record.exc_info] == []


def test_a_user_who_has_nothing_gets_a_file_without_tasks(client: httpx.Client) -> None:
    assert [exported(client, file_format).count("\n") for file_format in TYPES] == [0, 1, 4]
    assert json.loads(client.get("/api/me").text)["data"]["revision"] == 0


@pytest.mark.parametrize("path", [EXPORT, "/api/me/export", "/api/tasks"])
def test_a_body_that_nobody_asked_for_is_ignored(client: httpx.Client, path: str) -> None:
    response = client.request("GET", path, content="no JSON", headers={"Content-Type": "application/json"})

    assert response.status_code == 200, response.text
