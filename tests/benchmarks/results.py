"""The numbers of a run, and how they are stored: `specs/005-speed/plan.md` describes the file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Result:
    """One contender with one workload in one setting: medians of the rounds in which every request succeeded.

    CPU time is per request: of the contender's processes, of Postgres, and of both.
    """

    setting: str
    workload: str
    contender: str
    rounds: int
    failed_rounds: int
    requests_per_second: float | None
    p50_ms: float | None
    p99_ms: float | None
    server_cpu_us: float | None
    postgres_cpu_us: float | None
    whole_cpu_us: float | None


@dataclass(frozen=True, slots=True)
class Report:
    """A run: date (UTC), machine, what the workloads are, all results, and what disturbed it."""

    date: str
    machine: str
    versions: str
    rounds: str
    workloads: dict[str, str]
    results: tuple[Result, ...]
    remark: str = ""

    def ratio(self, number: str, where: tuple[str, str], one: str, other: str) -> float | None:
        """Divide a number of one contender by that of another, in a setting with a workload; None if one is missing."""
        found = {
            each.contender: getattr(each, number) for each in self.results if (each.setting, each.workload) == where
        }
        return found[one] / found[other] if found.get(one) is not None and found.get(other) else None


def dump(report: Report) -> str:
    """Write a report as JSON."""
    return json.dumps(asdict(report), indent=1, ensure_ascii=False) + "\n"


def read(text: str) -> Report:
    """Parse the output of dump()."""
    stored: dict[str, Any] = json.loads(text)
    return Report(**{**stored, "results": tuple(Result(**result) for result in stored["results"])})
