"""What a worker keeps does not grow with requests, users or tasks: what it remembers has a bound."""

from __future__ import annotations

import functools
import gc
import http.client
import importlib
import json
import pkgutil
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import uuid4

import pytest
from coverage import Coverage
from pydantic import SecretStr
from sqlalchemy import make_url

import backend
from backend.config import Settings
from backend.utils import auth, rate_limits
from backend.utils.auth import issue_token
from tests.fixtures.api import API, new_user, serve
from tests.fixtures.database import execute
from tests.fixtures.tokens import SECRET

pytestmark = pytest.mark.requirement("FR-196")

REMEMBERED = 10  # tokens, and users that are counted: full before anything is measured
USERS = 20  # in a round
MOST_ROUNDS = 12
KEPT_BY_COVERAGE = 120  # objects: three for each request, see tests/fixtures/measured.py
CACHE: Any = type(functools.cache(len))
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def live(settings: Settings, own_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[API]:
    """A service of this test alone, which remembers little, on a database that does not wait for its disk."""
    execute(own_url, f"ALTER DATABASE {make_url(own_url).database} SET synchronous_commit = off")
    monkeypatch.setattr(auth, "MAX_REMEMBERED_TOKENS", REMEMBERED)
    monkeypatch.setattr(rate_limits, "MAX_KEYS", REMEMBERED)
    with serve(settings.model_copy(update={"database_url": SecretStr(own_url)})) as running:
        running.app.state.feed.stream_seconds = 0
        yield running


class User:
    """A user whom nobody has seen before, on a connection of the service's own."""

    def __init__(self, base_url: str) -> None:
        self.connection = http.client.HTTPConnection(urlsplit(base_url).netloc, timeout=30)
        self.token = issue_token(SECRET, new_user(), ttl_seconds=600)

    def ask(self, status: int, method: str, path: str, body: object = None, **headers: str) -> Any:
        """Send a request, which must have this status; returns what is answered."""
        content = None if body is None else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {"Authorization": f"Bearer {self.token}", "X-Request-Id": uuid4().hex, **JSON, **named}
        self.connection.request(method, path, content, sent)
        answer = self.connection.getresponse()
        text = answer.read()
        assert answer.status == status, text
        return json.loads(text) if answer.headers.get_content_type() == "application/json" and text else None

    def do_everything(self) -> None:
        """Ask for whatever there is, with values that nobody has sent before."""
        self.write()
        self.read()
        self.be_refused()
        self.ask(204, "DELETE", "/api/me")

    def write(self) -> None:
        """Change tasks in every way."""
        name, ids = uuid4().hex, [str(uuid4()) for _ in range(2)]
        for task_id in ids:
            self.ask(201, "POST", "/api/tasks", {"id": task_id, "title": name}, Idempotency_Key=uuid4().hex)
        self.ask(201, "POST", "/api/tasks", {"title": name, "description": name})
        path = f"/api/tasks/{ids[0]}"
        self.ask(200, "PUT", path, {"title": uuid4().hex}, If_Match='"1"')
        self.ask(200, "PATCH", path, {"description": uuid4().hex})
        self.ask(200, "PATCH", f"{path}/complete")
        self.ask(204, "DELETE", path)
        self.ask(200, "POST", f"{path}/restore")
        self.ask(200, "POST", "/api/tasks/batch", {"operations": [{"op": "complete", "id": each} for each in ids]})

    def read(self) -> None:
        """Read in every way."""
        page = self.ask(200, "GET", "/api/tasks?sort=title&limit=1&include_total=true")
        self.ask(200, "GET", f"/api/tasks?sort=title&limit=1&cursor={quote(page['page']['next_cursor'])}")
        self.ask(200, "GET", f"/api/tasks?q={uuid4().hex}&ids={uuid4()}", If_None_Match=f'"{uuid4().hex}"')
        self.ask(200, "GET", f"/api/tasks/{page['data'][0]['id']}")
        for path in ("/api/changes", "/api/changes/stream", "/api/me", "/api/me/export", "/health/ready"):
            self.ask(200, "GET", path)

    def be_refused(self) -> None:
        """Ask for what is not there, and say what is wrong."""
        self.ask(404, "GET", f"/api/tasks/{uuid4()}")
        self.ask(404, "GET", f"/api/{uuid4().hex}")
        self.ask(422, "POST", "/api/tasks", {"title": "", uuid4().hex: 1})
        self.ask(422, "GET", f"/api/tasks?{uuid4().hex}=1")
        self.ask(401, "GET", "/api/tasks", Authorization=f"Bearer {uuid4().hex}")


def objects_after_a_round(live: API, caplog: pytest.LogCaptureFixture) -> int:
    """Let new users do everything, and count what is in memory afterwards."""
    for _ in range(USERS):
        user = User(live.base_url)
        with closing(user.connection):
            user.do_everything()
    caplog.clear()
    time.sleep(0.2)  # the last connection is being closed
    gc.collect()
    return sys.getallocatedblocks()


def test_a_worker_keeps_nothing_of_requests_and_users(live: API, caplog: pytest.LogCaptureFixture) -> None:
    # What measures coverage keeps something of each greenlet, which is of each request. Without it, nothing is to stay.
    most = USERS * KEPT_BY_COVERAGE if Coverage.current() else USERS
    before, added = objects_after_a_round(live, caplog), []
    for _ in range(MOST_ROUNDS):
        after = objects_after_a_round(live, caplog)
        added.append(after - before)
        before = after
        # What is kept of a user, or of a request, is one object at the least, in every round.
        if added[-1] < most:
            return

    pytest.fail(f"each of the rounds with {USERS} users has left objects in memory: {added}")


def test_every_cache_has_a_bound() -> None:
    modules = [importlib.import_module(found.name) for found in pkgutil.walk_packages(backend.__path__, "backend.")]
    caches = {
        f"{module.__name__}.{name}": value.cache_parameters()["maxsize"]
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, CACHE)
    }

    assert caches
    assert None not in caches.values()
