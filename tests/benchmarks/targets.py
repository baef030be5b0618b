"""What is aimed at, as ratios within one run: never asserted, because machines are noisy."""

from __future__ import annotations

from dataclasses import dataclass

from tests.benchmarks.results import Report
from tests.benchmarks.workloads import BEFORE, CALLS, CONVENTIONAL, FASTIFY, SERVICE

# By that of whom, and at least or at most how much for get, list of 50, create and PUT.
AIMS = (
    ("requests_per_second", CONVENTIONAL, "≥", (5.5, 5.5, 4.5, 4.5)),
    ("postgres_cpu_us", CONVENTIONAL, "≤", (0.25, 0.55, 0.55, 0.5)),
    ("whole_cpu_us", FASTIFY, "≤", (3.0, 2.5, 4.5, 4.5)),
)
# Through a pooler nothing may be slower than before; but two runs of the same code differ by as much.
POOLED_AIM = ("whole_cpu_us", BEFORE, "≤", (1.05,) * 4)
JUDGED = ("Postgres 15", "Postgres 18")  # settings of one worker on a direct connection
POOLED = "Postgres 15, PgBouncer"


@dataclass(frozen=True, slots=True)
class Target:
    """An aim, and the ratio that was measured: None, which is a miss, if it was not."""

    setting: str
    workload: str
    number: str
    other: str
    sign: str
    bound: float
    measured: float | None

    @property
    def is_met(self) -> bool:
        """Return whether the ratio is on the right side of the bound."""
        if self.measured is None:
            return False
        return self.measured >= self.bound if self.sign == "≥" else self.measured <= self.bound


def judge(report: Report) -> list[Target]:
    """Compare a run with each aim; with this service before only if it was measured."""
    pooled = [(POOLED, POOLED_AIM)] if any(each.contender == BEFORE for each in report.results) else []
    return [
        Target(
            setting, call.name, number, other, sign, bound, report.ratio(number, (setting, call.name), SERVICE, other)
        )
        for setting, (number, other, sign, bounds) in [*((each, aim) for each in JUDGED for aim in AIMS), *pooled]
        for call, bound in zip(CALLS, bounds, strict=True)
    ]
