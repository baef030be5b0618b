"""Serve a contender on a free loopback port, with the defaults of uvicorn's command line: `NAME WORKERS`."""

from __future__ import annotations

import socket
import sys

import uvicorn
from uvicorn.supervisors import Multiprocess

BACKLOG = 2048  # uvicorn's own default


def main(name: str, workers: int) -> None:
    """Serve until a signal arrives."""
    application = f"tests.benchmarks.contenders.{name}:create_app"
    config = uvicorn.Config(application, factory=True, workers=workers, loop="uvloop", http="httptools")
    with socket.create_server(("127.0.0.1", 0), backlog=BACKLOG) as listener:
        # The socket listens by now: clients that come before the first worker is ready wait.
        print(f"Task API  http://127.0.0.1:{listener.getsockname()[1]}", flush=True)  # noqa: T201 - what the starter reads
        if workers == 1:
            uvicorn.Server(config).run(sockets=[listener])
        else:
            Multiprocess(config, sockets=[listener]).run()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
