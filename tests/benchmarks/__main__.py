"""`make bench`: measure this service beside others, and write down what came of a full run."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks import growth, limit, load, machine, running
from tests.benchmarks.report import markdown, with_summary
from tests.benchmarks.results import CONTENDERS, MAIN_CONNECTIONS, MAIN_WORKERS, Report, Result, dump
from tests.benchmarks.rounds import Setting, measure
from tests.benchmarks.workloads import ALL, Workload

ROOT = Path(__file__).parents[2]
WORKERS, CONNECTIONS = (1, 2), (1, 16, 100)
SLOW_CONNECTIONS = 100  # of so many, some wait a second for their first answer


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what was asked for; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        load.wrk()
        limit.pgbench()
    except FileNotFoundError as error:
        _say(str(error))
        return 1
    is_all = not (options.only or options.contenders or options.fsync)
    with TemporaryDirectory(prefix="task-api-bench-") as folder:
        report = _measured(options, Path(folder) / "data")
        if is_all:
            _say("growth")
            (Path(folder) / "growth").mkdir()
            grown = growth.measure(Path(folder) / "growth", quick=options.quick)
            report = replace(report, growth=tuple(grown.lines()))
    sys.stdout.write(markdown(report))
    if is_all and (options.write or not options.quick):
        write(ROOT, report)
    return 1 if any(result.failed_rounds for result in report.results) else 0


def _measured(options: argparse.Namespace, folder: Path) -> Report:
    with running.database(folder, fsync=options.fsync) as url:
        found = tuple(_results(options, url))
        return _report(options, url, found)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make bench", description="Measure this service beside others.")
    parser.add_argument(
        "--quick", action="store_true", help="one worker and 16 connections only, in two minutes; only prints"
    )
    parser.add_argument("--rounds", type=int, help="rounds with one worker and 16 connections")
    parser.add_argument("--seconds", type=int, help="length of these rounds")
    parser.add_argument("--only", type=_names([each.name for each in ALL]), help="workloads, like get,create")
    parser.add_argument("--contenders", type=_names(CONTENDERS), help="contenders, like 'this service,floor'")
    parser.add_argument("--write", action="store_true", help="write the results of a quick run, too")
    parser.add_argument("--fsync", action="store_true", help="let Postgres wait for the disk")
    return parser


def _names(known: Sequence[str]) -> Callable[[str], list[str]]:
    """Make what reads a list of names with commas between them."""

    def names(text: str) -> list[str]:
        found = text.split(",")
        if not set(found) <= set(known):
            raise argparse.ArgumentTypeError(f"choose of: {','.join(known)}")
        return found

    return names


def _settings(options: argparse.Namespace) -> Iterator[Setting]:
    """List how each workload is run: most where the targets are."""
    rounds, seconds = (2, 1) if options.quick else (5, 2)
    yield Setting(MAIN_WORKERS, MAIN_CONNECTIONS, options.rounds or rounds, options.seconds or seconds)
    if options.quick:
        return
    for workers in WORKERS:
        for connections in CONNECTIONS:
            if (workers, connections) != (MAIN_WORKERS, MAIN_CONNECTIONS):
                yield Setting(workers, connections, rounds=2, seconds=1 if connections < SLOW_CONNECTIONS else 2)


def _results(options: argparse.Namespace, url: str) -> Iterator[Result]:
    settings = list(_settings(options))
    for workload in _chosen(options):
        for workers in WORKERS:
            fitting = [setting for setting in settings if setting.workers == workers]
            if fitting:
                yield from measure(workload, fitting, options.contenders or CONTENDERS, url, _say)


def _chosen(options: argparse.Namespace) -> list[Workload]:
    return [workload for workload in ALL if not options.only or workload.name in options.only]


def _report(options: argparse.Namespace, url: str, found: tuple[Result, ...]) -> Report:
    main, *others = _settings(options)
    rounds = f"{main.rounds} of {main.seconds} s"
    if others:
        rounds += f", with more workers or other numbers of connections {others[0].rounds} of 1 s or 2"
    return Report(
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        machine=machine.describe_machine(),
        versions=machine.describe_versions(url),
        rounds=rounds,
        workloads={workload.name: workload.description for workload in _chosen(options)},
        results=found,
    )


def write(root: Path, report: Report) -> None:
    """Store a report, and put its few lines into the README."""
    folder = root / "specs" / "005-speed"
    (folder / "results.json").write_text(dump(report), encoding="utf-8")
    (folder / "results.md").write_text(markdown(report), encoding="utf-8")
    readme = root / "README.md"
    readme.write_text(with_summary(readme.read_text(encoding="utf-8"), report), encoding="utf-8")


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
