"""What is measured: the requests that clients send, and the settings in which the contenders answer them."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import Literal

from tests.benchmarks import data

# Replaced by a different text in each request, so that a change always changes something.
ALWAYS_NEW = "-" * 12
LIST_LIMIT = 50
CONNECTIONS = 16  # of the load generator

SERVICE, CONVENTIONAL, FASTIFY = CONTENDERS = ("this service", "usual FastAPI", "Fastify")
BEFORE = "before"  # this service, from another checkout


@dataclass(frozen=True, slots=True)
class Request:
    """One request of one user."""

    method: str
    path: str
    user_id: str
    body: str | None = None


@dataclass(frozen=True, slots=True)
class Workload:
    """Requests that are repeated; `writes` if they change data."""

    name: str
    description: str
    requests: tuple[Request, ...]
    writes: bool = False


@dataclass(frozen=True, slots=True)
class Setting:
    """How contenders reach Postgres, and with how many processes they serve which workloads."""

    name: str
    postgres: Literal[15, 18]
    workloads: tuple[Workload, ...]
    way: Literal["direct", "TLS", "PgBouncer"] = "direct"
    workers: int = 1
    contenders: tuple[str, ...] = CONTENDERS


def _by_id(method: str, body: str | None = None) -> tuple[Request, ...]:
    return tuple(
        Request(method, f"/api/tasks/{data.task(owner, number)}", data.user(owner), body)
        for number in range(1, 6)  # requests that follow one another are of different users
        for owner in range(1, data.USERS + 1)
    )


def _of_each(method: str, path: str, body: str | None = None) -> tuple[Request, ...]:
    return tuple(Request(method, path, data.user(owner), body) for owner in range(1, data.USERS + 1))


def _mixed(*shares: tuple[int, tuple[Request, ...]]) -> tuple[Request, ...]:
    """Take this many requests in a hundred of each kind, always in the same order."""
    chance = random.Random(1)  # noqa: S311 - no secret
    requests = [request for share, kind in shares for request in chance.sample(kind, share * data.USERS // 100)]
    chance.shuffle(requests)
    return tuple(requests)


_GET = _by_id("GET")
_LIST = _of_each("GET", f"/api/tasks?limit={LIST_LIMIT}")
_CREATE = _of_each("POST", "/api/tasks", json.dumps({"title": data.TITLE, "description": data.DESCRIPTION}))
_PUT = _by_id("PUT", json.dumps({"title": f"{data.TITLE} {ALWAYS_NEW}"}))
_EACH = f"{data.USERS} users in turn, {data.TASKS} tasks each"

GET = Workload("get", f"GET of one task: {_EACH}", _GET)
LIST = Workload(f"list of {LIST_LIMIT}", f"GET of a page of {LIST_LIMIT}: {_EACH}", _LIST)
CREATE = Workload("create", f"POST of title and description: {_EACH} at first", _CREATE, writes=True)
PUT = Workload("PUT", f"PUT of a title that is new each time: {_EACH}", _PUT, writes=True)
ONE_USER = Workload(
    "create, one user", "POST of one user alone: his writes wait for each other", _CREATE[:1], writes=True
)
_SHARES = ((60, _GET), (20, _LIST), (10, _PUT), (10, _CREATE))
MIX = Workload("mix", "of 100 requests 60 get, 20 list of 50, 10 PUT, 10 create", _mixed(*_SHARES), writes=True)
CALLS = (GET, LIST, CREATE, PUT)
ALL = (*CALLS, ONE_USER, MIX)

SETTINGS = (
    Setting("Postgres 15", 15, ALL),
    Setting("Postgres 15, TLS", 15, (GET,), way="TLS"),
    Setting("Postgres 15, PgBouncer", 15, CALLS, way="PgBouncer", contenders=(SERVICE,)),
    Setting("Postgres 18", 18, ALL),
    Setting("Postgres 18, 2 workers", 18, (GET, CREATE, MIX), workers=2),
)
