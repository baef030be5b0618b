"""Rate limits of one worker as clients see them. Each test has its own users and addresses; windows are days."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import count

import httpx
import pytest
from pydantic import SecretStr

from backend.config import Settings
from backend.rate_limits.store import counted_as
from tests.fixtures.calls.api import API, ORIGIN, new_user, serve
from tests.fixtures.calls.erasure import erasure_of
from tests.fixtures.calls.tasks import MISSING_ID, error_of, everything_of
from tests.fixtures.http.rates import DAY, begin_in_one_day, is_refused, left_of
from tests.fixtures.identity.tokens import SECRET, claims, hmac_token
from tests.fixtures.postgres.database import execute
from tests.fixtures.postgres.proxy import counting_proxy
from tests.fixtures.running.waiting import PATIENCE_SECONDS

REQUESTS = 7
ANONYMOUS = 5


@pytest.fixture(autouse=True)
def one_day() -> None:
    begin_in_one_day()


@pytest.fixture(scope="module")
def limited_settings(settings: Settings) -> Settings:
    limits = {"rate_limit": f"{REQUESTS}/day", "rate_limit_anonymous": f"{ANONYMOUS}/day"}
    return settings.model_copy(update=limits)


@pytest.fixture(scope="module")
def limited(limited_settings: Settings) -> Iterator[API]:
    """The service with low limits."""
    with serve(limited_settings) as running:
        yield running


_numbers = count(1)


@pytest.fixture
def address() -> str:
    """An unused address; a trusted proxy on this machine reports it as the client's address."""
    return f"192.0.2.{next(_numbers)}"


@pytest.fixture
def somebody(limited: API, user_id: str, address: str) -> Iterator[httpx.Client]:
    """A user of the limited service."""
    with limited.client(user_id, **{"X-Forwarded-For": address, "Origin": ORIGIN}) as client:
        yield client


@pytest.fixture
def nobody(limited: API, address: str) -> Iterator[httpx.Client]:
    """A client without a token, at the same address."""
    with limited.client(**{"X-Forwarded-For": address, "Origin": ORIGIN}) as client:
        yield client


@pytest.mark.requirement("FR-100", "FR-104")
def test_every_answer_to_a_user_says_what_is_left(somebody: httpx.Client) -> None:
    answers = [
        somebody.get("/api/tasks"),
        somebody.get(f"/api/tasks/{MISSING_ID}"),
        somebody.get("/api/nothing"),
        somebody.delete("/api/tasks"),
        somebody.post("/api/tasks", json={"title": ""}),
        somebody.post("/api/tasks", content=b"x" * 2**21),
        somebody.head("/api/me"),
        somebody.get("/api/tasks"),
        somebody.get("/api/nothing"),
    ]

    assert [answer.status_code for answer in answers] == [200, 404, 404, 405, 422, 413, 200, 429, 429]
    lefts = [left_of(answer) for answer in answers]
    assert [left.remaining for left in lefts] == [6, 5, 4, 3, 2, 1, 0, 0, 0]
    assert {(left.name, left.requests, left.seconds) for left in lefts} == {("user", REQUESTS, DAY)}
    assert all(1 <= left.reset_seconds <= DAY for left in lefts)


@pytest.mark.requirement("FR-100", "FR-111")
def test_a_malformed_id_is_counted_and_limited_like_any_other(somebody: httpx.Client) -> None:
    answers = [somebody.get(f"/api/tasks/{id_}") for id_ in ("not-an-id", MISSING_ID) * REQUESTS]

    assert [left_of(answer).remaining for answer in answers[:REQUESTS]] == [6, 5, 4, 3, 2, 1, 0]
    assert [answer.status_code for answer in answers] == [404] * REQUESTS + [429] * REQUESTS


@pytest.mark.requirement("FR-101", "FR-104")
def test_every_answer_to_nobody_says_what_is_left_to_the_address(nobody: httpx.Client) -> None:
    bad = {"Authorization": f"Bearer {hmac_token(SECRET, claims(exp=1))}"}
    requests: list[Callable[[], httpx.Response]] = [
        lambda: nobody.get("/api/tasks"),
        lambda: nobody.get("/api/tasks", headers=bad),
        lambda: nobody.get("/nothing"),
        lambda: nobody.get("/openapi.json"),
        lambda: nobody.get("/"),
    ]
    answers = [request() for request in requests]
    refused = [request() for request in requests]

    assert [answer.status_code for answer in answers] == [401, 401, 404, 200, 200]
    lefts = [left_of(answer) for answer in answers]
    assert [left.remaining for left in lefts] == [4, 3, 2, 1, 0]
    assert {(left.name, left.requests, left.seconds) for left in lefts} == {("address", ANONYMOUS, DAY)}
    assert all(is_refused(answer) and left_of(answer).remaining == 0 for answer in refused)


@pytest.mark.requirement("FR-101")
def test_the_files_of_pages_are_not_counted_in_development(nobody: httpx.Client) -> None:
    for path in ("/app/web/", "/app/web/app.js", "/app/task-api.js", "/docs", "/docs/assets/docs.js", "/docs/guide/"):
        assert left_of(nobody.get(path)).remaining == ANONYMOUS


@pytest.mark.requirement("FR-104")
def test_who_asks_after_our_health_is_never_refused_nor_counted(nobody: httpx.Client) -> None:
    for path in ("/health/live", "/health/ready", "/health/live"):
        assert left_of(nobody.get(path)).remaining == ANONYMOUS
    while not is_refused(nobody.get("/")):
        pass

    for path in ("/health/live", "/health/ready"):
        answer = nobody.get(path)
        assert answer.status_code == 200
        assert left_of(answer).remaining == 0


