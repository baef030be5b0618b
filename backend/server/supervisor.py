"""Several workers on one listener: started, replaced when they crash or on SIGHUP, and stopped together.

uvicorn's `Multiprocess` hears the signals and runs the loop. What it does to workers is replaced here. While it waits
for a worker to start, to answer or to end, it sees no signal and replaces no other worker. It waits for the end of a
worker without limit. It replaces a worker that crashes at once and for ever, and checks nothing before a reload.
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
REPLACEMENT_SECONDS = 2.0  # on average between replacements of workers that have served
FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS = 1.0, 30.0  # after workers that have never served, except for the first one
QUIET_SECONDS = 60.0  # without such a loss, after which the pause starts from zero

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


class Replacements:
    """When to start each missing worker.

    Workers that have served are replaced at once, even if all crash together; if they go on crashing, one is replaced
    every REPLACEMENT_SECONDS. One that has never served is replaced after a pause that grows: whatever kept it from
    serving may do so again.
    """

    def __init__(self, workers: int, now: float) -> None:
        self._workers = workers
        self.begin(now, missing=workers)

    def begin(self, now: float, missing: int) -> None:
        """Start this many workers now, and forget what was lost before."""
        self._starts = [now] * missing
        self._earned = -math.inf  # when the next replacement is due, if it need not be now
        self._pause, self._last_failure = 0.0, -math.inf

    def add(self, now: float, *, has_served: bool) -> None:
        """Replace a lost worker."""
        if has_served:
            # A quiet time saves up enough to replace all workers at once.
            self._earned = max(self._earned, now - (self._workers - 1) * REPLACEMENT_SECONDS)
            self._starts.append(max(self._earned, now))
            self._earned += REPLACEMENT_SECONDS
        else:
            is_first = now - self._last_failure >= QUIET_SECONDS
            self._pause = 0.0 if is_first else min(2 * self._pause + FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS)
            self._last_failure = now
            self._starts.append(now + self._pause)

    def take_due(self, now: float) -> int:
        """Return how many workers to start now, and count them as started."""
        missing = len(self._starts)
        self._starts = [start for start in self._starts if start > now]
        return missing - len(self._starts)


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
        self._is_reload_due = False
        self._replacements = Replacements(config.workers, time.monotonic())

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
            self._is_reload_due = True  # the loop does it: no other thread touches workers

    def restart_all(self) -> None:
        """Let the loop replace all workers in turn, and start missing workers at once."""
        outdated = self._staying()
        for worker in outdated:
            worker.is_outdated = True
        self._replacements.begin(time.monotonic(), max(0, self.config.workers - len(outdated)))
        logger.info("workers_reloading", workers=len(outdated))

    def init_processes(self) -> None:
        """Start missing workers that are due, plus one replacement at a time during a reload when nobody is missing."""
        staying = self._staying()
        is_complete = len(staying) == len(self.processes) == self.config.workers
        is_next_due = is_complete and any(worker.is_outdated for worker in staying)
        for _ in range(self._replacements.take_due(time.monotonic()) + is_next_due):
            worker = Worker(self.config, self.sockets)
            worker.start()
            self.processes.append(worker)
            logger.info("worker_started", pid=worker.pid)

    def keep_subprocess_alive(self) -> None:
        """Replace lost workers, and an outdated worker when enough others serve."""
        if self.should_exit.is_set():
            return
        if self._is_reload_due:
            self._is_reload_due = False
            self.restart_all()
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
        if len(self._staying()) < self.config.workers:
            self._replacements.add(time.monotonic(), has_served=worker.is_serving)

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
