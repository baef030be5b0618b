"""The targets of FR-193, as ratios within one run, with one worker and 16 connections."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.benchmarks.results import BARE, CONVENTIONAL, FLOOR, SERVICE, Result, main_setting, ratio

TIMES_CONVENTIONAL = {"get": 6.0, "list of 50": 8.0, "create": 5.5, "PUT": 5.5, "toggle": 5.5, "mix": 6.0}
SHARES_OF_FLOOR = {"get": 0.9, "list of 50": 0.75}
SHARE_OF_FLOOR = 0.6  # of every other call
TIMES_BARE = 1.5  # the CPU time of a get
GET = "get"


@dataclass(frozen=True, slots=True)
class Target:
    """A target and the measured ratio: None if it was not measured, which misses the target."""

    name: str
    bound: float
    measured: float | None
    is_upper: bool = False

    @property
    def is_met(self) -> bool:
        """Return whether the measured ratio is on the right side of the bound."""
        if self.measured is None:
            return False
        return self.measured <= self.bound if self.is_upper else self.measured >= self.bound


def judge(results: Sequence[Result]) -> list[Target]:
    """Compare the results with each target."""
    return list(_targets(results))


def _targets(results: Sequence[Result]) -> Iterator[Target]:
    found = main_setting(results)
    workloads = list(dict.fromkeys(result.workload for result in results))

    def compare(field: str, workload: str, other: str) -> float | None:
        values = [getattr(found.get((workload, contender)), field, None) for contender in (SERVICE, other)]
        return ratio(*values)

    for workload, times in TIMES_CONVENTIONAL.items():
        measured = compare("requests_per_second", workload, CONVENTIONAL)
        yield Target(f"{workload}: requests/s by those of {CONVENTIONAL}", times, measured)
    for workload in workloads:
        measured = compare("p99_ms", workload, CONVENTIONAL)
        yield Target(f"{workload}: p99 by that of {CONVENTIONAL}", 1.0, measured, is_upper=True)
    for workload in workloads:
        measured = compare("requests_per_second", workload, FLOOR)
        share = SHARES_OF_FLOOR.get(workload, SHARE_OF_FLOOR)
        yield Target(f"{workload}: requests/s by those of {FLOOR}", share, measured)
    measured = compare("cpu_microseconds", GET, BARE)
    yield Target(f"{GET}: CPU time by that of {BARE}", TIMES_BARE, measured, is_upper=True)
