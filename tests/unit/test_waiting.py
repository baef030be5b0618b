"""Waiting for a connection, on either event loop and in a thread, however it ends."""

from __future__ import annotations

import asyncio
import re
import select
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from functools import partial
from typing import Any

import psycopg2
import pytest
import uvloop
from psycopg2.extensions import POLL_OK, POLL_READ, POLL_WRITE
from sqlalchemy.util.concurrency import greenlet_spawn

from backend.database import waiting
from backend.database.engine import Engine
from backend.database.url import CONNECT_TIMEOUT_SECONDS, each_host
from backend.errors import ConfigurationError
from tests.fixtures.running.waiting import PATIENCE_SECONDS

SHORT_SECONDS, LONG_SECONDS = 0.05, 30.0
LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}


class Scripted:
    """Stands in for a connection: reports the scripted states one after the other."""

    def __init__(self, *said: int | Callable[[], int]) -> None:
        self.near, self.far = socket.socketpair()
        self.far.send(b"x")  # so that it is always readable
        self._said = iter(said)

    def fileno(self) -> int:
        return self.near.fileno()

    def poll(self) -> int:
        said = next(self._said)
        return said if isinstance(said, int) else said()

    def close(self) -> None:
        self.near.close()
        self.far.close()


@pytest.fixture(params=LOOPS)
def loop(request: pytest.FixtureRequest) -> Iterator[asyncio.AbstractEventLoop]:
    made = LOOPS[request.param]()
    yield made
    made.close()


def finish_on(loop: asyncio.AbstractEventLoop, connection: Any, seconds: float = LONG_SECONDS) -> None:
    loop.run_until_complete(greenlet_spawn(waiting.finish, connection, seconds))


@pytest.mark.requirement("FR-160", "FR-199")
@pytest.mark.parametrize("said", [(POLL_OK,), (POLL_WRITE, POLL_WRITE, POLL_READ, POLL_OK), (POLL_READ, POLL_OK)])
def test_it_is_waited_for_until_it_is_done(loop: asyncio.AbstractEventLoop, said: tuple[int, ...]) -> None:
    with closing(Scripted(*said)) as connection:
        finish_on(loop, connection)
        assert not loop.remove_reader(connection.fileno())  # no reader is left
        assert not loop.remove_writer(connection.fileno())
    with closing(Scripted(*said)) as connection:
        waiting.finish(connection, LONG_SECONDS)


@pytest.mark.requirement("FR-160")
def test_silence_is_waited_for_no_longer_than_there_is_time(loop: asyncio.AbstractEventLoop) -> None:
    def on_loop(connection: Any) -> None:
        finish_on(loop, connection, SHORT_SECONDS)

    def in_thread(connection: Any) -> None:
        waiting.finish(connection, SHORT_SECONDS)

    for wait in (on_loop, in_thread):
        with closing(Scripted(*[POLL_READ] * 1000)) as connection:
            connection.near.recv(1)  # no more data arrives
            with pytest.raises(waiting.Silence):
                wait(connection)


@pytest.mark.requirement("FR-160")
@pytest.mark.parametrize("error", [psycopg2.OperationalError("lost"), RuntimeError("a defect")])
def test_what_goes_wrong_is_raised_where_it_is_waited_for(loop: asyncio.AbstractEventLoop, error: Exception) -> None:
    def fail() -> int:
        raise error

    with closing(Scripted(POLL_READ, fail)) as connection, pytest.raises(type(error)):
        finish_on(loop, connection)


@pytest.mark.requirement("FR-156", "FR-160")
def test_a_server_whose_last_message_comes_with_a_reset_is_lost_at_once(loop: asyncio.AbstractEventLoop) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        near = socket.create_connection(listener.getsockname())
        far, _ = listener.accept()
    far.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # closing it sends a reset

    def die() -> Any:
        far.send(b"x")
        far.close()
        watched = select.poll()
        watched.register(near, select.POLLERR)
        assert watched.poll(PATIENCE_SECONDS * 1000), "the reset has not arrived"
        return POLL_READ

    def read_the_message() -> Any:
        assert near.recv(10) == b"x"
        return POLL_READ  # like the driver, which expects more

    def notice() -> int:
        raise psycopg2.OperationalError("lost")

    connection = Scripted(die, read_the_message, notice)
    connection.close()
    connection.near = near
    with closing(connection), pytest.raises(psycopg2.OperationalError, match="lost"):
        finish_on(loop, connection)


