"""What all calls of a client share: the session, and what decides about time and chance."""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any, Callable, Optional, Union

from task_api_client.values import Session

GetToken = Callable[[bool], Union[str, Awaitable[str]]]  # takes whether the last token was refused
Token = Union[str, GetToken, Session, None]


@dataclass(frozen=True)
class Timing:
    """The clock, in seconds, a random number from 0 to 1, and how to wait, if not by sleeping."""

    clock: Callable[[], float] = time.monotonic
    random: Callable[[], float] = random.random
    wait: Optional[Callable[[float], Any]] = None


@dataclass
class Context:
    """What the calls of a client share."""

    timing: Timing = field(default_factory=Timing)
    get_token: Optional[GetToken] = None
    token: Optional[str] = None
    session: Optional[Session] = None
    expires_at: Optional[float] = None  # when the token of the session does, by our own clock
    on_session: Callable[[Optional[Session]], None] = lambda _session: None

    @classmethod
    def of(cls, token: Token, on_session: Optional[Callable[[Optional[Session]], None]], timing: Timing) -> Context:
        """Return the context of a client that was given this token."""
        context = cls(timing)
        if on_session is not None:
            context.on_session = on_session
        if isinstance(token, Session):
            context.session, context.token = token, token.access_token
        elif callable(token):
            context.get_token = token
        else:
            context.token = token
        return context
