"""`make bench`: measure this service and others side by side, and store the results of a full run."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from tests.benchmarks import machine
from tests.benchmarks.report import markdown
from tests.benchmarks.results import Report, dump
from tests.benchmarks.rounds import Plan, run
from tests.benchmarks.workloads import SETTINGS, Setting
from tests.fixtures.processes.process import REPOSITORY

NUMBERS = Path("tests", "benchmarks", "results.json")  # for programs: specs/005-speed/plan.md describes it
REPORT = Path("specs", "005-speed", "results.md")  # for people


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the requested measurements; returns the exit code."""
    options = _parser().parse_args(arguments)
    if missing := machine.missing():
        print(missing, file=sys.stderr)
        return 1
    rounds, seconds = (1, 1) if options.quick else (options.rounds, options.seconds)
    report = measure(Plan(_chosen(options.only), rounds, seconds, options.before), options.remark)
    print(markdown(report))
    if not (options.quick or options.only):
        write(REPOSITORY, report)
    return 1 if any(result.failed_rounds for result in report.results) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make bench", description="Measure this service beside others.")
    parser.add_argument("--quick", action="store_true", help="a round of a second each, in three minutes; only prints")
    parser.add_argument("--rounds", type=int, default=Plan.rounds)
    parser.add_argument("--seconds", type=int, default=Plan.seconds, help="length of a round")
    parser.add_argument("--only", type=re.compile, help="a pattern for what is measured: '15: create$'; only prints")
    parser.add_argument("--before", type=Path, help="another checkout of this service, to compare with")
    parser.add_argument("--remark", default="", help="what disturbed the run, for the report")
    return parser


def _chosen(pattern: re.Pattern[str] | None) -> tuple[Setting, ...]:
    if pattern is None:
        return SETTINGS
    chosen = {each: [one for one in each.workloads if pattern.search(f"{each.name}: {one.name}")] for each in SETTINGS}
    return tuple(replace(setting, workloads=tuple(found)) for setting, found in chosen.items() if found)


def measure(plan: Plan, remark: str = "") -> Report:
    """Measure what is planned, and describe with what."""
    return Report(
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        machine=machine.describe(),
        versions=machine.versions(),
        rounds=f"{plan.rounds} of {plan.seconds} s",
        workloads={each.name: each.description for setting in plan.settings for each in setting.workloads},
        results=tuple(run(plan)),
        remark=remark,
    )


def write(root: Path, report: Report) -> None:
    """Store a report."""
    (root / NUMBERS).write_text(dump(report), encoding="utf-8")
    (root / REPORT).write_text(markdown(report), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
