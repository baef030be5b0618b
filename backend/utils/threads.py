"""Starts threads without making the event loop wait until they run: on a busy machine that takes a while."""

from __future__ import annotations

import threading
from functools import lru_cache
from queue import SimpleQueue

import structlog

logger = structlog.get_logger(__name__)


def start_soon(thread: threading.Thread) -> None:
    """Start a thread without waiting for it. Logs an error when the system cannot start one."""
    _queue().put(thread)


@lru_cache(maxsize=1)
def _queue() -> SimpleQueue[threading.Thread]:
    queue = SimpleQueue[threading.Thread]()
    threading.Thread(target=_start_all, args=(queue,), name="starting threads", daemon=True).start()
    return queue


def _start_all(queue: SimpleQueue[threading.Thread]) -> None:
    while True:
        thread = queue.get()
        try:
            thread.start()
        except RuntimeError as error:
            logger.error("thread_not_started", thread=thread.name, reason=str(error))  # noqa: TRY400 - a traceback would say no more
