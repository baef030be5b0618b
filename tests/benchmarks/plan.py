"""What a run measures, and the run itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from tests.benchmarks import machine, running, trends
from tests.benchmarks.results import CONTENDERS, MAIN_CONNECTIONS, MAIN_WORKERS, Report, Result
from tests.benchmarks.rounds import Setting, measure
from tests.benchmarks.workloads import ALL, Workload

_WORKERS, _CONNECTIONS = (1, 2), (1, 16, 100)
_SLOW_CONNECTIONS = 100  # with this many, some wait a second for their first response
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """Settings, the main one first, and what runs in them; and trends for this many requests, if any."""

    settings: tuple[Setting, ...] = ()
    workloads: Sequence[Workload] = ALL
    contenders: Sequence[str] = CONTENDERS
    trends: int | None = None
    fsync: bool = False
    share: float = 1  # of the available tasks


def quick_settings(rounds: int | None = None, seconds: int | None = None) -> tuple[Setting, ...]:
    """Return the setting of the targets, for a short time."""
    return (Setting(MAIN_WORKERS, MAIN_CONNECTIONS, rounds or 2, seconds or 1),)


def full_settings(rounds: int | None = None, seconds: int | None = None) -> tuple[Setting, ...]:
    """Return how each workload is run: mostly in the setting of the targets."""
    others = [
        Setting(workers, connections, rounds=2, seconds=1 if connections < _SLOW_CONNECTIONS else 2)
        for workers in _WORKERS
        for connections in _CONNECTIONS
        if (workers, connections) != (MAIN_WORKERS, MAIN_CONNECTIONS)
    ]
    return (Setting(MAIN_WORKERS, MAIN_CONNECTIONS, rounds or 5, seconds or 2), *others)


def run(plan: Plan, folder: Path, say: Say) -> Report:
    """Run a plan's measurements, with all their processes in this folder."""
    place = folder / "services"  # outside the database's folder: processes left in there are killed
    place.mkdir()
    with running.database(folder / "data", fsync=plan.fsync, share=plan.share) as url:
        report = Report(
            date=today(),
            machine=machine.describe_machine(),
            versions=machine.describe_versions(url),
            rounds=_rounds(plan.settings) if plan.settings else "none",
            workloads={workload.name: workload.description for workload in plan.workloads},
            results=tuple(_results(plan, url, say)),
        )
        if plan.trends:
            say("trends")
            counted = trends.measure(url, place, plan.trends)
            report = replace(report, trends=trends.Trends(report.date, report.versions, plan.trends, *counted))
    return report


def today() -> str:
    """Return the date (UTC)."""
    return f"{datetime.now(UTC):%Y-%m-%d}"


def _results(plan: Plan, url: str, say: Say) -> Iterator[Result]:
    for workload in plan.workloads:
        for workers in _WORKERS:
            fitting = [setting for setting in plan.settings if setting.workers == workers]
            if fitting:
                yield from measure(workload, fitting, plan.contenders, url, say)


def _rounds(settings: Sequence[Setting]) -> str:
    main, *others = settings
    rounds = f"{main.rounds} of {main.seconds} s"
    if others:
        rounds += f", with more workers or other numbers of connections {others[0].rounds} of 1 s or 2"
    return rounds
