"""Takes the steps of calls one after the other, in the thread of who calls."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterator
from typing import Any, Callable, Optional, TypeVar, Union, cast

from task_api_client._core.context import Context
from task_api_client._core.steps import Answer, AskForToken, Call, Give, Loop, Lost, Open, ReadOn, Send, Step, Wait
from task_api_client._http import FAILURES, Http, Response, answer_of, new_http, request_of

T = TypeVar("T")


class Stream:
    """The stream that a call has open, if it has one."""

    def __init__(self) -> None:
        self.response: Optional[Response] = None
        self.pieces: Iterator[bytes] = iter(())

    def begin(self, response: Response) -> None:
        """Read this response from now on."""
        self.close()
        self.response, self.pieces = response, response.iter_raw()

    def read_on(self) -> Optional[bytes]:
        """Wait for the next piece; None after the last."""
        try:
            return next(self.pieces, None)
        except FAILURES:
            return None

    def close(self) -> None:
        """Leave the stream."""
        if self.response is not None:
            self.response.close()


class Driver:
    """Sends the requests of one client."""

    def __init__(self, address: str, context: Context, http: Optional[Http]) -> None:
        self.context = context
        self.is_open = False
        self._address = address.rstrip("/")
        self._given = http
        self._own: Optional[Http] = None
        self._alone = threading.Lock()
        self._opening = threading.Lock()

    @property
    def _http(self) -> Http:
        if self._given is not None:
            return self._given
        with self._opening:
            if self._own is None:
                self._own, self.is_open = new_http(), True
            return self._own

    def close(self) -> None:
        """Close the connections, if they are ours."""
        if self._own is not None:
            self._own.close()
        self._own, self.is_open = None, False

    def run(self, call: Call[T]) -> T:
        """Take all steps of a call, and return what it returns."""
        stream, result = Stream(), None
        try:
            while True:
                result = self._take(call.send(result), stream)
        except StopIteration as end:
            return cast(T, end.value)
        finally:
            call.close()
            stream.close()

    def loop(self, steps: Loop[T], is_over: Callable[[], bool] = lambda: False) -> Generator[T, None, None]:
        """Take the steps of a call as far as its items are asked for."""
        stream, result = Stream(), None
        try:
            while not is_over():
                step = steps.send(result)
                if isinstance(step, Give):
                    result = None
                    yield step.item
                else:
                    result = self._take(step, stream)
        except StopIteration:
            return
        finally:
            steps.close()
            stream.close()

    def _take(self, step: Step, stream: Stream) -> Any:
        if isinstance(step, (Send, Open)):
            return self._send(step, stream)
        if isinstance(step, ReadOn):
            return stream.read_on()
        if isinstance(step, Wait):
            return (self.context.timing.wait or time.sleep)(step.seconds)
        if isinstance(step, AskForToken):
            return cast(Any, self.context.get_token)(step.is_fresh)
        with self._alone:
            return self.run(step.steps)

    def _send(self, step: Union[Send, Open], stream: Stream) -> Union[Answer, Lost]:
        http = self._http
        try:
            response = http.send(request_of(http, self._address, step), stream=True)
            if isinstance(step, Open) and response.is_success:
                stream.begin(response)
                return answer_of(response, b"")
            try:
                return answer_of(response, response.read())
            finally:
                response.close()
        except FAILURES as cause:
            return Lost(cause)
