"""What a personal access token allows, for how long, and what requests with invalid ones cost."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from pydantic import SecretStr
from starlette.responses import Response

from backend.api import main
from backend.api.auth import authenticator
from backend.api.auth.scopes import IN_A_LIST, SCOPES
from backend.api.endpoint import Endpoint
from backend.config import Settings
from backend.identity.access_token_format import new_access_token
from backend.models.access_token import Scope
from tests.fixtures.calls.access_tokens import READ, TOKENS, WRITE, listed, make_token, with_token
from tests.fixtures.calls.api import API, new_user, serve
from tests.fixtures.calls.erasure import user_of
from tests.fixtures.calls.exports import give_large_tasks
from tests.fixtures.calls.tasks import create, error_of
from tests.fixtures.documents.contract import Operation, operations
from tests.fixtures.identity.verifying import Clock
from tests.fixtures.inputs.examples import EXAMPLES
from tests.fixtures.postgres.database import execute
from tests.fixtures.postgres.locks import row_locked
from tests.fixtures.postgres.proxy import Proxy
from tests.fixtures.running.waiting import PATIENCE_SECONDS, until

ACCOUNT = {
    "update_account",
    "export_account",
    "erase_account",
    "list_access_tokens",
    "create_access_token",
    "revoke_access_token",
    "change_password",
}
PRIVATE = sorted(name for name, operation in operations().items() if operation.is_private)


def is_allowed(operation: Operation, scopes: tuple[str, ...]) -> bool:
    """Return whether these scopes should allow an operation, computed independently of the service."""
    if operation.id in ACCOUNT:
        return False
    return operation.id == "get_account" or (READ if operation.method == "GET" else WRITE) in scopes


@pytest.mark.requirement("FR-212", "FR-213")
@pytest.mark.parametrize("name", PRIVATE)
@pytest.mark.parametrize("scopes", [(READ,), (WRITE,), (READ, WRITE)], ids="+".join)
def test_a_token_does_what_its_scopes_say_and_no_more(
    api: API, client: httpx.Client, name: str, scopes: tuple[str, ...]
) -> None:
    operation, task, token = operations()[name], create(client), make_token(client, *scopes)
    with with_token(api, token["token"]) as script:
        request = EXAMPLES[name].request_of(user_of(client))
        response = script.request(operation.method, operation.address(task["id"]), **request)

    if is_allowed(operation, scopes):
        assert response.status_code not in {401, 403}, response.text
        return
    error = error_of(response, 403, "FORBIDDEN")
    missing = "" if name in ACCOUNT else READ if operation.method == "GET" else WRITE
    named = f', scope="{missing}"' if missing else ""
    assert response.headers["WWW-Authenticate"] == f'Bearer error="insufficient_scope"{named}'
    assert missing in error["message"]
    assert error["message"] == operation.document["responses"]["403"]["description"]
    assert [one["id"] for one in listed(client)] == [token["id"]]


@pytest.mark.requirement("FR-494")
def test_each_operation_is_open_to_tokens_or_closed_by_name() -> None:
    assert set(PRIVATE) == SCOPES.keys() | ACCOUNT
    assert SCOPES.keys().isdisjoint(ACCOUNT)
    assert SCOPES.keys() >= IN_A_LIST


def a_new_operation() -> Response:
    """Answer, as a handler does that nobody has named among the scopes."""
    return Response(status_code=204)


@pytest.mark.requirement("FR-494")
def test_a_new_operation_is_closed_to_tokens(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [f"/api/{name}/new/operation" for name in ("tasks", "lists", "changes")]
    calls = [(method, path) for path in paths for method in ("GET", "POST")]
    added = [Endpoint(path, a_new_operation, methods=[method], include_in_schema=False) for method, path in calls]
    monkeypatch.setattr(main, "ROUTES", [*added, *main.ROUTES])
    with serve(settings) as api, api.client(new_user()) as client:
        token = make_token(client, READ, WRITE)["token"]
        for method, path in calls:
            for signed_in, status in ((client.headers["Authorization"], 204), (f"Bearer {token}", 403)):
                headers = {"Authorization": signed_in}
                response = httpx.request(method, f"{api.base_url}{path}", headers=headers, trust_env=False)
                assert response.status_code == status, (method, path)


@pytest.mark.requirement("FR-212")
def test_every_scope_is_one_that_the_tests_know() -> None:
    assert set(Scope) == {READ, WRITE}


@pytest.mark.requirement("FR-212")
def test_a_token_that_may_not_is_told_so_before_its_body_is_read(api: API, client: httpx.Client) -> None:
    with with_token(api, make_token(client, READ)["token"]) as script:
        error_of(script.post("/api/tasks?nonsense=1", content="{", headers={"Content-Type": "x"}), 403, "FORBIDDEN")
        error_of(script.get("/api/nothing"), 404, "NOT_FOUND")
        error_of(script.delete("/api/tasks"), 405, "METHOD_NOT_ALLOWED")


@pytest.mark.requirement("FR-212")
def test_what_a_script_makes_is_its_users(api: API, client: httpx.Client, user_id: str) -> None:
    with with_token(api, make_token(client, READ, WRITE)["token"]) as script:
        task = create(script)

        assert script.get("/api/me").json()["data"]["id"] == user_id
    assert client.get("/api/tasks").json()["data"] == [task]
    assert task["user_id"] == user_id


@pytest.mark.requirement("FR-212", "FR-214")
def test_a_stream_ends_when_its_token_is_revoked(settings: Settings) -> None:
    with serve(settings) as api, api.client(new_user()) as client:
        made = make_token(client, READ)
        with with_token(api, made["token"]) as script, script.stream("GET", "/api/changes/stream") as stream:
            assert stream.status_code == 200
            lines = stream.iter_lines()
            next(lines)
            assert client.delete(f"{TOKENS}/{made['id']}").status_code == 204

            assert [line for line in lines if "data:" in line] == []  # the stream ends


def _forged(token: str, user_id: str) -> str:
    """Put another user's id into a token."""
    encoded = token[3:]
    secret = urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))[:32]
    return "tk_" + urlsafe_b64encode(secret + user_id.encode()).decode().rstrip("=")


