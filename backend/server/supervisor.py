"""Several workers on one listener: started, replaced when they crash or on SIGHUP, and stopped together.

uvicorn's own supervisor misses signals while it waits for a worker, keeps restarting a worker that cannot start, and
closes the listener last. Only its `Process`, which starts a worker and pings it, is used here.
"""

from __future__ import annotations

import math
import multiprocessing
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import cast

import structlog
from uvicorn.supervisors.multiprocess import Process

from backend.errors import ConfigurationError, ServiceUnavailable
from backend.server.listener import refuse_new_connections
from backend.server.server import Server, max_seconds_to_end
from backend.server.signals import hangup_means_reload, leaving_in_order
from backend.server.state import ServerConfig

LOOK_SECONDS = 0.2
ANSWER_SECONDS = 0.1  # for a worker to answer a ping; a busy one answers the next time
START_SECONDS = 120.0  # after which a worker that is not serving yet counts as lost
SILENCE_SECONDS = 60.0  # after which a worker counts as hanging
MAX_PAUSE_SECONDS = 30.0  # before a lost worker is replaced
QUIET_SECONDS = 60.0  # without a loss, after which the pause starts from zero

_ENDING = {signal.SIGTERM, signal.SIGINT}

logger = structlog.get_logger(__name__)


class Worker(Process):
    """A process that serves requests; used both in the parent and in the process."""

    def __init__(self, config: ServerConfig, listener: socket.socket) -> None:
        super().__init__(config, [listener])
        self.config: ServerConfig = config
        self.is_serving = False
        self._is_asked = False
        self.deadline = time.monotonic() + START_SECONDS  # by when it must have answered, or ended

    def look(self) -> None:
        """Ping the worker, and extend its deadline if it answers. One ping at a time, or answers would queue up."""
        if not self._is_asked:
            self.parent_conn.send(b"ping")
        self._is_asked = not self.parent_conn.poll(ANSWER_SECONDS)
        if not self._is_asked and self.parent_conn.recv():
            self.is_serving = True
            self.deadline = time.monotonic() + SILENCE_SECONDS

    @property
    def is_lost(self) -> bool:
        """Return whether the worker has ended or missed its deadline."""
        return self.exitcode is not None or time.monotonic() > self.deadline

    def retire(self) -> None:
        """Start a graceful shutdown of the worker, and set its deadline."""
        self.terminate()
        self.deadline = time.monotonic() + max_seconds_to_end(self.config)

    def target(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until asked to end; runs in the worker process. Logs what keeps it from serving."""
        self.config.set_up_logs()
        self._server = Server(self.config)
        threading.Thread(target=self._end_with_parent, daemon=True).start()
        with leaving_in_order(exit_code=0):
            try:
                super().target(sockets)
            except ConfigurationError as error:
                logger.error("worker_failed", reason=str(error))  # noqa: TRY400 - a traceback would say no more
                sys.exit(1)
            except Exception:
                logger.exception("worker_failed")
                sys.exit(1)

    def _end_with_parent(self) -> None:
        """Shut down gracefully when the parent is gone, for any reason; the other workers do the same."""
        parent = multiprocessing.parent_process()
        assert parent is not None  # noqa: S101 - it started us
        parent.join()
        server = cast(Server, self.server)
        server.shares_listener = False  # the parent can no longer refuse new connections
        server.should_exit = True


class GrowingPause:
    """The backoff before a lost worker is replaced."""

    def __init__(self) -> None:
        self._losses = 0
        self._last_loss = -math.inf

    def after_loss(self, now: float) -> float:
        """Count a loss and return the pause: zero for the first, then growing until a quiet period resets it."""
        self._losses = self._losses + 1 if now - self._last_loss < QUIET_SECONDS else 0
        self._last_loss = now
        return min(2.0 ** (self._losses - 1), MAX_PAUSE_SECONDS) if self._losses else 0.0


class Check(threading.Thread):
    """Checks whether new workers could serve. A thread, because it may wait for the database."""

    def __init__(self, check: Callable[[], None]) -> None:
        super().__init__(daemon=True)  # shutdown does not wait for it
        self._check = check
        self.complaint: str | None = "the check failed; what it said is above"

    def run(self) -> None:
        """Run the check, and keep its complaint."""
        try:
            self._check()
            self.complaint = None
        except (ConfigurationError, ServiceUnavailable) as error:
            self.complaint = str(error)


def next_signal(signals: SimpleQueue[int]) -> int | None:
    """Merge all signals that have arrived or soon arrive: a stop signal wins, and several reloads count as one."""
    try:
        numbers = [signals.get(timeout=LOOK_SECONDS)]
    except Empty:
        return None
    while not signals.empty():
        numbers.append(signals.get())
    return max(numbers, key=_ENDING.__contains__)


class Supervisor:
    """Keeps the configured number of workers serving; `check` raises if new ones could not serve."""

    def __init__(self, config: ServerConfig, listener: socket.socket, check: Callable[[], None]) -> None:
        self._config = config
        self._listener = listener
        self._check = check
        self._checking: Check | None = None  # runs before workers are replaced
        self._signals = SimpleQueue[int]()
        self._workers: list[Worker] = []  # serving or starting
        self._outdated: list[Worker] = []  # those of `_workers` that are to be replaced
        self._leaving: list[Worker] = []
        self._has_served = False
        self._pause = GrowingPause()
        self._next_start = time.monotonic()

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT; raises ConfigurationError when not even the first workers start."""
        with self._hearing_signals():
            try:
                while (number := next_signal(self._signals)) not in _ENDING:
                    if number is not None:
                        # A running check may have read settings that have changed since, so its result is dropped.
                        self._checking = Check(self._check)
                        self._checking.start()
                    self._reload_if_checked()
                    self._look_after_workers()
            finally:
                self._end()

    @contextmanager
    def _hearing_signals(self) -> Iterator[None]:
        """Queue our signals, because they may arrive at any moment."""
        numbers = [signal.SIGTERM, signal.SIGINT, *([signal.SIGHUP] if hangup_means_reload() else [])]
        before = {number: signal.signal(number, lambda number, _: self._signals.put(number)) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _reload_if_checked(self) -> None:
        if self._checking is None or self._checking.is_alive():
            return
        complaint, self._checking = self._checking.complaint, None
        if complaint is not None:
            logger.error("workers_not_reloaded", reason=complaint)
            return
        self._outdated = self._workers.copy()
        logger.info("workers_reloading", workers=len(self._outdated))

    def _look_after_workers(self) -> None:
        for worker in self._workers.copy():
            worker.look()
            self._has_served |= worker.is_serving
            if worker.is_lost:
                self._lose(worker)
        for worker in self._leaving.copy():
            if worker.is_lost:
                self._reap(worker)
        self._retire_outdated()
        self._start_missing()

    def _start_missing(self) -> None:
        """Start missing workers, plus one replacement at a time during a reload, once the previous old one has gone."""
        wanted = self._config.workers + bool(self._outdated and not self._leaving)
        while len(self._workers) < wanted and time.monotonic() >= self._next_start:
            worker = Worker(self._config, self._listener)
            worker.start()
            self._workers.append(worker)
            logger.info("worker_started", pid=worker.pid)

    def _retire_outdated(self) -> None:
        """Retire an outdated worker once enough others serve."""
        if self._outdated and sum(worker.is_serving for worker in self._workers) > self._config.workers:
            worker = self._outdated.pop(0)
            self._workers.remove(worker)
            self._leaving.append(worker)
            worker.retire()

    def _lose(self, worker: Worker) -> None:
        """Give up a worker that has crashed, hangs or does not start; the others stay, and it is soon replaced."""
        is_new = not worker.is_serving and worker not in self._outdated
        was_killed = (worker.exitcode or 0) < 0
        self._reap(worker)
        if not self._has_served and not was_killed:
            raise ConfigurationError("no worker can start; what it said is above")
        if self._outdated and is_new:
            self._outdated.clear()
            logger.error("workers_not_reloaded", reason="a new one does not start; the others stay")
        now = time.monotonic()
        self._next_start = now + self._pause.after_loss(now)

    def _reap(self, worker: Worker) -> None:
        """Remove a worker, killing it if it still runs."""
        if worker.exitcode is None:
            worker.kill()
            worker.join()
        for workers in (self._workers, self._outdated, self._leaving):
            if worker in workers:
                workers.remove(worker)
        log = logger.warning if worker.exitcode else logger.info
        log("worker_ended", pid=worker.pid, exit_code=worker.exitcode)

    def _end(self) -> None:
        """Stop all workers at the same time; each still serves the clients that have already connected."""
        refuse_new_connections(self._listener)
        self._listener.close()  # our copy must not be the last one: nobody accepts waiting connections here
        for worker in self._workers:
            worker.retire()
        for worker in [*self._leaving, *self._workers]:
            worker.process.join(max(0.0, worker.deadline - time.monotonic()))
            self._reap(worker)