@pytest.mark.requirement("FR-155", "FR-160")
def test_the_number_of_a_descriptor_that_is_gone_is_left_to_who_has_it_next(loop: asyncio.AbstractEventLoop) -> None:
    """The driver closes a lost connection while polling, and a new client may get the number before anyone notices."""
    heard: asyncio.Future[bool] = loop.create_future()
    pair: list[socket.socket] = []

    def hear() -> None:
        pair[0].recv(1)
        heard.set_result(True)

    def lose() -> int:
        number = connection.near.fileno()
        connection.near.close()
        pair.extend(socket.socketpair())
        assert pair[0].fileno() == number
        loop.call_soon(loop.add_reader, number, hear)
        raise psycopg2.OperationalError("lost")

    async def lose_one_and_hear_the_next() -> None:
        with suppress(psycopg2.OperationalError):
            await greenlet_spawn(waiting.finish, connection, LONG_SECONDS)
        pair[1].send(b"x")
        await asyncio.wait_for(heard, LONG_SECONDS)

    connection = Scripted(POLL_READ, lose)
    with closing(connection):
        loop.run_until_complete(lose_one_and_hear_the_next())
        loop.remove_reader(pair[0].fileno())
    for end in pair:
        end.close()


@pytest.mark.requirement("FR-155")
def test_who_gives_up_waiting_leaves_nothing_behind(loop: asyncio.AbstractEventLoop) -> None:
    async def give_up() -> None:
        task = asyncio.ensure_future(greenlet_spawn(waiting.finish, connection, LONG_SECONDS))
        await asyncio.sleep(0)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        assert task.cancelled()

    with closing(Scripted(*[POLL_READ] * 1000)) as connection:
        loop.run_until_complete(give_up())
        assert not loop.remove_reader(connection.fileno())


@pytest.mark.requirement("FR-155")
def test_an_answer_that_comes_as_its_waiter_gives_up_is_nothing_special(loop: asyncio.AbstractEventLoop) -> None:
    """Both events are noticed in the same round of the loop, before the waiter runs again."""
    complaints: list[object] = []

    def give_up() -> Any:
        task.cancel()
        return POLL_OK

    async def wait() -> None:
        with suppress(asyncio.CancelledError):
            await task

    with closing(Scripted(POLL_READ, give_up)) as connection:
        loop.set_exception_handler(lambda _, context: complaints.append(context))
        task = loop.create_task(greenlet_spawn(waiting.finish, connection, LONG_SECONDS))
        loop.run_until_complete(wait())
        assert task.cancelled()
        assert not loop.remove_reader(connection.fileno())
    assert complaints == []


def test_a_waiter_is_woken_once_whoever_else_wakes_it(loop: asyncio.AbstractEventLoop) -> None:
    def wait() -> bool:
        event = waiting.new_event()
        event.set()
        event.set()  # a second connection was free just then
        return event.wait()

    async def run() -> bool:
        return await greenlet_spawn(wait)

    assert loop.run_until_complete(run())


@pytest.mark.requirement("FR-161")
def test_each_of_several_hosts_has_its_time() -> None:
    """The first accepts the connection and never sends anything."""
    with socket.create_server(("127.0.0.1", 0)) as silent, socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # where nobody listens
        ports = f"{silent.getsockname()[1]},{nobody.getsockname()[1]}"
        parameters = {"host": "127.0.0.1,127.0.0.1", "port": ports, "connect_timeout": 1, "user": "x"}
        with pytest.raises(psycopg2.OperationalError, match="refused"):
            waiting.connect(parameters)


@pytest.mark.requirement("FR-161")
@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, [{}]),
        ({"host": "/run"}, [{"host": "/run"}]),
        ({"host": "nowhere.invalid"}, [{"host": "nowhere.invalid"}]),
        ({"host": "127.0.0.1", "port": "1"}, [{"host": "127.0.0.1", "port": "1"}]),
        (
            {"host": "127.0.0.1,/run", "port": "1,2"},
            [{"host": "127.0.0.1", "port": "1"}, {"host": "/run", "port": "2"}],
        ),
        (
            {"host": "a,b", "hostaddr": "127.0.0.1,127.0.0.2", "port": "5"},
            [
                {"host": "a", "hostaddr": "127.0.0.1", "port": "5"},
                {"host": "b", "hostaddr": "127.0.0.2", "port": "5"},
            ],
        ),
        ({"hostaddr": "127.0.0.1"}, [{"hostaddr": "127.0.0.1"}]),
    ],
)
def test_hosts_are_taken_one_by_one(given: dict[str, str], expected: list[dict[str, str]]) -> None:
    assert each_host(given) == expected