@pytest.mark.requirement("FR-100")
def test_a_refused_request_is_told_when_to_come_back_and_changes_nothing(
    somebody: httpx.Client, api: API, user_id: str
) -> None:
    while somebody.post("/api/tasks", json={"title": "a"}).status_code == 201:
        pass
    with api.client(user_id) as unlimited:
        before = everything_of(unlimited)
        task = f"/api/tasks/{before[0]['data'][0]['id']}"

        for method, path in (("POST", "/api/tasks"), ("PUT", task), ("DELETE", task), ("DELETE", erasure_of(user_id))):
            refused = somebody.request(method, path, json={"title": "b"} if method != "DELETE" else None)

            error = error_of(refused, 429, "RATE_LIMITED")
            assert f"Try again in {refused.headers['Retry-After']} second" in error["message"]
            assert refused.headers["Retry-After"] == str(left_of(refused).reset_seconds)
            assert refused.headers["Access-Control-Allow-Origin"] == ORIGIN
            exposed = refused.headers["Access-Control-Expose-Headers"]
            assert {"RateLimit", "RateLimit-Policy", "Retry-After"} <= set(exposed.split(", "))
        assert len(before[0]["data"]) == REQUESTS
        assert everything_of(unlimited) == before


@pytest.mark.requirement("FR-101")
def test_a_good_token_is_not_refused_for_what_its_address_did(nobody: httpx.Client, somebody: httpx.Client) -> None:
    while not is_refused(nobody.get("/api/tasks")):
        pass

    answer = somebody.get("/api/tasks")
    assert (answer.status_code, left_of(answer).name, left_of(answer).remaining) == (200, "user", REQUESTS - 1)
    while not is_refused(somebody.get("/api/tasks")):
        pass
    assert left_of(nobody.get("/api/tasks")).name == "address"


@pytest.mark.requirement("FR-100")
def test_users_have_a_limit_each(somebody: httpx.Client, limited: API, address: str) -> None:
    while not is_refused(somebody.get("/api/tasks")):
        pass

    with limited.client(new_user(), **{"X-Forwarded-For": address}) as other:
        assert left_of(other.get("/api/tasks")).remaining == REQUESTS - 1


@pytest.mark.requirement("FR-101", "FR-106")
def test_a_network_of_ipv6_has_one_limit(nobody: httpx.Client) -> None:
    def remaining(address: str) -> int:
        return left_of(nobody.get("/", headers={"X-Forwarded-For": address})).remaining

    assert [remaining(f"2001:db8::{number}") for number in range(3)] == [4, 3, 2]
    assert remaining("[2001:db8::ffff]:4711") == 1
    assert remaining("2001:db8:0:1::1") == 4
    assert [remaining(f"::ffff:198.51.100.{number}") for number in (1, 2)] == [4, 4]
    assert [remaining(word) for word in ("unknown", "_hidden", "x" * 5000)] == [4, 3, 2]


@pytest.mark.requirement("FR-106")
def test_of_what_a_proxy_was_told_only_its_own_word_counts(nobody: httpx.Client, address: str) -> None:
    for number in range(ANONYMOUS):
        headers = {"X-Forwarded-For": f"203.0.113.{number}, {address}"}
        assert left_of(nobody.get("/", headers=headers)).remaining == ANONYMOUS - 1 - number

    assert is_refused(nobody.get("/"))


@pytest.mark.requirement("FR-106")
def test_who_is_no_trusted_proxy_cannot_name_another_address(limited_settings: Settings) -> None:
    with (
        serve(limited_settings.model_copy(update={"trusted_proxies": "192.0.2.0/24"})) as running,
        running.client() as client,
    ):
        for number in range(ANONYMOUS):
            headers = {"X-Forwarded-For": f"203.0.113.{number}", "X-Forwarded-Proto": "https"}
            answer = client.get("/", headers=headers)
            assert left_of(answer).remaining == ANONYMOUS - 1 - number
            assert "Strict-Transport-Security" not in answer.headers
        assert is_refused(client.get("/"))


@pytest.mark.requirement("FR-101", "FR-102")
def test_who_brings_no_good_token_never_reaches_the_database(limited_settings: Settings, database_url: str) -> None:
    with counting_proxy(database_url) as proxy:
        changes = {"database_url": SecretStr(proxy.url), "rate_limit_anonymous": "2/second"}
        with serve(limited_settings.model_copy(update=changes)) as running, running.client() as client:
            statuses = [client.get("/api/tasks").status_code for _ in range(500)]
            assert set(statuses) == {401, 429}
        assert proxy.round_trips == 0


@pytest.mark.requirement("FR-105")
def test_all_of_it_can_be_turned_off(
    limited_settings: Settings, database_url: str, user_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.api.main.SYNC_SECONDS", 0.01)
    with serve(limited_settings.model_copy(update={"rate_limit_enabled": False})) as running:
        # Without the fixture's contract check, as the contract promises the headers.
        with httpx.Client(base_url=running.base_url, trust_env=False, timeout=PATIENCE_SECONDS) as client:
            token = running.client(user_id).headers
            for _ in range(2 * REQUESTS):
                for path, headers in (("/api/me", token), ("/api/me", {}), ("/health/live", {})):
                    answer = client.get(path, headers=headers)
                    assert answer.status_code == (401 if path == "/api/me" and not headers else 200)
                    assert not [name for name in answer.headers if name.startswith("ratelimit")]
        time.sleep(0.1)  # time for many rate-limit syncs
    assert execute(database_url, "SELECT requests FROM rate_limits WHERE user_id = %s", counted_as(user_id)) == []
