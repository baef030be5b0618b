"""Serve *usual FastAPI* on a free loopback port, with the defaults of uvicorn's command line."""

from __future__ import annotations

import os
import socket

import uvicorn
from uvicorn.supervisors import Multiprocess


def main(workers: int) -> None:
    """Serve until a signal arrives."""
    application = "tests.benchmarks.contenders.conventional:app"
    config = uvicorn.Config(application, workers=workers, loop="uvloop", http="httptools")
    with socket.create_server(("127.0.0.1", 0), backlog=config.backlog) as listener:
        # The socket listens by now: clients that come before the first worker is ready wait.
        print(f"Task API  http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
        if workers == 1:
            uvicorn.Server(config).run(sockets=[listener])
        else:
            Multiprocess(config, sockets=[listener]).run()


if __name__ == "__main__":
    main(int(os.environ["WORKERS"]))
