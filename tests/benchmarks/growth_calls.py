"""A client that sends requests on one connection, and times each call."""

from __future__ import annotations

import json
import random
import socket
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlsplit

from tests.benchmarks import data, growth_data
from tests.benchmarks.load import http_text
from tests.benchmarks.workloads import Request

GET, LIST, CREATE, TOGGLE = CALLS = ("get", "list of 50", "create", "toggle")
_LIMIT = 50
_NEW_TASK = json.dumps({"title": data.TITLE, "description": data.DESCRIPTION})
_WARM_UP = 20
_PATIENCE_SECONDS = 30
Key = TypeVar("Key")
_END_OF_HEAD = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Client:
    """A request, and the connection for it."""

    connection: socket.socket
    request: bytes


def calls_at(address: str, users: tuple[int, ...], connections: ExitStack) -> dict[tuple[str, int], Client]:
    """Connect to a service, and prepare each call of users with this many tasks. A page of 50 needs as many."""
    url = urlsplit(address)
    connection = socket.create_connection((url.hostname or "", url.port or 0), timeout=_PATIENCE_SECONDS)
    connections.enter_context(connection)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return {
        (call, tasks): Client(connection, http_text(request, url.netloc).encode())
        for tasks in users
        for call, request in _requests(tasks).items()
        if call != LIST or tasks >= _LIMIT
    }


def time_in_turn(clients: dict[Key, Client], rounds: int) -> dict[Key, list[float]]:
    """Run all clients, in a different order each time; returns the seconds of each request."""
    times: dict[Key, list[float]] = {key: [] for key in clients}
    order, chance = list(clients.items()), random.Random(0)  # noqa: S311 - no secret
    for turn in range(_WARM_UP + rounds):
        chance.shuffle(order)  # the preceding request makes a difference
        for key, client in order:
            seconds = _ask(client.connection, client.request)
            if turn >= _WARM_UP:
                times[key].append(seconds)
    return times


def _requests(tasks: int) -> dict[str, Request]:
    user_id = growth_data.user_with(tasks)
    path = f"/api/tasks/{growth_data.task(max(1, tasks // 2))}"
    return {
        GET: Request("GET", path, user_id),
        LIST: Request("GET", f"/api/tasks?limit={_LIMIT}", user_id),
        CREATE: Request("POST", "/api/tasks", user_id, _NEW_TASK),
        TOGGLE: Request("PATCH", f"{path}/complete", user_id),
    }


def _ask(connection: socket.socket, request: bytes) -> float:
    """Send a request, and read the whole response; returns the seconds that it took. Raises RuntimeError."""
    started = time.perf_counter()
    connection.sendall(request)
    answer = bytearray()
    while _END_OF_HEAD not in answer:
        answer += _read(connection)
    head, _, body = bytes(answer).partition(_END_OF_HEAD)
    length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
    missing = length - len(body)
    while missing > 0:
        missing -= len(_read(connection))
    seconds = time.perf_counter() - started
    if head.split(b" ", 2)[1] not in {b"200", b"201"}:
        raise RuntimeError(f"a call has failed: {head.decode('latin-1')}")
    return seconds


def _read(connection: socket.socket) -> bytes:
    data_read = connection.recv(256 * 1024)
    if not data_read:
        raise RuntimeError("the service has closed the connection")
    return data_read
