"""Contenders take turns, rounds that failed do not count, and the load is what it says."""

from __future__ import annotations

import shutil
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.benchmarks import __main__ as command
from tests.benchmarks import data, limit, load, workloads
from tests.benchmarks.load import Measured
from tests.benchmarks.results import BARE, LIMIT, SERVICE
from tests.benchmarks.rounds import Round, Setting, alternate, measure, summary
from tests.benchmarks.workloads import ALWAYS_NEW, Request, Workload
from tests.fixtures.database import execute
from tests.fixtures.tokens import SECRET

needs_wrk = pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed")
needs_pgbench = pytest.mark.skipif(shutil.which("pgbench") is None, reason="pgbench is not installed")
MAIN = Setting(workers=1, connections=16, rounds=3, seconds=2)


class Recorder(BaseHTTPRequestHandler):
    """Keeps what it is asked, and refuses one path."""

    protocol_version = "HTTP/1.1"
    seen: list[tuple[str, str, str]]

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.seen.append((self.path, self.headers["Authorization"], body))
        self.send_response(500 if self.path == "/refused" else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def recording() -> Iterator[tuple[str, list[tuple[str, str, str]]]]:
    """Listen on loopback; gives the address, and what is asked there."""
    seen: list[tuple[str, str, str]] = []
    handler = type("OneRecorder", (Recorder,), {"seen": seen})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", seen
        finally:
            server.shutdown()
            thread.join()


@needs_wrk
@pytest.mark.requirement("FR-190", "FR-192")
def test_wrk_sends_each_request_in_turn_and_counts_what_is_no_success() -> None:
    requests = tuple(Request("PUT", path, "user-1", f'{{"title": "{ALWAYS_NEW}"}}') for path in ("/a", "/refused"))

    connections = 2
    with recording() as (address, seen):
        measured = load.run(address, Workload("both", "", requests), connections=connections, seconds=1)

    paths = Counter(path for path, _, _ in seen)
    assert set(paths) == {"/a", "/refused"}
    assert abs(paths["/a"] - paths["/refused"]) <= 2 * connections
    assert len({body for _, _, body in seen}) == len(seen)  # each title is another
    assert {authorization for _, authorization, _ in seen} == {f"Bearer {load.token_for('user-1')}"}
    assert 0 <= len(seen) - measured.requests <= 2 * connections  # the last of each connection came after the time
    assert abs(measured.failures - measured.requests / 2) <= 2 * connections
    assert 0 < measured.p50_ms <= measured.p99_ms <= 60_000


def test_a_request_is_written_as_http_has_it() -> None:
    text = load.http_text(Request("POST", "/api/tasks", "user-1", '{"title": "é"}'), "127.0.0.1:1")

    head, _, body = text.partition("\r\n\r\n")
    assert head.startswith("POST /api/tasks HTTP/1.1\r\nHost: 127.0.0.1:1\r\n")
    assert head.endswith("Content-Length: 15")
    assert body == '{"title": "é"}'
    assert SECRET not in text
    assert load.http_text(Request("GET", "/", "user-1"), "a").endswith("\r\n\r\n")


@pytest.mark.requirement("FR-192")
def test_workloads_are_those_of_the_specification() -> None:
    names = ["get", "list of 50", "list of 1000", "create", "PUT", "toggle", "mix"]
    assert [workload.name for workload in workloads.ALL] == names
    mix = workloads.MIX.requests
    assert sum(request.method == "GET" for request in mix) == 0.8 * len(mix)
    single = {request for workload in workloads.ALL if workload is not workloads.MIX for request in workload.requests}
    assert set(mix) < single
    for workload in workloads.ALL:
        users = {request.user_id for request in workload.requests}
        assert len(users) >= (data.LONG_USERS if workload is workloads.LIST_1000 else 500)
        assert workload.writes == any(request.method != "GET" for request in workload.requests)
    assert all(ALWAYS_NEW in (request.body or "") for request in workloads.PUT.requests)


@pytest.mark.requirement("FR-190")
def test_rounds_alternate() -> None:
    order: list[str] = []

    def contender(name: str) -> Round:
        order.append(name)
        return Round(Measured(len(order), 1, 1, 1, 0))

    started = {name: lambda *_, name=name: contender(name) for name in "abc"}
    done = alternate(started, 3, lambda one: one(workloads.GET, 1, 1))

    assert order == ["a", "b", "c", "c", "b", "a", "a", "b", "c"]
    assert [each.measured.requests for each in done["a"]] == [1, 6, 7]


def one_round(requests: int, *, failures: int = 0) -> Round:
    return Round(Measured(requests, 2.0, 1.0, requests / 10, failures), (requests + 16) / 1000, requests * 10**6)


@pytest.mark.requirement("FR-192")
def test_medians_are_of_rounds_in_which_every_answer_was_a_success() -> None:
    rounds = [one_round(100), one_round(9000, failures=1), one_round(300), one_round(200), one_round(0)]

    found = summary(SERVICE, "get", MAIN, rounds)

    assert (found.rounds, found.failed_rounds) == (3, 2)
    assert (found.requests_per_second, found.p99_ms) == (100.0, 20.0)
    assert found.cpu_microseconds == pytest.approx(1000)
    assert found.peak_megabytes == 300
    none = summary(SERVICE, "get", MAIN, [one_round(9, failures=9)])
    assert (none.rounds, none.requests_per_second, none.peak_megabytes) == (0, None, None)


@needs_wrk
@needs_pgbench
@pytest.mark.requirement("FR-190", "FR-192")
def test_contenders_are_measured(own_url: str) -> None:
    data.load(own_url, users=3, long_users=1)
    setting = Setting(workers=2, connections=4, rounds=1, seconds=1)

    found = list(measure(workloads.GET, [setting], (LIMIT, BARE), own_url, lambda _: None))

    assert [(result.contender, result.rounds, result.failed_rounds) for result in found] == [
        (LIMIT, 1, 0),
        (BARE, 1, 0),
    ]
    assert all((result.workers, result.connections) == (2, 4) for result in found)
    assert all((result.requests_per_second or 0) > 1 for result in found)
    assert found[1].cpu_microseconds
    assert (found[1].peak_megabytes or 0) > 30


@needs_pgbench
@pytest.mark.requirement("FR-191")
def test_pgbench_runs_the_statements_of_the_service(own_url: str) -> None:
    data.load(own_url, users=2, long_users=1)
    fixed = {":owner": "2", ":number": "7", ":long_owner": "1", ":fresh": "123456789012"}
    rows = {}
    for workload, (script, *_) in limit.SCRIPTS.items():
        sql = "\n".join(line for line in script.text().splitlines() if not line.startswith("\\set"))
        for name, value in fixed.items():
            sql = sql.replace(name, value)
        rows[workload.name] = execute(own_url, sql.rstrip(";"))

    assert all(len(found) == 1 for found in rows.values())
    assert f'"title":"{data.TITLE} 123456789012"' in rows["PUT"][0][1]
    assert rows["create"][0][2] == "created"
    assert [rows[name][0][1].count('"id"') for name in ("list of 50", "list of 1000")] == [50, 1000]

    measured = limit.run(own_url, workloads.MIX, connections=4, seconds=1)
    assert measured.requests > 10
    assert measured.failures == 0
    assert execute(own_url, "SELECT count(*) > 1 FROM tasks WHERE created_at > '2025-02-01'") == [(True,)]

    data.restore(own_url)
    assert execute(own_url, "SELECT id, task_count FROM users WHERE id IN ('user-1', 'user-2') ORDER BY id") == [
        ("user-1", 50),
        ("user-2", 50),
    ]


@pytest.mark.requirement("FR-190")
@pytest.mark.parametrize(("present", "missing"), [(None, "wrk"), ("wrk", "pgbench")])
def test_what_is_missing_is_named_with_how_to_install_it(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    present: str | None,
    missing: str,
) -> None:
    if present:
        (tmp_path / present).write_text("#!/bin/sh\n", encoding="ascii")
        (tmp_path / present).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert command.main(["--quick"]) == 1
    assert f"{missing} is missing: install it (Debian: apt-get install" in capsys.readouterr().err


def test_a_workload_that_nobody_knows_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["--only", "get,delete"])
    assert "choose of: get,list of 50," in capsys.readouterr().err


def test_the_log_of_pgbench_is_read() -> None:
    lines = [f"0 {number} {number * 1000} 0 1 2" for number in range(1, 101)] + ["1 101 failed 0 1 2"]

    measured = limit.parse(lines, 2)

    assert (measured.requests, measured.seconds, measured.failures) == (100, 2.0, 1)
    assert limit.parse([], 2) == Measured(0, 2.0, 0, 0, 0)
    assert limit.parse(lines[:1], 2) == Measured(1, 2.0, 1.0, 1.0, 0)
    assert [measured.p50_ms, measured.p99_ms] == pytest.approx([50.5, 99.01])
