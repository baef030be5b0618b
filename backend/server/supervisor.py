"""Several workers on one listener: started, replaced when they crash or on SIGHUP, and ended together.

uvicorn's own supervisor hears no signal while it waits for a worker, starts one that cannot start again and again, and
gives the listener up last. Its `Process`, which starts a worker and hears from it, is used here.
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
from backend.server.server import Server, most_seconds_to_end
from backend.server.signals import hangup_means_reload, leaving_in_order
from backend.server.state import ServerConfig

LOOK_SECONDS = 0.2
ANSWER_SECONDS = 0.1  # for a worker to say that it is there; a busy one says so the next time
START_SECONDS = 120.0  # after which a worker that does not serve yet never will
SILENCE_SECONDS = 60.0  # after which a worker hangs
MAX_PAUSE_SECONDS = 30.0  # before a lost worker is replaced
QUIET_SECONDS = 60.0  # without any loss, and the next one is the first again

_ENDING = {signal.SIGTERM, signal.SIGINT}

logger = structlog.get_logger(__name__)


class Worker(Process):
    """A process that serves requests, as its parent sees it and as it is itself."""

    def __init__(self, config: ServerConfig, listener: socket.socket) -> None:
        super().__init__(config, [listener])
        self.config: ServerConfig = config
        self.is_serving = False
        self._is_asked = False
        self.deadline = time.monotonic() + START_SECONDS  # by when it must have said something, or be gone

    def look(self) -> None:
        """Ask whether it serves, and give it more time if it does. One question at a time, or answers would queue."""
        if not self._is_asked:
            self.parent_conn.send(b"ping")
        self._is_asked = not self.parent_conn.poll(ANSWER_SECONDS)
        if not self._is_asked and self.parent_conn.recv():
            self.is_serving = True
            self.deadline = time.monotonic() + SILENCE_SECONDS

    @property
    def is_lost(self) -> bool:
        """Tell whether it has ended, or should have."""
        return self.exitcode is not None or time.monotonic() > self.deadline

    def retire(self) -> None:
        """Ask it to end in order, in its time."""
        self.terminate()
        self.deadline = time.monotonic() + most_seconds_to_end(self.config)

    def target(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until asked to end: what the process itself does. What keeps it from serving is logged."""
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
        """End in order when the parent is gone, however it went; the other workers do so at the same time."""
        parent = multiprocessing.parent_process()
        assert parent is not None  # noqa: S101 - it has started us
        parent.join()
        server = cast(Server, self.server)
        server.shares_listener = False  # nobody else sees to it that no more come
        server.should_exit = True


class GrowingPause:
    """Says how long to wait before a worker takes the place of one that was lost."""

    def __init__(self) -> None:
        self._losses = 0
        self._last_loss = -math.inf

    def after_loss(self, now: float) -> float:
        """Count a loss: nothing for the first, then more for each, until none was lost for a while."""
        self._losses = self._losses + 1 if now - self._last_loss < QUIET_SECONDS else 0
        self._last_loss = now
        return min(2.0 ** (self._losses - 1), MAX_PAUSE_SECONDS) if self._losses else 0.0


class Check(threading.Thread):
    """Finds out whether new workers could serve. It may wait for the database: meanwhile workers are looked after."""

    def __init__(self, check: Callable[[], None]) -> None:
        super().__init__(daemon=True)  # who ends does not wait for it
        self._check = check
        self.complaint: str | None = "the check failed; what it said is above"

    def run(self) -> None:
        """Check, and keep what is wrong."""
        try:
            self._check()
            self.complaint = None
        except (ConfigurationError, ServiceUnavailable) as error:
            self.complaint = str(error)


def next_signal(signals: SimpleQueue[int]) -> int | None:
    """Take all that have come by now, or come soon, for one: the end wins, and to reload twice is to reload once."""
    try:
        numbers = [signals.get(timeout=LOOK_SECONDS)]
    except Empty:
        return None
    while not signals.empty():
        numbers.append(signals.get())
    return max(numbers, key=_ENDING.__contains__)


class Supervisor:
    """Keeps as many workers serving as there should be; `check` raises if new ones could not."""

    def __init__(self, config: ServerConfig, listener: socket.socket, check: Callable[[], None]) -> None:
        self._config = config
        self._listener = listener
        self._check = check
        self._checking: Check | None = None  # before workers are replaced
        self._signals = SimpleQueue[int]()
        self._workers: list[Worker] = []  # that serve, or will
        self._outdated: list[Worker] = []  # those of them that are to be replaced
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
                        # One that is under way may have read what was changed since: its result does not count.
                        self._checking = Check(self._check)
                        self._checking.start()
                    self._reload_if_checked()
                    self._look_after_workers()
            finally:
                self._end()

    @contextmanager
    def _hearing_signals(self) -> Iterator[None]:
        """Queue the signals that are for us: they come at any moment, also while something is being done."""
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
        """Start what is missing, and one more when one is to be replaced, and the one before has gone."""
        wanted = self._config.workers + bool(self._outdated and not self._leaving)
        while len(self._workers) < wanted and time.monotonic() >= self._next_start:
            worker = Worker(self._config, self._listener)
            worker.start()
            self._workers.append(worker)
            logger.info("worker_started", pid=worker.pid)

    def _retire_outdated(self) -> None:
        """Let an outdated one go, as soon as there are enough without it."""
        if self._outdated and sum(worker.is_serving for worker in self._workers) > self._config.workers:
            worker = self._outdated.pop(0)
            self._workers.remove(worker)
            self._leaving.append(worker)
            worker.retire()

    def _lose(self, worker: Worker) -> None:
        """Give up a worker that has crashed, hangs or does not start; others stay, and it is soon replaced."""
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
        """Forget a worker that has ended, or that must."""
        if worker.exitcode is None:
            worker.kill()
            worker.join()
        for workers in (self._workers, self._outdated, self._leaving):
            if worker in workers:
                workers.remove(worker)
        log = logger.warning if worker.exitcode else logger.info
        log("worker_ended", pid=worker.pid, exit_code=worker.exitcode)

    def _end(self) -> None:
        """End all at the same time, each of which serves whoever has come by now."""
        refuse_new_connections(self._listener)
        self._listener.close()  # our copy must not be the last one: nobody here accepts what waits
        for worker in self._workers:
            worker.retire()
        for worker in [*self._leaving, *self._workers]:
            worker.process.join(max(0.0, worker.deadline - time.monotonic()))
            self._reap(worker)
