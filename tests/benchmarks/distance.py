"""What round trips are worth: calls at services whose database is 2 ms away, and next to it."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from backend.identity.jwt import issue_token
from tests.benchmarks import running
from tests.benchmarks.results import CONVENTIONAL, SERVICE
from tests.fixtures.calls.api import new_user
from tests.fixtures.identity.tokens import SECRET
from tests.fixtures.postgres.proxy import Proxy, counting_proxy
from tests.fixtures.running.waiting import PATIENCE_SECONDS

ROUND_TRIP_SECONDS = 0.002
BATCH = 100
_LONG_SHARE = 10  # of the rounds, one in so many for calls that do the work of many

Work = Callable[[httpx.Client], object]


@dataclass(frozen=True, slots=True)
class Sizes:
    """How far to go: rounds of calls, and rows of the one import."""

    rounds: int = 300
    rows: int = 1000


QUICK = Sizes(rounds=50)


@dataclass(frozen=True, slots=True)
class Timed:
    """Median milliseconds of a call at a contender, next to its database and away from it."""

    call: str
    contender: str
    near: float
    far: float


def measure(url: str, place: Path, sizes: Sizes) -> list[str]:
    """Measure with services that run in this folder; returns the results as Markdown."""
    times: list[Timed] = []
    with counting_proxy(url) as proxy:
        for name in (SERVICE, CONVENTIONAL):
            with _running(name, proxy.url, place) as address, _client(address) as client:
                times += _times(name, client, proxy, sizes)
    return _lines(times)


@contextmanager
def _running(name: str, url: str, place: Path) -> Iterator[str]:
    run = running.service(url, place) if name == SERVICE else running.contender(name, url, place)
    with run as contender:
        yield contender.address


def _client(address: str) -> httpx.Client:
    token = issue_token(SECRET, new_user(), ttl_seconds=86400)
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.Client(base_url=address, headers=headers, trust_env=False, timeout=PATIENCE_SECONDS)


def _times(name: str, client: httpx.Client, proxy: Proxy, sizes: Sizes) -> Iterator[Timed]:
    rounds, rows = sizes.rounds, sizes.rows
    task = _create(client).json()
    path = f"/api/tasks/{task.get('data', task)['id']}"
    calls: dict[str, tuple[Work, int]] = {
        "get": (lambda client: client.get(path), rounds),
        "list of 50": (lambda client: client.get("/api/tasks?limit=50"), rounds),
        "create": (_create, rounds),
        "PUT": (lambda client: client.put(path, json={"title": f"Buy {time.monotonic_ns()}"}), rounds),
        f"{BATCH} creates at once": (_batch if name == SERVICE else _each(BATCH), max(1, rounds // _LONG_SHARE)),
        f"{rows:,} rows at once": (_import(rows) if name == SERVICE else _each(rows), 1),
    }
    for call, (work, times) in calls.items():
        proxy.delay_seconds = 0
        near = _median(client, work, times)
        proxy.delay_seconds = ROUND_TRIP_SECONDS / 2  # in each direction
        yield Timed(call, name, near, _median(client, work, times))


def _median(client: httpx.Client, work: Work, times: int) -> float:
    found = []
    for _ in range(times):
        began = time.perf_counter()
        work(client)
        found.append(time.perf_counter() - began)
    return statistics.median(found) * 1000


def _create(client: httpx.Client) -> httpx.Response:
    return client.post("/api/tasks", json={"title": "Buy milk"}).raise_for_status()


def _each(number: int) -> Work:
    """Return the same work for a service without batches: one call after the other."""
    return lambda client: [_create(client) for _ in range(number)]


def _batch(client: httpx.Client) -> None:
    operations = [{"op": "create", "data": {"title": "Buy milk"}}] * BATCH
    client.post("/api/tasks/batch", json={"operations": operations}).raise_for_status()


def _import(number: int) -> Work:
    rows = '{"title": "Buy milk"}\n' * number
    headers = {"Content-Type": "application/jsonl"}
    return lambda client: client.post("/api/tasks/import", content=rows, headers=headers).raise_for_status()


def _lines(times: list[Timed]) -> list[str]:
    found = {(each.call, each.contender): each for each in times}
    calls = dict.fromkeys(each.call for each in times)
    head = (
        f"Milliseconds of a call on one connection, median, next to the database and {ROUND_TRIP_SECONDS * 1000:g} ms "
        f"away from it. *{CONVENTIONAL}* makes one call after the other where {SERVICE} makes one:"
    )
    lines = [
        head,
        "",
        f"| call | {SERVICE}, near | {SERVICE}, away | {CONVENTIONAL}, near | {CONVENTIONAL}, away |",
        "|---|--:|--:|--:|--:|",
    ]
    for call in calls:
        cells = [
            f"{value:,.1f}"
            for each in (found[call, SERVICE], found[call, CONVENTIONAL])
            for value in (each.near, each.far)
        ]
        lines.append(f"| {call} | {' | '.join(cells)} |")
    return lines
