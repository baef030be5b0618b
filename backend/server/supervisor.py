"""Several workers on one listener: started, replaced when they crash or on SIGHUP, and stopped together.

uvicorn's `Multiprocess` hears the signals and runs the loop. What it does to workers is replaced here: while it waits
for one worker it ignores the others, and it restarts a worker that cannot start without a pause.
"""

from __future__ import annotations

import math
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import structlog
from uvicorn.supervisors.multiprocess import SIGNALS, Multiprocess, Process

from backend.errors import ConfigurationError, ServiceUnavailable
from backend.server.server import Server, max_seconds_to_end
from backend.server.signals import hangup_means_reload, leaving_in_order
from backend.server.state import ServerConfig

START_SECONDS = 120.0  # after which a worker that is not serving yet counts as lost
SILENCE_SECONDS = 60.0  # after which a worker counts as hanging
MAX_PAUSE_SECONDS = 30.0  # before a lost worker is replaced
QUIET_SECONDS = 60.0  # without a loss, after which the pause starts from zero

logger = structlog.get_logger(__name__)


class Worker(Process):
    """A process that serves requests; used both in the parent and in the process."""

    def __init__(self, config: ServerConfig, sockets: list[socket.socket]) -> None:
        super().__init__(config, sockets)
        self.config: ServerConfig = config
        self.is_serving = self.is_outdated = self.is_leaving = False
        self.deadline = time.monotonic() + START_SECONDS  # by when it must have answered, or ended
        self.parent_conn.send(b"ping")

    def is_lost(self) -> bool:
        """Return whether the worker has ended or missed its deadline, which each answer to a ping extends."""
        if not self.is_leaving and self.parent_conn.poll():
            if self.parent_conn.recv():
                self.is_serving = True
                self.deadline = time.monotonic() + SILENCE_SECONDS
            self.parent_conn.send(b"ping")
        return self.exitcode is not None or time.monotonic() > self.deadline

    def retire(self) -> None:
        """Start a graceful shutdown of the worker, and set its deadline."""
        self.is_leaving = True
        self.terminate()
        self.deadline = time.monotonic() + max_seconds_to_end(self.config)

    def target(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until asked to end; runs in the worker process. Logs what keeps it from serving."""
        self.config.set_up_logs()
        self._server = Server(self.config)
        with leaving_in_order(exit_code=0):
            try:
                super().target(sockets)
            except ConfigurationError as error:
                logger.error("worker_failed", reason=str(error))  # noqa: TRY400 - a traceback would say no more
                sys.exit(1)
            except Exception:
                logger.exception("worker_failed")
                sys.exit(1)

    def always_pong(self) -> None:
        """Answer pings until the parent is gone, for any reason; then shut down, as the other workers do."""
        self.parent_conn.close()  # or this process would keep the pipe open itself
        with suppress(OSError, EOFError):
            super().always_pong()
        self.server.should_exit = True


class GrowingPause:
    """The backoff before a lost worker is replaced: none at first, and none after a quiet period."""

    def __init__(self) -> None:
        self._pause, self._last_loss = 0.0, -math.inf

    def after_loss(self, now: float) -> float:
        """Note a loss and return the pause after it."""
        is_first = now - self._last_loss >= QUIET_SECONDS
        self._pause = 0.0 if is_first else min(2 * self._pause + 1, MAX_PAUSE_SECONDS)
        self._last_loss = now
        return self._pause


class Supervisor(Multiprocess):
    """Keeps the configured number of workers serving; `check` raises if new ones could not serve.

    `announce` is called once, when all workers serve for the first time and have logged that.
    """

    config: ServerConfig
    processes: list[Worker]  # type: ignore[assignment]  # also those that are leaving

    def __init__(
        self,
        config: ServerConfig,
        listener: socket.socket,
        check: Callable[[], None],
        announce: Callable[[], None] | None = None,
    ) -> None:
        before = {number: signal.getsignal(number) for number in SIGNALS}
        ours = {signal.SIGTERM, signal.SIGINT, *([signal.SIGHUP] if hangup_means_reload() else [])}
        super().__init__(config, [listener])
        for number in SIGNALS.keys() - ours:
            signal.signal(number, before[number])
        self._check = check
        self._announce = announce
        self._has_served = False
        self._pause = GrowingPause()
        self._next_start = time.monotonic()

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT; raises ConfigurationError when not even the first workers start."""
        try:
            super().run()
        finally:
            self.terminate_all()
            self.join_all()

    def handle_hup(self) -> None:
        """Replace all workers once the check has passed. It may wait for the database, so a thread runs it."""
        threading.Thread(target=self._check_and_restart, daemon=True).start()  # shutdown does not wait for it

    def _check_and_restart(self) -> None:
        try:
            self._check()
        except (ConfigurationError, ServiceUnavailable) as error:
            logger.error("workers_not_reloaded", reason=str(error))  # noqa: TRY400 - a traceback would say no more
        else:
            self.restart_all()

    def restart_all(self) -> None:
        """Let the loop replace all workers, one by one."""
        outdated = self._staying()
        for worker in outdated:
            worker.is_outdated = True
        logger.info("workers_reloading", workers=len(outdated))

    def init_processes(self) -> None:
        """Start missing workers, plus one replacement at a time during a reload, once the previous old one has gone."""
        staying = self._staying()
        is_next_due = any(worker.is_outdated for worker in staying) and len(staying) == len(self.processes)
        for _ in range(self.config.workers + is_next_due - len(staying)):
            if time.monotonic() >= self._next_start:
                worker = Worker(self.config, self.sockets)
                worker.start()
                self.processes.append(worker)
                logger.info("worker_started", pid=worker.pid)

    def keep_subprocess_alive(self) -> None:
        """Replace lost workers, and an outdated one when enough others serve."""
        if self.should_exit.is_set():
            return
        for worker in self.processes.copy():
            is_lost = worker.is_lost()
            self._has_served |= worker.is_serving
            if is_lost:
                self._lose(worker)
        staying = self._staying()
        if self._announce and sum(worker.is_serving for worker in staying) == self.config.workers:
            self._announce()
            self._announce = None
        outdated = [worker for worker in staying if worker.is_outdated]
        if outdated and sum(worker.is_serving for worker in staying) > self.config.workers:
            outdated[0].retire()
        self.init_processes()

    def _staying(self) -> list[Worker]:
        return [worker for worker in self.processes if not worker.is_leaving]

    def _lose(self, worker: Worker) -> None:
        """Remove a worker that has ended, hangs or does not start; the others stay, and it is soon replaced."""
        was_killed = (worker.exitcode or 0) < 0
        self._reap(worker)
        if worker.is_leaving:
            return
        if not self._has_served and not was_killed:
            raise ConfigurationError("no worker could start. The lines above say why.")
        if not worker.is_serving and any(other.is_outdated for other in self.processes):
            for other in self.processes:
                other.is_outdated = False
            logger.error("workers_not_reloaded", reason="a new worker did not start, so the old ones stay")
        now = time.monotonic()
        self._next_start = now + self._pause.after_loss(now)

    def _reap(self, worker: Worker) -> None:
        """Remove a worker, and kill it if it still runs."""
        worker.kill()
        worker.process.join()
        self.processes.remove(worker)
        log = logger.warning if worker.exitcode else logger.info
        log("worker_ended", pid=worker.pid, exit_code=worker.exitcode)

    def terminate_all(self) -> None:
        """Stop all workers at the same time; each still serves the clients that have already connected."""
        self.sockets[0].close()  # our copy must not be the last one: nobody accepts waiting connections here
        for worker in self._staying():
            worker.retire()

    def join_all(self) -> None:
        """Wait for each worker until its deadline."""
        for worker in self.processes.copy():
            worker.process.join(max(0.0, worker.deadline - time.monotonic()))
            self._reap(worker)
