"""The listening socket: our own, or one that systemd passes to us.

The kernel completes connections and queues them until we accept them. When the last process closes the socket, all that
are still in the queue are reset, so accept them first. A socket of systemd stays open when we close it: our successor
accepts whatever is in the queue.
"""

from __future__ import annotations

import errno
import os
import socket
import time
from contextlib import suppress

from backend.errors import ConfigurationError

LISTEN_BACKLOG = 2048
TAKEN_SECONDS = 3.0  # for orphaned workers of a killed parent to release the port
_LOOK_SECONDS = 0.05

# How systemd passes sockets to a service, see sd_listen_fds(3).
_FIRST_PASSED = 3
_ONE_SOCKET = "Give its socket unit one line like ListenStream=127.0.0.1:8000."
_VARIABLES = ("LISTEN_FDS", "LISTEN_PID", "LISTEN_PIDFDID", "LISTEN_FDNAMES")


def passed_listener() -> socket.socket | None:
    """Return the listening socket that systemd passes to this process, if any; raises ConfigurationError.

    The variables that announce it go: they are not for our children.
    """
    number, pid, *_ = [os.environ.pop(name, None) for name in _VARIABLES]
    if number is None or pid != str(os.getpid()):
        return None
    if number != "1":
        raise ConfigurationError(f"systemd must pass one socket, but LISTEN_FDS is {number}. {_ONE_SOCKET}")
    with suppress(OSError):  # it is no socket at all
        listener = socket.socket(fileno=_FIRST_PASSED)
        is_internet = listener.family in (socket.AF_INET, socket.AF_INET6)
        if is_internet and listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            return listener
        listener.close()
    raise ConfigurationError(f"systemd passed a descriptor that is not a listening TCP socket. {_ONE_SOCKET}")


def address_of(listener: socket.socket) -> str:
    """Return the address that the socket really has, as a URL."""
    host, port, *_ = listener.getsockname()
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


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
        # Make names itself in the environment of what it runs.
        other = 'make run ARGS="--port 8001"' if os.environ.get("MAKELEVEL") else "--port 8001 or PORT=8001"
        return (
            "Another program, perhaps another copy of this one, uses that port. Stop it, or choose another port with "
            f"{other}."
        )
    if number == errno.EACCES:
        return (
            "Only root may use ports below 1024. Choose another, such as --port 8000, and put a proxy in front of it."
        )
    return (
        "Choose an address of this machine: --host 127.0.0.1 for this machine only, --host 0.0.0.0 for every network."
    )


def accept_waiting(listener: socket.socket) -> list[socket.socket]:
    """Accept every connection that waits. Clients get no answers during this, so they soon stop opening more."""
    accepted = []
    with suppress(OSError), socket.socket(fileno=os.dup(listener.fileno())) as same:
        while True:  # until none waits, or no descriptor is left
            accepted.append(same.accept()[0])
    return accepted
