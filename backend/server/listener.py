"""The listening socket, and how to close it without losing a connection.

The kernel completes connections automatically and queues them until they are accepted. Closing the socket resets all
queued connections and any that arrive meanwhile. So we first keep new ones out, then empty the queue.
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import struct
import time
from contextlib import suppress
from selectors import EVENT_READ
from typing import Protocol

from backend.errors import ConfigurationError
from backend.utils.descriptors import Selector

LISTEN_BACKLOG = 2048
TAKEN_SECONDS = 3.0  # for orphaned workers of a killed parent to release the port
_LOOK_SECONDS = 0.05

_SO_ATTACH_FILTER = 26  # Linux only; Python has no name for it, and other systems have no such option
# A packet filter program for a socket. It drops packets that start a connection: SYN is set and ACK is not.
_FLAGS_OFFSET, _SYN, _SYN_AND_ACK = 13, 0x02, 0x12
_DROP_NEW_CONNECTIONS = (
    (0x30, 0, 0, _FLAGS_OFFSET),  # load the flags byte
    (0x54, 0, 0, _SYN_AND_ACK),  # keep these two
    (0x15, 0, 1, _SYN),  # unless only SYN is set, skip one
    (0x06, 0, 0, 0),  # drop it
    (0x06, 0, 0, 0xFFFFFFFF),  # let it pass
)


class HasFileNumber(Protocol):
    """A socket, or the wrapper an event loop returns for it."""

    def fileno(self) -> int:
        """Return the file descriptor."""


def listen(host: str, port: int) -> socket.socket:
    """Bind the port before anything else starts, so that a port in use fails first; raises ConfigurationError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    deadline = time.monotonic() + TAKEN_SECONDS
    while True:
        try:
            return socket.create_server((host, port), family=family, backlog=LISTEN_BACKLOG)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() > deadline:
                raise _refusal(host, port, error) from error
        time.sleep(_LOOK_SECONDS)


def _refusal(host: str, port: int, error: OSError) -> ConfigurationError:
    # The system's own message: create_server would repeat the address.
    reason = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error.strerror).partition(" (")[0]
    return ConfigurationError(f"cannot listen on {host} port {port}: {reason}. {advice(error.errno)}")


def advice(number: int | None) -> str:
    """Return what to do when the system refuses a port with this errno."""
    if number == errno.EADDRINUSE:
        return (
            "Another program listens there, maybe this one: end it, or choose another port, by PORT=8001 in the "
            "environment or --port 8001."
        )
    if number == errno.EACCES:
        return "Ports below 1024 are for root: choose another, like --port 8000, and put a proxy in front."
    return "Choose an address of this machine: --host 127.0.0.1 for itself alone, --host 0.0.0.0 for every network."


def refuse_new_connections(listener: HasFileNumber) -> None:
    """Drop new connections in every process that shares the socket; those that have begun complete and wait as before.

    A new client retries after a second, and is then refused or served by our successor. Where the system has no such
    filter, a connection that begins just as the socket closes is reset.
    """
    program = b"".join(struct.pack("HBBI", *instruction) for instruction in _DROP_NEW_CONNECTIONS)
    memory = ctypes.create_string_buffer(program)
    option = struct.pack("HL", len(_DROP_NEW_CONNECTIONS), ctypes.addressof(memory))
    with suppress(OSError), socket.socket(fileno=os.dup(listener.fileno())) as same:
        same.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, option)


def has_waiting(listener: HasFileNumber) -> bool:
    """Return whether a connection waits to be accepted."""
    with Selector() as selector:
        selector.register(listener.fileno(), EVENT_READ)
        return bool(selector.select(timeout=0))
