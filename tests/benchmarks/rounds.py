"""A run: in each setting, the contenders send their rounds in turn, then in reverse order; medians of all."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from tests.benchmarks import data, load, running
from tests.benchmarks.load import Measured
from tests.benchmarks.results import Result
from tests.benchmarks.workloads import BEFORE, CONNECTIONS, SETTINGS, Setting, Workload
from tests.fixtures.processes.process import Service
from tests.fixtures.processes.servers import Server

_WARM_UP_SECONDS = 1


@dataclass(frozen=True)
class Plan:
    """What is measured, and for how long; `before` is another checkout of this service."""

    settings: Sequence[Setting] = SETTINGS
    rounds: int = 5
    seconds: int = 2
    before: Path | None = None


@dataclass(frozen=True, slots=True)
class Round:
    """The result of one contender in one round, with the CPU time of its processes and of Postgres for each request."""

    measured: Measured
    server_cpu_us: float = 0
    postgres_cpu_us: float = 0


def run(plan: Plan) -> Iterator[Result]:
    """Measure what is planned, one Postgres after the other."""
    for version in dict.fromkeys(setting.postgres for setting in plan.settings):
        with running.postgres(version) as server:
            for setting in plan.settings:
                if setting.postgres == version:
                    yield from _measure(plan, setting, server)


def _measure(plan: Plan, setting: Setting, server: Server) -> Iterator[Result]:
    with ExitStack() as stack:
        url = stack.enter_context(running.reached(server, setting))
        started: dict[str, Service] = {}
        compared = [BEFORE] if plan.before and setting.workers == 1 else []
        for name in (*setting.contenders, *compared):
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="task-api-bench-")))
            contender = running.contender(name, url, folder, setting.workers, plan.before)
            started[name] = stack.enter_context(contender)
        for workload in setting.workloads:
            print(f"{setting.name}: {workload.name}", file=sys.stderr)
            measure = partial(_round, started, server, workload)
            for name in started:
                measure(name, _WARM_UP_SECONDS)
            done = alternate(list(started), plan.rounds, partial(measure, seconds=plan.seconds))
            yield from (summary(setting.name, workload.name, name, rounds) for name, rounds in done.items())


def _round(started: Mapping[str, Service], server: Server, workload: Workload, name: str, seconds: int) -> Round:
    contender, pids = started[name], (started[name].process.pid, server.pid)
    before = [running.cpu_seconds(pid) for pid in pids]
    measured = load.run(contender.address, workload, CONNECTIONS, seconds)
    running.wait_until_idle(contender.process.pid)
    taken = [running.cpu_seconds(pid) - then for pid, then in zip(pids, before, strict=True)]
    if workload.writes:
        data.restore(server.url(sslmode="disable"))
    # The last request on each connection finishes after the time is over, but has cost as much as the others.
    return Round(measured, *(each / (measured.requests + CONNECTIONS) * 1e6 for each in taken))


def alternate(names: Sequence[str], rounds: int, run: Callable[[str], Round]) -> dict[str, list[Round]]:
    """Run each in turn, and in the next round in reverse order."""
    done: dict[str, list[Round]] = {name: [] for name in names}
    for number in range(rounds):
        for name in names[:: -1 if number % 2 else 1]:
            done[name].append(run(name))
    return done


def summary(setting: str, workload: str, contender: str, rounds: Sequence[Round]) -> Result:
    """Take the medians of the rounds without failures."""
    good = [each for each in rounds if not each.measured.failures and each.measured.requests]

    def median_of(number: Callable[[Round], float], digits: int) -> float | None:
        return round(median(map(number, good)), digits) if good else None

    return Result(
        setting,
        workload,
        contender,
        rounds=len(good),
        failed_rounds=len(rounds) - len(good),
        requests_per_second=median_of(lambda each: each.measured.requests / each.measured.seconds, 1),
        p50_ms=median_of(lambda each: each.measured.p50_ms, 2),
        p99_ms=median_of(lambda each: each.measured.p99_ms, 2),
        server_cpu_us=median_of(lambda each: each.server_cpu_us, 0),
        postgres_cpu_us=median_of(lambda each: each.postgres_cpu_us, 0),
        whole_cpu_us=median_of(lambda each: each.server_cpu_us + each.postgres_cpu_us, 0),
    )