@pytest.mark.requirement("FR-212", "FR-214")
def test_what_is_like_a_good_token_is_none(api: API, client: httpx.Client, user_id: str) -> None:
    token, other = make_token(client)["token"], new_user()
    last = "B" if token[-1] == "A" else "A"
    for wrong in (
        token[:-1], token + "A", token[:-1] + last, token + "=", token.upper(), token.replace("tk_", "tk_A"),
        new_access_token(user_id), _forged(token, other), _forged(token, user_id + "\0"), "tk_", "tk_" + "A" * 5000,
        "tk_\u00e9", "tk_!!!!", "tk_" + "_" * 60,
    ):  # fmt: skip
        header = (b"Authorization", f"Bearer {wrong}".encode("latin-1"))
        response = httpx.get(f"{api.base_url}/api/me", headers=[header], trust_env=False, timeout=PATIENCE_SECONDS)
        error_of(response, 401, "UNAUTHORIZED")
        assert response.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    with with_token(api, token) as script:
        assert script.get("/api/me").status_code == 200


@pytest.fixture
def clock(proxied: API, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock that decides when the service forgets tokens."""
    clock = Clock(0)
    monkeypatch.setattr(proxied.app.state.authenticator, "_clock", clock)
    return clock


@pytest.fixture
def owner(proxied: API) -> Iterator[httpx.Client]:
    """A signed-in user of the proxied service."""
    with proxied.client(new_user()) as client:
        yield client


def round_trips_of(proxy: Proxy, script: httpx.Client, status: int = 200) -> int:
    """Send a request; returns its round trips."""
    before = proxy.round_trips
    assert script.get("/api/tasks").status_code == status
    return proxy.round_trips - before


@pytest.mark.requirement("FR-214")
def test_a_token_is_looked_up_once_a_minute(
    proxied: API, proxy: Proxy, owner: httpx.Client, clock: Clock, api: API
) -> None:
    made = make_token(owner)
    with with_token(proxied, made["token"]) as script:
        assert [round_trips_of(proxy, script) for _ in range(3)] == [2, 1, 1]
        clock.now += authenticator.REMEMBERED_SECONDS - 1
        assert round_trips_of(proxy, script) == 1
        clock.now += 1
        assert [round_trips_of(proxy, script) for _ in range(3)] == [2, 1, 1]

        # Revoked by another worker: this one is not told, but looks the token up again in time.
        with httpx.Client(
            base_url=api.base_url, headers=owner.headers, trust_env=False, timeout=PATIENCE_SECONDS
        ) as elsewhere:
            assert elsewhere.delete(f"{TOKENS}/{made['id']}").status_code == 204
        assert round_trips_of(proxy, script) == 1
        clock.now += authenticator.REMEMBERED_SECONDS
        assert [round_trips_of(proxy, script, status=401) for _ in range(2)] == [1, 1]
    assert authenticator.REMEMBERED_SECONDS < 60


@pytest.mark.requirement("FR-214")
def test_a_token_expires_with_the_second(proxied: API, owner: httpx.Client, clock: Clock, database_url: str) -> None:
    made = make_token(owner)
    sql = "UPDATE access_tokens SET expires_at = now() + %s * interval '1 second' WHERE id = %s"
    execute(database_url, sql, 30, made["id"])
    assert authenticator.REMEMBERED_SECONDS > 30
    with with_token(proxied, made["token"]) as script:
        assert script.get("/api/me").status_code == 200
        execute(database_url, sql, 0, made["id"])  # the token has expired by the database's clock
        clock.now += 1
        assert script.get("/api/me").status_code == 200  # still cached
        clock.now += 29
        error_of(script.get("/api/me"), 401, "UNAUTHORIZED")


@pytest.mark.requirement("FR-214")
def test_what_is_looked_up_while_something_is_revoked_is_not_remembered(
    proxied: API, proxy: Proxy, owner: httpx.Client, database_url: str
) -> None:
    made, user_id = make_token(owner), owner.get("/api/me").json()["data"]["id"]
    with with_token(proxied, made["token"]) as script, ThreadPoolExecutor(1) as pool:
        with row_locked(database_url, made["id"], "access_tokens") as wait_for:
            looking = pool.submit(script.get, "/api/me")
            wait_for(1)
            proxied.app.state.authenticator.forget(user_id)  # as when one is revoked
        assert looking.result().status_code == 200
        assert [round_trips_of(proxy, script) for _ in range(2)] == [2, 1]


@pytest.mark.requirement("FR-214", "FR-216")
def test_requests_with_one_token_share_a_look_up_and_are_not_counted_as_guesses(
    settings: Settings, database_url: str
) -> None:
    few = {"rate_limit_anonymous": "3/day", "database_pool_size": 2}
    with serve(settings.model_copy(update=few)) as api, api.client(new_user()) as client:
        made = make_token(client)
        with (
            with_token(api, made["token"]) as script,
            ThreadPoolExecutor(20) as pool,
            row_locked(database_url, made["id"], "access_tokens") as wait_for,
        ):
            asked = [pool.submit(script.get, "/api/me") for _ in range(20)]
            wait_for(1)
            assert client.get("/api/me").status_code == 200  # a slot is kept for signed-in users
        assert [request.result().status_code for request in asked] == [200] * 20
        user_id = client.get("/api/me").json()["data"]["id"]
        with with_token(api, made["token"]) as script:
            for _ in range(5):
                api.app.state.authenticator.forget(user_id)
                assert script.get("/api/me").status_code == 200


@pytest.mark.requirement("FR-216")
def test_more_look_ups_than_may_wait_are_refused(
    settings: Settings, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authenticator, "MAX_LOOK_UPS", 2)
    monkeypatch.setattr("backend.api.main.SYNC_SECONDS", 3600)  # or the rate-limit sync may be what waits
    with serve(settings.model_copy(update={"database_pool_size": 2})) as api, api.client(new_user()) as client:
        first, second, third = (make_token(client) for _ in range(3))
        with (
            with_token(api, first["token"]) as script,
            with_token(api, second["token"]) as another,
            with_token(api, third["token"]) as one_too_many,
            ThreadPoolExecutor(2) as pool,
            row_locked(database_url, first["id"], "access_tokens") as wait_for,
        ):
            asked = [pool.submit(script.get, "/api/me")]
            wait_for(1)  # it holds the only slot for look-ups
            asked.append(pool.submit(another.get, "/api/me"))
            until(lambda: api.app.state.connection_limiter.waiting == 1)
            error_of(one_too_many.get("/api/me"), 503, "SERVICE_UNAVAILABLE")
        assert [request.result().status_code for request in asked] == [200, 200]


@pytest.mark.requirement("FR-214")
def test_an_import_ends_with_its_token(api: API, client: httpx.Client) -> None:
    made = make_token(client, WRITE)

    def rows() -> Iterator[bytes]:
        for number in range(300):
            yield b'{"title": "before %d"}\n' % number
        assert client.delete(f"{TOKENS}/{made['id']}").status_code == 204
        for number in range(600):
            yield b'{"title": "after %d"}\n' % number

    with with_token(api, made["token"]) as script:
        response = script.post("/api/tasks/import", content=rows(), headers={"Content-Type": "application/jsonl"})

    error_of(response, 401, "UNAUTHORIZED")
    assert {task["title"].split()[0] for task in client.get("/api/tasks").json()["data"]} <= {"before", "after"}
    assert len(client.get("/api/tasks").json()["data"]) < 900


@pytest.mark.requirement("FR-214")
def test_an_export_ends_with_its_token(api: API, client: httpx.Client, user_id: str, database_url: str) -> None:
    give_large_tasks(database_url, user_id, 400)
    made = make_token(client, READ)
    with with_token(api, made["token"]) as script, script.stream("GET", "/api/tasks/export") as export:
        chunks = export.iter_bytes()
        next(chunks)
        assert client.delete(f"{TOKENS}/{made['id']}").status_code == 204

        with pytest.raises(httpx.RemoteProtocolError):
            list(chunks)


@pytest.mark.requirement("FR-215")
def test_the_last_use_is_noted(proxied: API, owner: httpx.Client, clock: Clock, database_url: str) -> None:
    made = make_token(owner)
    with with_token(proxied, made["token"]) as script:
        assert script.get("/api/me").status_code == 200
        (first,) = listed(owner)
        assert first["last_used_at"] >= made["created_at"]

        execute(database_url, "UPDATE access_tokens SET last_used_at = 'epoch' WHERE id = %s", made["id"])
        clock.now += authenticator.REMEMBERED_SECONDS
        assert script.get("/api/me").status_code == 200
    (second,) = listed(owner)
    assert second["last_used_at"] > first["last_used_at"]


@pytest.mark.requirement("FR-216")
def test_who_has_no_good_token_cannot_make_the_database_work(settings: Settings, proxy: Proxy) -> None:
    few = {"rate_limit_anonymous": "5/day", "database_url": SecretStr(proxy.url)}
    with serve(settings.model_copy(update=few)) as api, api.client(new_user()) as client:
        known, unknown = (make_token(client)["token"] for _ in range(2))
        with with_token(api, known) as script:
            first = script.get("/api/me")
            assert first.status_code == 200
            assert [policy.partition(";")[0] for policy in first.headers.get_list("RateLimit-Policy")] == ['"user"']

            before = proxy.round_trips
            answers = []
            for _ in range(10):
                with with_token(api, new_access_token("somebody")) as guesser:
                    answers.append(guesser.get("/api/me"))
            assert [answer.status_code for answer in answers] == [401] * 5 + [429] * 5
            assert proxy.round_trips - before == 5
            for answer in answers:
                assert answer.headers.get_list("RateLimit-Policy") == ['"address";q=5;w=86400']
            with with_token(api, unknown) as other:
                error_of(other.get("/api/me"), 429, "RATE_LIMITED")

            good = script.get("/api/me")
            assert good.status_code == 200
            assert [policy.partition(";")[0] for policy in good.headers.get_list("RateLimit-Policy")] == ['"user"']
        assert client.get("/api/me").status_code == 200
        before = proxy.round_trips
        with with_token(api, "tk_nonsense") as guesser:
            error_of(guesser.get("/api/me"), 429, "RATE_LIMITED")
        assert proxy.round_trips == before
