"""The report contains what was measured, and the documents contain what was reported."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.benchmarks.__main__ import NUMBERS, REPORT, ROOT
from tests.benchmarks.report import markdown, summary
from tests.benchmarks.results import BARE, CONTENDERS, CONVENTIONAL, FLOOR, SERVICE, Report, Result, dump, read
from tests.benchmarks.targets import judge
from tests.benchmarks.workloads import ALL

SPEED = {SERVICE: 1000.0, CONVENTIONAL: 100.0, FLOOR: 1100.0, BARE: 3000.0}
STORED = ROOT / NUMBERS


def result(workload: str, contender: str, **changes: Any) -> Result:
    """Build a result that meets all targets, except for the changes."""
    numbers: dict[str, Any] = {
        "workers": 1,
        "connections": 16,
        "rounds": 5,
        "failed_rounds": 0,
        "requests_per_second": SPEED[contender],
        "p50_ms": 1000 / SPEED[contender],
        "p99_ms": 5000 / SPEED[contender],
        "cpu_microseconds": 1e6 / SPEED[contender] / 2,
        "peak_megabytes": 100.0,
    }
    return Result(workload=workload, contender=contender, **{**numbers, **changes})


def results(**changes: dict[str, Any]) -> list[Result]:
    """Build a result for each workload and contender; `changes` apply to get, by contender."""
    found = [result(each.name, contender) for each in ALL for contender in CONTENDERS if contender != BARE]
    found.append(result("get", BARE, cpu_microseconds=400.0))
    for contender, change in changes.items():
        name = contender.replace("_", " ")
        found = [
            replace(each, **change) if (each.workload, each.contender) == ("get", name) else each for each in found
        ]
    return found


def report(found: list[Result]) -> Report:
    described = {workload.name: workload.description for workload in ALL}
    return Report("2026-11-21", "2 processors, a model", "Python 3.11", "5 of 2 s", described, tuple(found))


def missed(found: list[Result]) -> list[str]:
    return [target.name for target in judge(found) if not target.is_met]


@pytest.mark.requirement("FR-193")
def test_the_targets_are_those_of_the_specification() -> None:
    targets = judge(results())
    bounds = {(target.name, target.bound, target.is_upper) for target in targets}

    assert missed(results()) == []
    times = {"get": 6.0, "list of 50": 8.0, "create": 5.5, "PUT": 5.5, "toggle": 5.5, "mix": 6.0}
    shares = {"get": 0.9, "list of 50": 0.75}
    assert {(f"{name}: requests/s by those of conventional", bound, False) for name, bound in times.items()} < bounds
    for workload in ALL:
        assert (f"{workload.name}: p99 by that of conventional", 1.0, True) in bounds
        assert (f"{workload.name}: requests/s by those of floor", shares.get(workload.name, 0.6), False) in bounds
    assert ("get: CPU time by that of bare", 1.5, True) in bounds
    assert len(bounds) == len(targets) == len(times) + 2 * len(ALL) + 1


@pytest.mark.requirement("FR-193")
@pytest.mark.parametrize(
    ("contender", "change", "target"),
    [
        (SERVICE, {"requests_per_second": 499.0}, "get: requests/s by those of conventional"),
        (FLOOR, {"requests_per_second": 1700.0}, "get: requests/s by those of floor"),
        (SERVICE, {"p99_ms": 51.0}, "get: p99 by that of conventional"),
        (SERVICE, {"cpu_microseconds": 621.0}, "get: CPU time by that of bare"),
        (BARE, {"cpu_microseconds": None}, "get: CPU time by that of bare"),
        (FLOOR, {"workers": 2}, "get: requests/s by those of floor"),
    ],
)
def test_a_target_that_is_missed_or_not_measured_is_shown_as_missed(
    contender: str, change: dict[str, Any], target: str
) -> None:
    found = results(**{contender: change})

    assert target in missed(found)
    row = next(line for line in markdown(report(found)).splitlines() if line.startswith(f"| {target} |"))
    assert row.endswith("| **missed** |")
    assert f" {len(missed(found))} of {len(judge(found))} targets are" in summary(report(found))


@pytest.mark.requirement("FR-194")
def test_what_stands_in_the_documents_is_what_the_last_run_has_written() -> None:
    stored = STORED.read_text(encoding="utf-8")
    last = read(stored)

    assert dump(last) == stored
    assert (ROOT / REPORT).read_text(encoding="utf-8") == markdown(last)
    assert markdown(last).startswith(f"# Results\n\n{summary(last)}\n\n## How\n")
    assert {each.workload for each in last.results} == {workload.name for workload in ALL}
