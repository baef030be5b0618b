"""Guessing passwords: it tells nothing, is limited, and locks nobody out."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import argon2
import httpx
import pytest

from backend.config import Settings
from backend.database.engine import Connection
from backend.identity import passwords
from backend.identity.email_address import email_key
from tests.fixtures.calls.api import API, serve
from tests.fixtures.calls.sign_in import OTHER_PASSWORD, PASSWORD, code_of, log_in, new_email, refresh, register
from tests.fixtures.calls.tasks import create
from tests.fixtures.running.waiting import PATIENCE_SECONDS

PARAMETERS = "m=19456,t=2,p=1"
# What the service asks by itself: to share the counts of requests, and to purge.
IN_BACKGROUND = ("rate_limits", "users_with_expired_rows")


@pytest.fixture(scope="module")
def api(settings: Settings) -> Iterator[API]:
    """A service of its own: what is counted here concerns no other test."""
    with serve(settings) as api:
        yield api


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note what costs time, from now on: hashes with their parameters, and round trips to the database."""
    noted: list[str] = []
    hash_it, compare, send = argon2.PasswordHasher.hash, argon2.PasswordHasher.verify, Connection.send

    def hash_noted(self: argon2.PasswordHasher, password: bytes, *, salt: bytes | None = None) -> str:
        noted.append("hash")
        return hash_it(self, password, salt=salt)

    def compare_noted(self: argon2.PasswordHasher, stored: str, password: bytes) -> bool:
        noted.append(f"compare {stored.split('$')[3]}")
        return compare(self, stored, password)

    def send_noted(self: Connection, sql: str, *arguments: Any) -> object:
        if not any(name in sql for name in IN_BACKGROUND):
            noted.append("round trip")
        return send(self, sql, *arguments)

    monkeypatch.setattr(argon2.PasswordHasher, "hash", hash_noted)
    monkeypatch.setattr(argon2.PasswordHasher, "verify", compare_noted)
    monkeypatch.setattr(Connection, "send", send_noted)
    return noted


def from_network(api: API, number: int) -> httpx.Client:
    """Return a client of a network of its own; the service trusts the proxy that says so."""
    return api.client(**{"X-Forwarded-For": f"10.{number >> 8}.{number & 255}.1"})


@pytest.mark.requirement("FR-524")
@pytest.mark.parametrize("password", [OTHER_PASSWORD, "", "x" * 4000])
def test_an_unknown_address_costs_what_a_wrong_password_costs(api: API, work: list[str], password: str) -> None:
    known = register(api).email
    answers, costs = [], []
    for number, email in enumerate((known, new_email())):
        with from_network(api, number) as client:
            del work[:]
            answers.append(log_in(client, email, password))
            costs.append(list(work))

    assert costs[0] == costs[1] == ["round trip", f"compare {PARAMETERS}"]
    assert code_of(answers[0]) == code_of(answers[1])
    told = [{name: value for name, value in answer.headers.items() if name not in VARYING} for answer in answers]
    assert told[0] == told[1]
    assert [answer.json()["error"]["message"] for answer in answers] == [answers[0].json()["error"]["message"]] * 2


VARYING = {"date", "x-request-id", "ratelimit", "ratelimit-policy"}


@pytest.mark.requirement("FR-552", "FR-553")
def test_of_thirty_tries_at_once_ten_are_compared(api: API, work: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "MAX_WAIT_SECONDS", PATIENCE_SECONDS)  # a busy machine needs longer for ten
    email = register(api).email
    with from_network(api, 10) as client, ThreadPoolExecutor(30) as threads:
        del work[:]
        answers = list(threads.map(lambda _: log_in(client, email, OTHER_PASSWORD), range(30)))

    assert sorted(answer.status_code for answer in answers) == [401] * 10 + [429] * 20
    assert len([each for each in work if each.startswith("compare")]) == 10
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert code_of(refused) == (429, "RATE_LIMITED")
    assert int(refused.headers["Retry-After"]) >= 1


@pytest.mark.requirement("FR-553")
def test_right_passwords_are_not_limited(api: API) -> None:
    email = register(api).email
    with from_network(api, 20) as client:
        assert {log_in(client, email).status_code for _ in range(12)} == {200}


@pytest.mark.requirement("FR-555")
def test_nobody_can_lock_somebody_else_out(api: API) -> None:
    member = register(api)
    assert api.app.state.sign_in
    failures = api.app.state.sign_in.failures
    with member.client() as signed_in, from_network(api, 400) as attacker, from_network(api, 500) as at_home:
        for number in range(300):  # each from a network of its own
            failures.admit(email_key(member.email), f"172.{16 + (number >> 8)}.{number & 255}.1")
        assert log_in(attacker, member.email, OTHER_PASSWORD).status_code == 401
        assert log_in(attacker, member.email, OTHER_PASSWORD).status_code == 429

        create(signed_in, "Buy milk")
        assert refresh(attacker, member.refresh_token).status_code == 200  # no password is compared
        assert log_in(at_home, member.email, PASSWORD).status_code == 200
