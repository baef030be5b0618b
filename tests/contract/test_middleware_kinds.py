"""The application's middleware is plain ASGI: BaseHTTPMiddleware costs every request a task group."""

from __future__ import annotations

import inspect

from pydantic import SecretStr
from starlette.middleware.base import BaseHTTPMiddleware

from backend.api.main import create_app
from backend.config import Settings
from tests.fixtures.identity.tokens import SECRET


def test_no_middleware_is_of_the_kind_that_starts_a_task_for_each_request() -> None:
    nowhere = SecretStr("postgresql://nobody@127.0.0.1:1/nothing")
    app = create_app(Settings.model_construct(database_url=nowhere, jwt_secret=SecretStr(SECRET)))

    kinds = [middleware.cls for middleware in app.user_middleware]
    assert len(kinds) > 1
    assert all(inspect.isclass(kind) and not issubclass(kind, BaseHTTPMiddleware) for kind in kinds)
