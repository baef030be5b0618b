"""Authentication and rate limits: checks the token of each request under /api first, and counts every request."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from backend.api.auth.authenticator import Authenticator, bearer_token
from backend.api.http.paths import OPEN
from backend.api.http.request_state import request_state
from backend.database.deadline import current_work
from backend.errors import RateLimited, TaskAPIError
from backend.rate_limits.counter import RateLimiter, RateLimits, network_of


class Authentication:
    """Checks the token of each request under /api, before its path, body or anything else, and counts the request.

    The calls by which people sign in need none, and do not look at one.
    """

    def __init__(
        self, app: ASGIApp, authenticator: Authenticator, limits: RateLimits | None, uncounted: tuple[str, ...]
    ) -> None:
        self.app = app
        self.uncounted = uncounted
        self.authenticator = authenticator
        self.limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Judge the token and the rate, then pass the request on."""
        if scope["type"] == "http":
            await self._admit(scope)
        await self.app(scope, receive, send)

    async def _admit(self, scope: Scope) -> None:
        """Set the principal of a request; raises Unauthorized or RateLimited, but not for the `uncounted` paths."""
        path = scope["path"] + "/"
        if not path.startswith("/api/"):
            self._count_address(scope, cost=0 if path.startswith(self.uncounted) else 1)
            return
        if scope["path"] in OPEN:
            self._count_address(scope)
            return
        state = request_state(scope)
        headers = state["headers"]
        try:
            principal = await self.authenticator.principal(bearer_token(scope), lambda: self._count_address(scope))
        except TaskAPIError:
            if state["headers"] is headers:
                self._count_address(scope)
            raise
        if self.limits and state["headers"] is not headers:  # a token was looked up, and is valid
            self.limits.addresses.take_back(_address_of(scope))
            state["headers"] = headers
        state["user_id"] = current_work().user_id = principal.user_id
        state["scopes"], state["list_id"] = principal.scopes, principal.list_id
        state["actor"] = principal.actor
        if self.limits:
            _count(scope, self.limits.users, principal.user_id)

    def _count_address(self, scope: Scope, cost: int = 1) -> None:
        if self.limits:
            _count(scope, self.limits.addresses, _address_of(scope), cost)


def _address_of(scope: Scope) -> str:
    return network_of(scope["client"][0] if scope["client"] else "")


def _count(scope: Scope, limiter: RateLimiter, key: str, cost: int = 1) -> None:
    """Count the request, add headers that say how many are left, and raise RateLimited if none was left.

    The headers follow draft-ietf-httpapi-ratelimit-headers-11.
    """
    usage = limiter.hit(key, cost)
    policy = f'"{limiter.name}";q={limiter.rate.requests};w={limiter.rate.seconds}'
    left = f'"{limiter.name}";r={usage.remaining};t={usage.reset_seconds}'
    headers = ((b"ratelimit-policy", policy.encode()), (b"ratelimit", left.encode()))
    state = request_state(scope)
    state["headers"] = [*state["headers"], *headers]
    if not usage.allowed:
        raise RateLimited(usage.reset_seconds)
