"""How an answer leaves: head and body as one packet, and a head alone at once."""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from collections.abc import Iterator

import pytest
import uvloop

from backend.server.answer_transport import AnswerTransport
from tests.fixtures.api import API
from tests.fixtures.connection import Connection, connection_to, head
from tests.fixtures.waiting import PATIENCE_SECONDS

pytestmark = [
    pytest.mark.requirement("FR-374"),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux counts the packets of a connection"),
]

_DATA_SEGMENTS_RECEIVED = 152  # the place in struct tcp_info, <linux/tcp.h>


@pytest.fixture
def connection(api: API) -> Iterator[Connection]:
    with connection_to(api) as opened:
        yield opened


def packets_received(connection: Connection) -> int:
    information = connection.option(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    (count,) = struct.unpack_from("I", information, _DATA_SEGMENTS_RECEIVED)
    return int(count)


def test_head_and_body_are_one_packet(connection: Connection, user_id: str) -> None:
    for number in (1, 2, 3):
        connection.send(head(user_id))
        assert connection.answer().status_code == 200
        assert packets_received(connection) == number


@pytest.mark.parametrize("line", ["HEAD /api/me", "GET /nothing"])
def test_an_answer_that_closes_the_connection_is_whole(connection: Connection, user_id: str, line: str) -> None:
    connection.send(head(user_id, line, Connection="close"))
    received = connection.read_all()

    assert received.startswith(b"HTTP/1.1 ")
    assert b"\r\n\r\n" in received
    assert packets_received(connection) == 1


def test_a_head_whose_body_comes_later_does_not_wait_for_it() -> None:
    async def answer_in_two_steps() -> bytes:
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        transport, _ = await loop.connect_accepted_socket(asyncio.Protocol, ours)
        reader, writer = await asyncio.open_connection(sock=theirs)
        answer = AnswerTransport(loop, transport)
        answer.write(b"head,")
        assert await asyncio.wait_for(reader.readexactly(5), PATIENCE_SECONDS) == b"head,"
        answer.write(b"body")
        answer.close()
        rest = await reader.read()
        writer.close()
        return rest

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(answer_in_two_steps()) == b"body"


def test_a_client_is_told_to_go_on(connection: Connection, user_id: str) -> None:
    fields = {"Content_Type": "application/json", "Content_Length": "13", "Expect": "100-continue"}
    connection.send(head(user_id, "POST /api/tasks", **fields))
    assert connection.answer().status_code == 100
    connection.send(b'{"title":"a"}')
    assert connection.answer().status_code == 201
    assert packets_received(connection) == 2
