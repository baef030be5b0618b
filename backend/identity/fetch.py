"""Fetches a small document from an address set by the operator."""

from __future__ import annotations

import asyncio

import httpx


async def download(url: str, *, is_local: bool, max_bytes: int, timeout_seconds: float) -> bytes:
    """Return the response body; raises ValueError for any status but 200, and for a body that is too large."""
    # The environment's proxies and CA bundles apply (operators need them), except on connections to this machine.
    # Compression is refused because it would hide the true size.
    async with (
        asyncio.timeout(timeout_seconds),  # httpx's own timeout is per read, not in total
        httpx.AsyncClient(timeout=timeout_seconds, follow_redirects=False, trust_env=not is_local) as client,
        client.stream("GET", url, headers={"Accept-Encoding": "identity"}) as response,
    ):
        if response.status_code != httpx.codes.OK:
            raise ValueError(f"status {response.status_code}")
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > max_bytes:
                raise ValueError(f"more than {max_bytes} bytes")
        return bytes(body)
