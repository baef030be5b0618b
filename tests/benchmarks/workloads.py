"""The requests that clients send to the contenders. Each workload is a list of requests that is repeated."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass

from tests.benchmarks import data

# Replaced by a different text in each request, so that a change always changes something.
ALWAYS_NEW = "-" * 12
LIST_LIMIT = 50
_TASKS_OF_EACH = 5  # requested by id: tasks next to each other in time belong to different users
_NEW_TASK = json.dumps({"title": data.TITLE, "description": data.DESCRIPTION})
_EDIT = json.dumps({"title": f"{data.TITLE} {ALWAYS_NEW}"})


@dataclass(frozen=True, slots=True)
class Request:
    """One request of one user."""

    method: str
    path: str
    user_id: str
    body: str | None = None


@dataclass(frozen=True, slots=True)
class Workload:
    """Requests, with a description; `writes` if they change data."""

    name: str
    description: str
    requests: tuple[Request, ...]
    writes: bool = False


def _by_id(method: str, ending: str = "", body: str | None = None) -> tuple[Request, ...]:
    return tuple(
        Request(method, f"/api/tasks/{data.task(owner, number)}{ending}", data.user(owner), body)
        for number in range(1, _TASKS_OF_EACH + 1)
        for owner in range(1, data.USERS + 1)
    )


def _of_each(method: str, path: str, body: str | None = None) -> tuple[Request, ...]:
    return tuple(Request(method, path, data.user(owner), body) for owner in range(1, data.USERS + 1))


def _mixed(*shares: tuple[int, tuple[Request, ...]]) -> Iterator[Request]:
    """Take this many requests in a hundred of each kind, always in the same order."""
    chance = random.Random(0)  # noqa: S311 - no secret
    for share, requests in shares:
        yield from chance.sample(requests, share * data.USERS // 100)


def _shuffled(requests: Iterator[Request]) -> tuple[Request, ...]:
    listed = list(requests)
    random.Random(1).shuffle(listed)  # noqa: S311 - no secret
    return tuple(listed)


_GET = _by_id("GET")
_LIST = _of_each("GET", f"/api/tasks?limit={LIST_LIMIT}")
_LONG_LIST = tuple(Request("GET", "/api/tasks", data.long_user(owner)) for owner in range(1, data.LONG_USERS + 1))
_CREATE = _of_each("POST", "/api/tasks", _NEW_TASK)
_PUT = _by_id("PUT", body=_EDIT)
_TOGGLE = _by_id("PATCH", "/complete")
_MIX = _shuffled(_mixed((60, _GET), (20, _LIST), (10, _PUT), (5, _TOGGLE), (5, _CREATE)))

_EACH = f"{data.USERS} users in turn, {data.TASKS} tasks each"

GET = Workload("get", f"GET of one task: {_EACH}", _GET)
LIST_50 = Workload("list of 50", f"GET of a page of {LIST_LIMIT}: {_EACH}", _LIST)
LIST_1000 = Workload("list of 1000", f"GET of all: {data.LONG_USERS} users in turn, 1000 tasks each", _LONG_LIST)
CREATE = Workload("create", f"POST of title and description: {_EACH} at first", _CREATE, writes=True)
PUT = Workload("PUT", f"PUT of a title that is new each time: {_EACH}", _PUT, writes=True)
TOGGLE = Workload("toggle", f"PATCH of complete without a body: {_EACH}", _TOGGLE, writes=True)
MIX = Workload(
    "mix", f"of 100 requests 60 get, 20 list of 50, 10 PUT, 5 toggle, 5 create: {_EACH} at first", _MIX, writes=True
)
ALL = (GET, LIST_50, LIST_1000, CREATE, PUT, TOGGLE, MIX)
