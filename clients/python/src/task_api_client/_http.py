"""The only place that knows httpx: how a step of a call becomes a request, and its answer a value."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Union

import httpx

from task_api_client._core.steps import Answer, Open, Send

if TYPE_CHECKING:
    import ssl

TIMEOUT = httpx.Timeout(30, connect=5, pool=10)
# The service sends something every 15 seconds, so a stream that is silent for this long is dead.
STREAM_TIMEOUT = httpx.Timeout(45, connect=5, pool=10)
FAILURES = (httpx.TransportError, httpx.DecodingError, httpx.StreamError)


Http = httpx.Client
AsyncHttp = httpx.AsyncClient
Response = httpx.Response


def new_http() -> Http:
    """Return what sends requests."""
    return Http(timeout=TIMEOUT, verify=_trust())


def new_async_http() -> AsyncHttp:
    """Return what sends requests with `await`."""
    return AsyncHttp(timeout=TIMEOUT, verify=_trust())


@lru_cache(maxsize=1)
def _trust() -> ssl.SSLContext:
    """Return the certificates of all authorities, which are loaded once for all clients."""
    return httpx.create_ssl_context()


def request_of(http: Union[httpx.Client, httpx.AsyncClient], address: str, step: Union[Send, Open]) -> httpx.Request:
    """Return the request of a step."""
    asked = step.request
    headers = {"Accept": "text/event-stream" if isinstance(step, Open) else "*/*", **asked.headers}
    if step.token is not None:
        headers["Authorization"] = f"Bearer {step.token}"
    timeout: dict[str, Any] = {"timeout": STREAM_TIMEOUT} if isinstance(step, Open) else {}
    return http.build_request(asked.method, address + asked.path, content=asked.content, headers=headers, **timeout)


def answer_of(response: httpx.Response, content: bytes) -> Answer:
    """Return what came of a step."""
    return Answer(response.status_code, {name.lower(): value for name, value in response.headers.items()}, content)