def in_a_greenlet(loop: asyncio.AbstractEventLoop, parameters: dict[str, Any]) -> Any:
    """Connect as a request does."""
    return loop.run_until_complete(greenlet_spawn(waiting.connect, parameters))


FOUND = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in ("127.0.0.1", "127.0.0.2")]


@pytest.mark.requirement("FR-161", "FR-504")
@pytest.mark.parametrize("is_request", [True, False])
def test_each_address_of_a_name_is_tried(
    loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch, *, is_request: bool
) -> None:
    """The test replaces the name server's answer, and the driver."""
    tried: list[dict[str, Any]] = []

    def refuse(**parameters: Any) -> Any:
        tried.append(parameters)
        raise psycopg2.OperationalError("refused")

    async def look_up(*_: object, **__: object) -> Any:
        return [*FOUND, FOUND[0]]

    monkeypatch.setattr(psycopg2, "connect", refuse)
    if is_request:
        monkeypatch.setattr(loop, "getaddrinfo", look_up)
    else:
        monkeypatch.setattr(waiting, "getaddrinfo", lambda *_, **__: [*FOUND, FOUND[0]])
    parameters = {"host": "db.example", "sslmode": "require", "connect_timeout": 1}
    with pytest.raises(psycopg2.OperationalError, match="refused"):
        in_a_greenlet(loop, parameters) if is_request else waiting.connect(parameters)

    assert [address["hostaddr"] for address in tried] == ["127.0.0.1", "127.0.0.2"]
    assert {address["host"] for address in tried} == {"db.example"}  # the certificate must name this host


@pytest.mark.requirement("FR-161")
def test_a_name_without_an_address_is_told_as_libpq_tells_it(loop: asyncio.AbstractEventLoop) -> None:
    for connect in (partial(in_a_greenlet, loop), waiting.connect):
        with pytest.raises(psycopg2.OperationalError, match="could not translate host name"):
            connect({"host": "nowhere.invalid", "connect_timeout": 1})


@pytest.mark.requirement("FR-161", "FR-504")
def test_a_request_gives_a_silent_host_its_time_and_then_tries_the_next_one(loop: asyncio.AbstractEventLoop) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # where nobody listens
        ports = f"{silent.getsockname()[1]},{nobody.getsockname()[1]}"
        parameters = {"host": "127.0.0.1,127.0.0.1", "port": ports, "connect_timeout": 1, "user": "x"}
        with pytest.raises(psycopg2.OperationalError, match="refused"):
            in_a_greenlet(loop, parameters)


@pytest.mark.requirement("FR-161")
@pytest.mark.parametrize(
    ("value", "seconds"),
    [("", CONNECT_TIMEOUT_SECONDS), ("0", CONNECT_TIMEOUT_SECONDS), ("-1", CONNECT_TIMEOUT_SECONDS), ("3", 3)],
)
def test_the_time_for_connecting_is_bounded(value: str, seconds: int) -> None:
    engine = Engine(f"postgresql://x@127.0.0.1:1/x?connect_timeout={value}", pool_size=1, timeout_seconds=1)
    assert engine.connector.parameters["connect_timeout"] == seconds


@pytest.mark.requirement("FR-067", "FR-161")
@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("127.0.0.1/x?connect_timeout=abc", "DATABASE_URL: connect_timeout must be a whole number."),
        ("127.0.0.1/x?connect_timeout=1,2", "DATABASE_URL: connect_timeout must be a whole number."),
        ("127.0.0.1/x?keepalives_idle=1.5", "DATABASE_URL: keepalives_idle must be a whole number."),
        ("127.0.0.1:port/x", "DATABASE_URL: port must be a whole number."),
        ("127.0.0.1:5432,127.0.0.2:70000/x", "DATABASE_URL: port must be a number from 1 to 65535."),
    ],
)
def test_a_number_of_an_address_that_is_none_is_refused_by_name(address: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{re.escape(message)}$"):
        Engine(f"postgresql://x@{address}", pool_size=1, timeout_seconds=1)
