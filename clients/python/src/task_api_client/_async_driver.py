"""Takes the steps of calls with `await`."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, Optional, TypeVar, Union, cast

from task_api_client._core.context import Context
from task_api_client._core.steps import Answer, AskForToken, Call, Give, Loop, Lost, Open, ReadOn, Send, Step, Wait
from task_api_client._http import FAILURES, AsyncHttp, Response, answer_of, new_async_http, request_of

T = TypeVar("T")


class Stream:
    """The stream that a call has open, if it has one."""

    def __init__(self) -> None:
        self.response: Optional[Response] = None
        self.pieces: Optional[AsyncIterator[bytes]] = None

    async def begin(self, response: Response) -> None:
        """Read this response from now on."""
        await self.close()
        self.response, self.pieces = response, response.aiter_raw()

    async def read_on(self) -> Optional[bytes]:
        """Wait for the next piece; None after the last."""
        try:
            return await cast(AsyncIterator[bytes], self.pieces).__anext__()
        except (StopAsyncIteration, *FAILURES):
            return None

    async def close(self) -> None:
        """Leave the stream."""
        if self.response is not None:
            await self.response.aclose()


class AsyncDriver:
    """Sends the requests of one client. Connections belong to the loop that made them: another loop gets new ones."""

    def __init__(self, address: str, context: Context, http: Optional[AsyncHttp]) -> None:
        self.context = context
        self.is_open = False
        self._address = address.rstrip("/")
        self._given = http
        self._own: Optional[AsyncHttp] = None
        self._loop: Optional[asyncio.AbstractEventLoop] = None
        self._alone: Optional[asyncio.Lock] = None

    def _enter_loop(self) -> None:
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop, self._own, self._alone = loop, None, asyncio.Lock()

    def _http(self) -> AsyncHttp:
        self._enter_loop()
        if self._given is not None:
            return self._given
        if self._own is None:
            self._own, self.is_open = new_async_http(), True
        return self._own

    async def close(self) -> None:
        """Close the connections, if they are ours."""
        own, self._own, self.is_open = self._own, None, False
        if own is not None and self._loop is asyncio.get_running_loop():
            await own.aclose()

    async def run(self, call: Call[T]) -> T:
        """Take all steps of a call, and return what it returns."""
        stream, result = Stream(), None
        try:
            while True:
                result = await self._take(call.send(result), stream)
        except StopIteration as end:
            return cast(T, end.value)
        finally:
            call.close()
            await stream.close()

    async def loop(self, steps: Loop[T]) -> AsyncGenerator[T, None]:
        """Take the steps of a call as far as its items are asked for."""
        stream, result = Stream(), None
        try:
            while True:
                step = steps.send(result)
                if isinstance(step, Give):
                    result = None
                    yield step.item
                else:
                    result = await self._take(step, stream)
        except StopIteration:
            return
        finally:
            steps.close()
            await stream.close()

    async def _take(self, step: Step, stream: Stream) -> Any:
        if isinstance(step, (Send, Open)):
            return await self._send(step, stream)
        if isinstance(step, ReadOn):
            return await stream.read_on()
        if isinstance(step, Wait):
            return await (self.context.timing.wait or asyncio.sleep)(step.seconds)
        if isinstance(step, AskForToken):
            token = cast(Any, self.context.get_token)(step.is_fresh)
            return await token if inspect.isawaitable(token) else token
        self._enter_loop()
        async with cast(asyncio.Lock, self._alone):
            return await self.run(step.steps)

    async def _send(self, step: Union[Send, Open], stream: Stream) -> Union[Answer, Lost]:
        http = self._http()
        try:
            response = await http.send(request_of(http, self._address, step), stream=True)
            if isinstance(step, Open) and response.is_success:
                await stream.begin(response)
                return answer_of(response, b"")
            try:
                return answer_of(response, await response.aread())
            finally:
                await response.aclose()
        except FAILURES as cause:
            return Lost(cause)
