"""The types of applications in uvicorn, which keeps them private: no other module of ours imports them from there."""

from __future__ import annotations

from uvicorn._types import (
    ASGI3Application,
    ASGIReceiveCallable,
    ASGISendCallable,
    ASGISendEvent,
    Scope,
)

__all__ = ["ASGI3Application", "ASGIReceiveCallable", "ASGISendCallable", "ASGISendEvent", "Scope"]
