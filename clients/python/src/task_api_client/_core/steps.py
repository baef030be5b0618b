"""The steps of a call. A driver takes each, and gives back what came of it.

Whatever the service answers, a call decides alike in `Client` and `AsyncClient`, because both take the same steps.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Generic, Optional, TypeVar, Union

T = TypeVar("T")


@dataclass(frozen=True)
class Request:
    """A request: what it asks for, and whether it may be sent again when its answer was lost."""

    method: str
    path: str
    content: Optional[bytes] = None
    headers: Mapping[str, str] = field(default_factory=dict)
    may_repeat: bool = False


@dataclass(frozen=True)
class Answer:
    """An answer, with the names of its headers in small letters."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def is_success(self) -> bool:
        """Whether the service did what it was asked for."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES

    def read(self) -> Any:
        """Return the JSON of the body, or None if it is something else."""
        if not self.headers.get("content-type", "").startswith("application/json"):
            return None
        try:
            return json.loads(self.content)
        except ValueError:  # cut off
            return None


@dataclass(frozen=True)
class Lost:
    """No answer came."""

    cause: Exception


@dataclass(frozen=True)
class Send:
    """Send a request with this token; gives an Answer, or Lost."""

    request: Request
    token: Optional[str]


@dataclass(frozen=True)
class Open:
    """Send a request whose answer is a stream. Gives an Answer, without content if it is a success, or Lost."""

    request: Request
    token: Optional[str]


@dataclass(frozen=True)
class ReadOn:
    """Wait for more of the stream; gives bytes, or None when it has ended, broken, or is silent for too long."""


@dataclass(frozen=True)
class Wait:
    """Wait."""

    seconds: float


@dataclass(frozen=True)
class AskForToken:
    """Ask the program for a token: a fresh one if the last was refused."""

    is_fresh: bool


@dataclass(frozen=True)
class Alone:
    """Take these steps while no other call of the same client takes such steps; gives what they return."""

    steps: Generator[Any, Any, Any]


@dataclass(frozen=True)
class Give(Generic[T]):
    """Give this item to who loops over the call."""

    item: T


Step = Union[Send, Open, ReadOn, Wait, AskForToken, Alone]
Call = Generator[Step, Any, T]  # a call that returns a T
Loop = Generator[Union[Step, Give[T]], Any, None]  # a call that gives Ts
