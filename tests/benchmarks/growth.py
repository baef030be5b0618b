"""Behaviour at scale: call times as a table grows, memory of a worker, and get while others fetch long listings."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks import growth_data, load, running, workloads
from tests.benchmarks.growth_calls import CALLS, calls_at, time_in_turn
from tests.fixtures.postgres.database import scratch_database

REQUESTS = 200_000
_MIX_CONNECTIONS = 16
_SLICE_SECONDS = 10
_MAX_SECONDS = 150  # for these requests: a slow machine sends fewer, and reports how many
_LIST_CONNECTIONS = 4
_BESIDE_SECONDS = 10
_MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Sizes:
    """How far to go: table sizes, rounds of calls at each, and requests while memory is measured."""

    rows: tuple[int, ...] = (10_000, 1_000_000, 10_000_000)
    rounds: int = 300
    requests: int = REQUESTS
    seconds: int = _BESIDE_SECONDS


QUICK = Sizes(rows=(10_000, 100_000), rounds=100, requests=2_000, seconds=2)


@dataclass(frozen=True, slots=True)
class Step:
    """Median milliseconds of a call, for a user with this many tasks in a table with this many rows."""

    call: str
    tasks: int
    rows: int
    milliseconds: float


@dataclass(frozen=True, slots=True)
class Memory:
    """Megabytes of a worker after this many requests."""

    requests: int
    megabytes: float


@dataclass(frozen=True, slots=True)
class Growth:
    """All measurements."""

    steps: tuple[Step, ...]
    memory: tuple[Memory, ...]
    get_alone: load.Measured
    get_beside_lists: load.Measured
    lists: load.Measured

    def smallest(self, call: str) -> Step:
        """Return the step of a call with the fewest tasks and rows."""
        return min((step for step in self.steps if step.call == call), key=lambda step: (step.rows, step.tasks))

    def ratio(self, step: Step) -> float:
        """Return the time relative to the step with the fewest tasks and rows."""
        return step.milliseconds / self.smallest(step.call).milliseconds

    def worst_ratio(self, call: str) -> float:
        """Return the largest ratio of a call."""
        return max(self.ratio(step) for step in self.steps if step.call == call)

    def lines(self) -> list[str]:
        """Format the results as Markdown."""
        return [*self._table(), "", *self._memory(), "", *self._beside()]

    def _table(self) -> list[str]:
        columns = sorted({(step.rows, step.tasks) for step in self.steps})
        head = [f"{tasks:,} of {rows:,}" for rows, tasks in columns]
        found = {(step.call, step.rows, step.tasks): step for step in self.steps}
        lines = [
            "Milliseconds at the service on one connection, median; in brackets times the smallest:",
            "",
            f"| tasks of the user, of rows in the table | {' | '.join(head)} |",
            f"|---|{'---|' * len(head)}",
        ]
        for call in CALLS:
            steps = [found.get((call, rows, tasks)) for rows, tasks in columns]
            cells = [f"{step.milliseconds:.2f} ({self.ratio(step):.2f})" if step else "" for step in steps]
            lines.append(f"| {call} | {' | '.join(cells)} |")
        return lines

    def _memory(self) -> list[str]:
        after = ", ".join(f"{each.megabytes:.1f} MB after {each.requests:,}" for each in self.memory)
        return [f"Memory of a worker, by requests of the mix from {_MIX_CONNECTIONS} connections: {after}."]

    def _beside(self) -> list[str]:
        alone, beside = self.get_alone, self.get_beside_lists
        lists = f"{_LIST_CONNECTIONS} connections that fetch lists of 1000 without a pause"
        speed = self.lists.requests / self.lists.seconds
        text = (
            f"Get on one connection of one worker: 50th percentile {alone.p50_ms:.2f} ms, 99th {alone.p99_ms:.2f} ms; "
            f"beside {lists} ({speed:.0f} per second): {beside.p50_ms:.2f} ms, {beside.p99_ms:.2f} ms."
        )
        return [text]


def measure(url: str, place: Path, sizes: Sizes) -> Growth:
    """Measure, with services that run in this folder: in 8 minutes at the most, or `QUICK` in 40 seconds.

    The URL's database contains `data`; growing tables are in other databases on the same server.
    """
    with running.service(url, place) as service:
        memory = _memory_of(service, sizes)
        alone, beside, lists = _beside_lists(service.address, sizes.seconds)
    with ExitStack() as databases:
        addresses = {rows: databases.enter_context(_grown(url, place, rows)) for rows in sizes.rows}
        steps = _steps(addresses, sizes.rounds)
    return Growth(steps, memory, alone, beside, lists)


@contextmanager
def _grown(url: str, place: Path, rows: int) -> Iterator[str]:
    """Serve a database with this many rows until the block ends; yields the address."""
    with scratch_database(url) as grown:
        growth_data.fill(grown, rows)
        with running.service(grown, place, MAX_TASKS_PER_USER="1000000") as service:
            yield service.address


def _steps(addresses: dict[int, str], rounds: int) -> tuple[Step, ...]:
    """Time the same calls at all of these services in turn, so that other load on the machine affects all alike."""
    with ExitStack() as connections:
        clients = {
            (call, tasks, rows): client
            for rows, address in addresses.items()
            for (call, tasks), client in calls_at(address, growth_data.users_of(rows), connections).items()
        }
        seconds = time_in_turn(clients, rounds)
    return tuple(Step(*key, statistics.median(times) * 1000) for key, times in seconds.items())


def _memory_of(service: running.Running, sizes: Sizes) -> tuple[Memory, ...]:
    """Measure a worker's memory at the start, in the middle and at the end of its requests, once it is warm."""
    seconds = min(_SLICE_SECONDS, sizes.seconds)
    done = _mixed(service, seconds)
    memory = [Memory(done, service.memory() / _MEGABYTE)]
    first, end = done, time.monotonic() + _MAX_SECONDS
    while done < first + sizes.requests and time.monotonic() < end:
        done += _mixed(service, seconds)
        memory.append(Memory(done, service.memory() / _MEGABYTE))
    return (memory[0], memory[len(memory) // 2], memory[-1])


def _mixed(service: running.Running, seconds: int) -> int:
    measured = load.run(service.address, workloads.MIX, _MIX_CONNECTIONS, seconds)
    if measured.failures:
        raise RuntimeError(f"{measured.failures} requests have failed")
    return measured.requests


def _beside_lists(address: str, seconds: int) -> tuple[load.Measured, load.Measured, load.Measured]:
    """Get one task after the other: alone, and while clients fetch long listings; measure these, too."""
    load.run(address, workloads.GET, 1, 1)  # opens connections
    alone = load.run(address, workloads.GET, 1, seconds)
    with ThreadPoolExecutor(1) as others:
        lists = others.submit(load.run, address, workloads.LIST_1000, _LIST_CONNECTIONS, seconds + 2)
        time.sleep(1)  # the clients have started
        beside = load.run(address, workloads.GET, 1, seconds)
        return alone, beside, lists.result()
