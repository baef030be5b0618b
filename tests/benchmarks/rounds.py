"""Alternating rounds: each contender in turn, then in reverse order, and the medians of all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from tests.benchmarks import data, load, running
from tests.benchmarks.load import Measured
from tests.benchmarks.results import BARE, SERVICE, Result
from tests.benchmarks.workloads import GET, Workload

_WARM_UP = (16, 1)  # connections, seconds


@dataclass(frozen=True, slots=True)
class Setting:
    """How a workload is run."""

    workers: int
    connections: int
    rounds: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Round:
    """The result of one contender in one round."""

    measured: Measured
    cpu_seconds: float = 0
    peak_memory: int = 0


Contender = Callable[[Workload, int, int], Round]


@contextmanager
def contenders(names: Sequence[str], workload: Workload, url: str, workers: int) -> Iterator[dict[str, Contender]]:
    """Start the contenders for this workload, each in its own folder, and warm them up."""
    with ExitStack() as stack:
        started: dict[str, Contender] = {}
        for name in names:
            if name == BARE and workload is not GET:
                continue
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="task-api-bench-")))
            start = running.service if name == SERVICE else _start(name)
            started[name] = _over_http(stack.enter_context(start(url, folder, workers)))
        for contender in started.values():
            contender(workload, *_WARM_UP)
        yield started


def _start(name: str) -> Callable[..., Any]:
    return lambda url, folder, workers: running.contender(name, url, folder, workers)


def _over_http(server: running.Running) -> Contender:
    def measure(workload: Workload, connections: int, seconds: int) -> Round:
        before = server.cpu_seconds()
        measured = load.run(server.address, workload, connections, seconds)
        server.sync()
        return Round(measured, server.cpu_seconds() - before, server.peak_memory())

    return measure


def measure(
    workload: Workload, settings: Sequence[Setting], names: Sequence[str], url: str, say: Callable[[str], None]
) -> Iterator[Result]:
    """Run a workload in these settings, which have the same number of workers."""
    (workers,) = {setting.workers for setting in settings}
    with contenders(names, workload, url, workers) as started:
        if workload.writes:
            data.restore(url)
        for setting in settings:
            say(f"{workload.name}: {workers} worker(s), {setting.connections} connection(s)")
            done = alternate(started, setting.rounds, partial(_round, workload=workload, setting=setting, url=url))
            yield from (summary(name, workload.name, setting, rounds) for name, rounds in done.items())


def _round(contender: Contender, workload: Workload, setting: Setting, url: str) -> Round:
    done = contender(workload, setting.connections, setting.seconds)
    if workload.writes:
        data.restore(url)
    return done


def alternate(
    started: Mapping[str, Contender], rounds: int, run: Callable[[Contender], Round]
) -> dict[str, list[Round]]:
    """Run each in turn, and in the next round in reverse order."""
    done: dict[str, list[Round]] = {name: [] for name in started}
    for number in range(rounds):
        for name in list(started)[:: -1 if number % 2 else 1]:
            done[name].append(run(started[name]))
    return done


def summary(contender: str, workload: str, setting: Setting, rounds: Sequence[Round]) -> Result:
    """Take the medians of the rounds without failures."""
    good = [each for each in rounds if not each.measured.failures and each.measured.requests]
    # The last request on each connection finishes after the time is over, but has cost as much as the others.
    costs = [each.cpu_seconds / (each.measured.requests + setting.connections) for each in good]
    return Result(
        workload=workload,
        workers=setting.workers,
        connections=setting.connections,
        contender=contender,
        rounds=len(good),
        failed_rounds=len(rounds) - len(good),
        requests_per_second=_median([each.measured.requests / each.measured.seconds for each in good], 1),
        p50_ms=_median([each.measured.p50_ms for each in good], 2),
        p99_ms=_median([each.measured.p99_ms for each in good], 2),
        cpu_microseconds=_median([cost * 1e6 for cost in costs], 0),
        peak_megabytes=_median([each.peak_memory / 1e6 for each in good], 0),
    )


def _median(values: Sequence[float], digits: int) -> float | None:
    return round(median(values), digits) if values else None
