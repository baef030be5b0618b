"""The numbers of a run, and how they are stored."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tests.benchmarks.trends import Trends

SERVICE, CONVENTIONAL, FLOOR, BARE = CONTENDERS = ("this service", "conventional", "floor", "bare")
MAIN_WORKERS, MAIN_CONNECTIONS = 1, 16  # the setting of the targets


@dataclass(frozen=True, slots=True)
class Result:
    """One contender with one workload in one setting: medians of the rounds in which every request succeeded."""

    workload: str
    workers: int
    connections: int
    contender: str
    rounds: int
    failed_rounds: int
    requests_per_second: float | None
    p50_ms: float | None
    p99_ms: float | None
    cpu_microseconds: float | None
    peak_megabytes: float | None


@dataclass(frozen=True, slots=True)
class Report:
    """A run: date (UTC), machine, content of the workloads, all results, and trends."""

    date: str
    machine: str
    versions: str
    rounds: str
    workloads: dict[str, str]
    results: tuple[Result, ...]
    trends: Trends | None = None


def dump(report: Report) -> str:
    """Write a report as JSON."""
    return json.dumps(asdict(report), indent=1, ensure_ascii=False) + "\n"


def read(text: str) -> Report:
    """Parse the output of dump()."""
    stored: dict[str, Any] = json.loads(text)
    results = tuple(Result(**result) for result in stored.pop("results"))
    trends = stored.pop("trends", None)
    return Report(**stored, results=results, trends=Trends(**trends) if trends else None)


def setting(results: Iterable[Result], workers: int, connections: int) -> dict[tuple[str, str], Result]:
    """Select the results of one setting, by workload and contender."""
    return {
        (result.workload, result.contender): result
        for result in results
        if (result.workers, result.connections) == (workers, connections)
    }


def main_setting(results: Iterable[Result]) -> dict[tuple[str, str], Result]:
    """Select the results in the setting of the targets."""
    return setting(results, MAIN_WORKERS, MAIN_CONNECTIONS)


def settings_of(results: Sequence[Result]) -> list[tuple[int, int]]:
    """List workers and connections of all results, the main setting first."""
    found = sorted({(result.workers, result.connections) for result in results})
    return sorted(found, key=lambda each: each != (MAIN_WORKERS, MAIN_CONNECTIONS))


def ratio(number: float | None, other: float | None) -> float | None:
    """Divide, or return None if a value is missing."""
    return number / other if number is not None and other else None
