"""A worker's memory does not grow with requests, users or tasks: everything it caches has a bound.

The tests name the service's own objects.
"""

from __future__ import annotations

import functools
import gc
import http.client
import importlib
import json
import pkgutil
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import closing
from types import ModuleType
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import uuid4

import pytest

import backend
from backend.config import Settings
from backend.database import prepared
from backend.identity import jwt
from backend.identity.jwt import issue_token
from backend.rate_limits import counter
from tests.fixtures.calls.access_tokens import TOKENS, wanted
from tests.fixtures.calls.api import API, new_user, serve
from tests.fixtures.calls.erasure import erasure_of
from tests.fixtures.calls.task_files import EXPORT, IMPORT, LINES
from tests.fixtures.identity.tokens import SECRET
from tests.fixtures.running.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.requirement("FR-196")

REMEMBERED = 5  # cached tokens, counted users, and the prepared statements of a connection
USERS = 12  # far more than are cached
COLLECTIONS = (dict, list, set, frozenset, deque)
OF_WHO_IS_THERE = {
    "Authenticator._under_way",
    "Connector._made",
    "Feed.open",
    "Slots.taken",
    "Shares.taken",
    "Turns._lines",
    "Unread._watches",
}
REMEMBERING = {"PreparedStatements.names", "TokenMemory._tokens", "_Window.totals", "_Window.unsynced"}
Kept = Counter[tuple[str, int]]
CACHE: Any = type(functools.cache(len))
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def live(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[API]:
    """A service of this test alone, with small caches."""
    monkeypatch.setattr(jwt, "MAX_REMEMBERED_TOKENS", REMEMBERED)
    monkeypatch.setattr(counter, "MAX_KEYS", REMEMBERED)
    # Another connection may open at any time, and then prepares what the first connections have prepared long ago.
    monkeypatch.setattr(prepared, "MAX_PREPARED", REMEMBERED)
    with serve(settings) as running:
        running.app.state.feed.stream_seconds = 0
        yield running


@pytest.fixture(scope="module")
def modules() -> list[ModuleType]:
    """All modules of the service."""
    return [importlib.import_module(found.name) for found in pkgutil.walk_packages(backend.__path__, "backend.")]


class User:
    """A new user, whose connection closes in the service."""

    def __init__(self, base_url: str) -> None:
        self.connection = http.client.HTTPConnection(urlsplit(base_url).netloc, timeout=PATIENCE_SECONDS)
        self.user_id = new_user()
        self.token = issue_token(SECRET, self.user_id, ttl_seconds=600)

    def ask(self, status: int, method: str, path: str, body: object = None, **headers: str) -> Any:
        """Send a request, which must have this status; returns the response."""
        content = None if body is None else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {"Authorization": f"Bearer {self.token}", "X-Request-Id": uuid4().hex, **JSON, **named}
        self.connection.request(method, path, content, sent)
        answer = self.connection.getresponse()
        text = answer.read()
        assert answer.status == status, text
        return json.loads(text) if answer.headers.get_content_type() == "application/json" and text else None

    def do_everything(self) -> None:
        """Send every kind of request, with values that nobody has sent before."""
        self.write()
        # Not at the end, where it might remove leftovers of other requests.
        self.ask(204, "DELETE", erasure_of(self.user_id))
        self.write()
        self.read()
        self.use_files_and_tokens()
        self.be_refused()

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

    def use_files_and_tokens(self) -> None:
        """Export, import, and use a personal access token."""
        self.ask(200, "GET", EXPORT, Accept=LINES)
        self.ask(200, "POST", IMPORT, {"title": uuid4().hex}, Content_Type=LINES)
        made = self.ask(201, "POST", TOKENS, wanted())["data"]
        self.ask(200, "GET", "/api/tasks", Authorization=f"Bearer {made['token']}")

    def be_refused(self) -> None:
        """Request missing things, and send invalid requests."""
        self.ask(404, "GET", f"/api/tasks/{uuid4()}")
        self.ask(404, "GET", f"/api/{uuid4().hex}")
        self.ask(422, "POST", "/api/tasks", {"title": "", uuid4().hex: 1})
        self.ask(422, "GET", f"/api/tasks?{uuid4().hex}=1")
        self.ask(401, "GET", "/api/tasks", Authorization=f"Bearer {uuid4().hex}")


def let_come_and_go(live: API, users: int) -> None:
    """Let this many new users do everything, each on a connection that is then closed."""
    for _ in range(users):
        user = User(live.base_url)
        with closing(user.connection):
            user.do_everything()


def kept(modules: list[ModuleType]) -> Kept:
    """Count the items in each of the service's own collections, and the objects of each of its classes.

    A key is a name, and the id of the collection's holder: the services of other tests are in this process, too.
    """
    gc.collect()
    found: Kept = Counter()
    for each in [*modules, *gc.get_objects()]:
        kind, is_module = type(each), isinstance(each, ModuleType)
        if not is_module and not str(kind.__module__).startswith("backend."):
            continue
        name = each.__name__ if is_module else kind.__qualname__
        found[name, 0] += 1
        slots = {slot for base in kind.__mro__ for slot in base.__dict__.get("__slots__", ())}
        for attribute in slots.union(getattr(each, "__dict__", ())):
            held = getattr(each, attribute, None)
            if isinstance(held, COLLECTIONS):
                found[f"{name}.{attribute}", id(each)] = len(held)
    return found


def too_much(before: Kept, after: Kept) -> dict[str, int]:
    """Name what grew by one for each new user; for collections that hold only current users, what grew at all."""
    return {
        name: size
        for (name, holder), size in after.items()
        if size >= before[name, holder] + (1 if name in OF_WHO_IS_THERE else USERS)
    }


def test_nothing_of_the_service_grows_with_its_users(live: API, modules: list[ModuleType]) -> None:
    let_come_and_go(live, 1)  # for what is done once in the life of a process
    before = kept(modules)
    let_come_and_go(live, USERS)

    deadline = time.monotonic() + PATIENCE_SECONDS  # the last connection is still closing
    while (found := too_much(before, after := kept(modules))) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert found == {}
    names = {name for name, _ in after}
    assert names >= {*OF_WHO_IS_THERE, *REMEMBERING}  # or the test would have looked at nothing


def test_every_cache_has_a_bound(modules: list[ModuleType]) -> None:
    caches = {
        f"{module.__name__}.{name}": value.cache_parameters()["maxsize"]
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, CACHE)
    }

    assert caches
    assert None not in caches.values()
