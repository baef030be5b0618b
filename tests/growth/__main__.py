"""`make growth`: the workers of two hosts serve a thousand users, and a million in tables of 64 partitions.

It loads 20 million tasks, which takes half an hour and 35 GB; later runs use them again. Then it measures for six
minutes, and stores the numbers.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from tests.benchmarks import data, load
from tests.benchmarks.workloads import ALWAYS_NEW, LIST_LIMIT, Request, Workload
from tests.fixtures.identity.tokens import SECRET
from tests.fixtures.postgres.database import execute
from tests.fixtures.processes.process import Service, environment, served
from tests.growth import database, page
from tests.growth.database import TASKS, Population

HOSTS = 2
CONNECTIONS = 8  # of each host's clients
SECONDS, MIX_SECONDS, WARM_UP_SECONDS = 6, 15, 2
REQUESTS = 40_000  # each of another user, as far as there are so many
POPULATIONS = (
    Population("plain", 1000, 0),
    Population("64", 1000, 64),
    Population("million", 1_000_000, 64),
    Population("generic", 1_000_000, 64, "force_generic_plan"),
)
_NEW = json.dumps({"title": data.TITLE, "description": data.DESCRIPTION})
_EDIT = json.dumps({"title": f"{data.TITLE} {ALWAYS_NEW}"})
_READ = "SELECT blks_read, pg_database_size(datname) FROM pg_stat_database WHERE datname = current_database()"


@dataclass(frozen=True, slots=True)
class Measured:
    """What hosts answered together, with the CPU time and the blocks that Postgres had not in memory, per request."""

    population: str
    workload: str
    requests: int
    requests_per_second: float
    p50_ms: float
    p99_ms: float
    server_cpu_us: float
    postgres_cpu_us: float
    blocks_read: float


def workload(name: str, users: int, seed: int) -> Workload:
    """Return requests of users in no order; no user is named twice before all are."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    kinds = [kind for kind, share in page.SHARES.items() for _ in range(share) if name in {"mix", kind}]
    owners: list[int] = []
    while len(owners) < REQUESTS:
        owners += chance.sample(range(1, users + 1), min(users, REQUESTS))
    requests = tuple(_request(chance.choice(kinds), owner, chance) for owner in owners[:REQUESTS])
    return Workload(name, name, requests)


def _request(kind: str, owner: int, chance: random.Random) -> Request:
    one = f"/api/tasks/{data.task(owner, chance.randint(1, TASKS))}"
    method, path, body = {
        "get": ("GET", one, None),
        f"list of {LIST_LIMIT}": ("GET", f"/api/tasks?limit={LIST_LIMIT}", None),
        "PUT": ("PUT", one, _EDIT),
        "create": ("POST", "/api/tasks", _NEW),
    }[kind]
    return Request(method, path, f"user-{owner}", body)


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process and all below it, those that have ended included."""
    process = psutil.Process(pid)
    root, *others = (each.cpu_times() for each in (process, *process.children(recursive=True)))
    return float(sum(each.user + each.system for each in (root, *others)) + root.children_user + root.children_system)


def postmaster(folder: Path) -> int:
    """Return the number of the Postgres that runs in a folder."""
    return int((folder / "postgres" / "postmaster.pid").read_text().split()[0])


@dataclass(frozen=True, slots=True)
class Hosts:
    """Two services that share a database."""

    population: Population
    url: str
    services: tuple[Service, ...]

    def send(self, name: str, seconds: int) -> list[load.Measured]:
        """Send a workload to both at once."""
        addresses = [host.address for host in self.services]
        lists = [workload(name, self.population.users, seed) for seed in range(HOSTS)]
        with ThreadPoolExecutor(HOSTS) as threads:
            return list(threads.map(load.run, addresses, lists, repeat(CONNECTIONS), repeat(seconds)))

    def spent(self, postgres: int) -> tuple[float, float, int]:
        """Return the CPU seconds of Postgres and of both so far, and the blocks that were not in Postgres' memory."""
        time.sleep(1)  # Postgres tells what it has read after a while
        ours = sum(cpu_seconds(host.process.pid) for host in self.services)
        return cpu_seconds(postgres), ours, execute(self.url, _READ)[0][0]

    def measure(self, name: str, postgres: int) -> Measured:
        """Measure a workload."""
        self.send(name, WARM_UP_SECONDS)
        before = self.spent(postgres)
        done = self.send(name, MIX_SECONDS if name == "mix" else SECONDS)
        postgres_cpu, server_cpu, blocks = (now - then for now, then in zip(self.spent(postgres), before, strict=True))
        assert not any(each.failures for each in done), (self.population, name, done)
        count = sum(each.requests for each in done)
        return Measured(
            self.population.name,
            name,
            count,
            round(sum(each.requests / each.seconds for each in done), 1),
            round(max(each.p50_ms for each in done), 2),
            round(max(each.p99_ms for each in done), 2),
            round(server_cpu / count * 1e6),
            round(postgres_cpu / count * 1e6),
            round(blocks / count, 2),
        )


def measure(server: str, postgres: int, populations: Sequence[Population]) -> list[Measured]:
    """Measure each workload with all populations in turn, so that a slow minute of the machine affects all."""
    with ExitStack() as stack:
        hosts = [stack.enter_context(serving(server, population)) for population in populations]
        return [each.measure(name, postgres) for name in page.CALLS for each in hosts]


@contextmanager
def serving(server: str, population: Population) -> Iterator[Hosts]:
    """Serve a population from two hosts until the block ends."""
    url = database.url_of(server, population)
    with ExitStack() as stack:
        services = []
        for _ in range(HOSTS):
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="task-api-growth-")))
            settings = {"ENVIRONMENT": "production", "DATABASE_URL": url, "JWT_SECRET": SECRET}
            env = environment(folder / "data", **settings, RATE_LIMIT="999999999/minute")
            services.append(stack.enter_context(served(env=env, cwd=folder)))
        yield Hosts(population, url, tuple(services))


def main() -> int:
    """Load what is missing, measure, and store the numbers; or only draw the page from the stored ones."""
    parser = argparse.ArgumentParser(prog="make growth", description="Measure a thousand users beside a million.")
    parser.add_argument("--folder", type=Path, default=Path(".data/growth"), help="where the databases are kept")
    parser.add_argument("--load", action="store_true", help="only load what is missing")
    parser.add_argument("--page", action="store_true", help="only write the tables and the picture of docs/growing.md")
    parser.add_argument("--remark", default="", help="what disturbed the run, for the page")
    options = parser.parse_args()
    if not options.page:
        database.fill(options.folder, POPULATIONS, _say)
    if not (options.page or options.load):
        with database.running(options.folder, database.SERVING) as server:
            page.store(measure(server, postmaster(options.folder), POPULATIONS), _sizes(server), options.remark)
    if not options.load:
        page.write()
    return 0


def _sizes(server: str) -> dict[str, float]:
    """Return the size of each database in GB."""
    sizes = {each.name: execute(database.url_of(server, each), _READ)[0][1] for each in POPULATIONS}
    return {name: round(size / 1e9, 2) for name, size in sizes.items()}


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
