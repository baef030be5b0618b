"""`make bench` from start to report, and the rules that a single run of it cannot show."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.benchmarks import __main__ as command
from tests.benchmarks import machine, workloads
from tests.benchmarks.load import Measured
from tests.benchmarks.report import markdown
from tests.benchmarks.results import Result, dump, read
from tests.benchmarks.rounds import Round, alternate
from tests.benchmarks.rounds import summary as summary_of
from tests.benchmarks.targets import JUDGED
from tests.benchmarks.workloads import ALL, BEFORE, CALLS, CONTENDERS, SERVICE, SETTINGS, Setting
from tests.fixtures.processes.process import REPOSITORY
from tests.fixtures.running.needs import needing, needing_node

STORED = (REPOSITORY / command.NUMBERS).read_text(encoding="utf-8")
SMALL = (
    Setting("Postgres 15, TLS", 15, (workloads.ONE_USER,), way="TLS", workers=2),
    Setting("Postgres 15, PgBouncer", 15, (workloads.GET,), way="PgBouncer", contenders=(SERVICE,)),
)


@needing("wrk", "pgbouncer", "initdb", "node")
@needing_node("fastify")
@pytest.mark.requirement("FR-190", "FR-192", "FR-194", "FR-201", "FR-510", "FR-511", "FR-512", "FR-513")
def test_a_run_writes_all_that_it_has_measured_unless_it_is_quick(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "REPOSITORY", tmp_path)
    monkeypatch.setattr(command, "SETTINGS", SMALL)
    numbers, written = tmp_path / command.NUMBERS, tmp_path / command.REPORT
    for path in (numbers, written):
        path.parent.mkdir(parents=True)

    assert command.main(["--quick", "--only", "PgBouncer"]) == 0
    assert "| get | this service |" in capsys.readouterr().out
    assert not numbers.exists()
    assert command.main(["--rounds", "1", "--seconds", "1", "--before", str(REPOSITORY)]) == 0
    assert capsys.readouterr().out == f"{written.read_text(encoding='utf-8')}\n"

    report = read(numbers.read_text(encoding="utf-8"))
    assert written.read_text(encoding="utf-8") == markdown(report)
    assert [(each.setting, each.contender) for each in report.results] == [
        *(("Postgres 15, TLS", name) for name in CONTENDERS),  # the other checkout has one worker
        ("Postgres 15, PgBouncer", SERVICE),
        ("Postgres 15, PgBouncer", BEFORE),
    ]
    for result in report.results:
        assert (result.rounds, result.failed_rounds) == (1, 0)
        assert result.requests_per_second
        assert 0 < (result.p50_ms or 0) <= (result.p99_ms or 0)
        assert abs((result.server_cpu_us or 0) + (result.postgres_cpu_us or 0) - (result.whole_cpu_us or 0)) <= 1
        assert result.server_cpu_us


@pytest.mark.requirement("FR-192", "FR-509", "FR-511", "FR-512")
def test_settings_are_those_of_the_specification() -> None:
    assert [workload.name for workload in ALL] == ["get", "list of 50", "create", "PUT", "create, one user", "mix"]
    assert [(each.postgres, each.way, each.workers, each.workloads) for each in SETTINGS] == [
        (15, "direct", 1, ALL),
        (15, "TLS", 1, (workloads.GET,)),
        (15, "PgBouncer", 1, CALLS),
        (18, "direct", 1, ALL),
        (18, "direct", 2, (workloads.GET, workloads.CREATE, workloads.MIX)),
    ]
    mix = workloads.MIX.requests
    assert sum(request.method == "GET" for request in mix) == 0.8 * len(mix)
    assert len({request.user_id for request in workloads.GET.requests}) == 100
    assert len({request.user_id for request in workloads.ONE_USER.requests}) == 1


@pytest.mark.requirement("FR-190")
def test_rounds_alternate() -> None:
    order: list[str] = []

    def run(name: str) -> Round:
        order.append(name)
        return Round(Measured(1, 1, 1, 1, 0))

    alternate("abc", 3, run)

    assert "".join(order) == "abccbaabc"


@pytest.mark.requirement("FR-192")
def test_a_round_with_an_answer_that_is_no_success_counts_for_nothing_else() -> None:
    failed, empty = Measured(100, 2.0, 1.0, 10.0, 1), Measured(0, 2.0, 0, 0, 0)
    good = [Measured(requests, 2.0, 1.0, requests / 10, 0) for requests in (100, 300, 200)]

    found = summary_of("Postgres 15", "get", SERVICE, [Round(each) for each in (failed, *good, empty)])

    assert (found.rounds, found.failed_rounds) == (3, 2)
    assert (found.requests_per_second, found.p99_ms) == (100.0, 20.0)


@pytest.mark.requirement("FR-193")
@pytest.mark.parametrize(("factor", "verdict"), [(0.01, "met"), (100, "**missed**"), (None, "**missed**")])
def test_the_report_says_of_each_target_whether_it_is_met(factor: float | None, verdict: str) -> None:
    stored = read(STORED)
    changed = [
        replace(each, whole_cpu_us=factor and each.whole_cpu_us and each.whole_cpu_us * factor)
        if each.contender == SERVICE
        else each
        for each in stored.results
    ]
    lines = markdown(replace(stored, results=tuple(changed))).splitlines()
    judged = [line for line in lines if "CPU µs by that of Fastify" in line]

    assert len(judged) == len(CALLS) * len(JUDGED)
    assert [line for line in judged if not line.endswith(f"| {verdict} |")] == []


@pytest.mark.requirement("FR-194", "FR-514")
def test_what_stands_in_the_documents_is_what_the_last_run_has_written() -> None:
    last = read(STORED)

    assert dump(last) == STORED
    assert (REPOSITORY / command.REPORT).read_text(encoding="utf-8") == markdown(last)
    assert {each.setting for each in last.results} == {setting.name for setting in SETTINGS}
    described = (REPOSITORY / "specs/005-speed/plan.md").read_text(encoding="utf-8")
    assert [name for name in Result.__slots__ if f"`{name}`" not in described] == []


@pytest.mark.requirement("FR-190")
def test_what_is_missing_is_named_with_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(machine, "PROGRAMS", {"wrk", "absent"})
    monkeypatch.setattr(machine, "find", lambda _: None)

    assert command.main(["--quick"]) == 1
    assert "absent, wrk missing: install with apt-get install wrk" in capsys.readouterr().err
