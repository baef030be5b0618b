"""`make bench`: measure this service and others side by side, and store the results of a full run."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks import load
from tests.benchmarks.plan import Plan, full_settings, quick_settings, run
from tests.benchmarks.report import markdown
from tests.benchmarks.results import CONTENDERS, Report, dump, read
from tests.benchmarks.workloads import ALL

TREND_REQUESTS = 1000
ROOT = Path(__file__).parents[2]
NUMBERS = Path("tests", "benchmarks", "results.json")  # for the next run and for tests
REPORT = Path("specs", "005-speed", "results.md")  # for people


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the requested measurements; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        load.wrk()
    except FileNotFoundError as error:
        _say(str(error))
        return 1
    with TemporaryDirectory(prefix="task-api-bench-") as folder:
        report = run(_plan(options), Path(folder), _say)
    if options.trends and report.trends:
        sys.stdout.write("\n".join(report.trends.lines()) + "\n")
        last = read((ROOT / NUMBERS).read_text(encoding="utf-8"))
        report = replace(last, trends=report.trends)
    else:
        sys.stdout.write(markdown(report))
    if _is_all(options) and (options.write or not (options.quick or options.trends)):
        write(ROOT, report)
    return 1 if any(result.failed_rounds for result in report.results) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make bench", description="Measure this service beside others.")
    parser.add_argument(
        "--quick", action="store_true", help="one worker and 16 connections only, in two minutes; only prints"
    )
    parser.add_argument("--rounds", type=int, help="rounds with one worker and 16 connections")
    parser.add_argument("--seconds", type=int, help="length of these rounds")
    parser.add_argument("--only", type=_names([each.name for each in ALL]), help="workloads, like get,create")
    parser.add_argument("--contenders", type=_names(CONTENDERS), help="contenders, like 'this service,floor'")
    parser.add_argument(
        "--trends", action="store_true", help="the trends of the inside alone, beside the last results; only prints"
    )
    parser.add_argument("--write", action="store_true", help="write the results of a quick run, or trends, too")
    parser.add_argument("--fsync", action="store_true", help="let Postgres wait for the disk")
    return parser


def _names(known: Sequence[str]) -> Callable[[str], list[str]]:
    """Return a parser for a comma-separated list of these names."""

    def names(text: str) -> list[str]:
        found = text.split(",")
        if not set(found) <= set(known):
            raise argparse.ArgumentTypeError(f"choose of: {','.join(known)}")
        return found

    return names


def _is_all(options: argparse.Namespace) -> bool:
    """Return whether no part is left out, which is required to store a report."""
    return not (options.only or options.contenders or options.fsync)


def _plan(options: argparse.Namespace) -> Plan:
    if options.trends:
        return Plan(workloads=(), trends=TREND_REQUESTS)
    is_all, settings = _is_all(options), quick_settings if options.quick else full_settings
    return Plan(
        settings=settings(options.rounds, options.seconds),
        workloads=[workload for workload in ALL if not options.only or workload.name in options.only],
        contenders=options.contenders or CONTENDERS,
        trends=TREND_REQUESTS if is_all else None,
        fsync=options.fsync,
    )


def write(root: Path, report: Report) -> None:
    """Store a report."""
    (root / NUMBERS).write_text(dump(report), encoding="utf-8")
    (root / REPORT).write_text(markdown(report), encoding="utf-8")


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
