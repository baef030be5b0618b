"""Neon's connection URLs, over TLS: they work unchanged, and fail if the server's certificate does not match."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import pytest
from sqlalchemy import make_url

from backend.cli import main
from backend.config import Settings
from backend.identity.jwt import issue_token
from tests.fixtures.calls.api import new_user
from tests.fixtures.calls.tasks import create, error_of, read
from tests.fixtures.http.outages import serving
from tests.fixtures.identity.tokens import SECRET
from tests.fixtures.postgres.database import execute, scratch_database
from tests.fixtures.postgres.pooler import running_pooler
from tests.fixtures.postgres.proxy import counting_proxy
from tests.fixtures.processes.certificates import Authority
from tests.fixtures.processes.process import Service, environment, served
from tests.fixtures.processes.servers import NEON_HOST, Server
from tests.fixtures.running.waiting import PATIENCE_SECONDS

ANOTHER_HOST = "ep-other-456.example.neon.test"
AS_NEON_WRITES_IT = {"sslmode": "require", "channel_binding": "require"}
OVER_TLS = """
SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
WHERE application_name LIKE 'task-api%' AND datname = current_database()
"""


@dataclass(frozen=True)
class Servers:
    """Servers, and the certificate files of the authorities that clients may trust."""

    tls: Server
    plain: Server
    pooler_url: str
    trusted: str
    others: str

    def checked(self) -> dict[str, str]:
        """Return URL parameters that trust the server's authority and require the server to be that host."""
        return {"sslmode": "verify-full", "sslrootcert": self.trusted}


@pytest.fixture(scope="module")
def servers(own_server: Server, own_tls_server: Server, authority: Authority) -> Iterator[Servers]:
    """A server with TLS and one without, and a pooler in front of the latter that uses TLS with clients."""
    pooled = running_pooler(own_server.url(NEON_HOST, **AS_NEON_WRITES_IT), certificate=authority.certify(NEON_HOST))
    with TemporaryDirectory(prefix="task-api-test-") as name, pooled as pooler:
        trusted = authority.trusted_from(Path(name) / "trusted.crt")
        others = Authority().trusted_from(Path(name) / "others.crt")
        yield Servers(own_tls_server, own_server, pooler.url, str(trusted), str(others))


REFUSED = {
    "another authority": "certificate verify failed",
    "another name": "does not match host name",
    "no TLS": "server does not support SSL",
    "no binding of the channel": "channel binding",
}


@pytest.fixture(params=REFUSED)
def refused(request: pytest.FixtureRequest, servers: Servers) -> tuple[str, str]:
    """A URL that must not be used, and the reason."""
    url = {
        "another authority": lambda: servers.tls.url(NEON_HOST, sslmode="verify-full", sslrootcert=servers.others),
        "another name": lambda: servers.tls.url(ANOTHER_HOST, **servers.checked()),
        "no TLS": lambda: servers.plain.url(NEON_HOST, sslmode="require"),
        "no binding of the channel": lambda: servers.pooler_url,
    }[request.param]()
    return url, REFUSED[request.param]


def expect_no_part(url: str, text: str) -> None:
    """Check that a text contains no part of a URL."""
    address = make_url(url)
    parts = [address.host, address.password, address.port, address.query["hostaddr"], address.query.get("sslrootcert")]
    assert [part for part in parts if part is not None and str(part) in text] == []
    assert "://" not in text


@pytest.fixture
def set_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Function that sets this process up for commands: with these settings only."""

    def change(**settings: str) -> None:
        for name in Settings.model_fields:
            monkeypatch.delenv(name.upper(), raising=False)
        for name, value in {"ENVIRONMENT": "production", "JWT_SECRET": SECRET, **settings}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(tmp_path)

    return change


@pytest.mark.requirement("FR-152")
def test_an_address_as_neon_writes_it_works_unchanged(
    servers: Servers, tmp_path: Path, set_up: Callable[..., None], user_id: str
) -> None:
    with scratch_database(servers.tls.url(NEON_HOST, **AS_NEON_WRITES_IT)) as url:
        address = url.replace("postgresql", "postgres", 1)
        set_up(DATABASE_URL=address)
        assert main(["migrate"]) == 0

        env = environment(tmp_path, DATABASE_URL=address, ENVIRONMENT="production", JWT_SECRET=SECRET)
        with served(env=env, cwd=tmp_path) as service, client_of(service, user_id) as client:
            task = create(client)
            assert read(client, task) == task
            assert execute(url, OVER_TLS) == [(True,)]


@pytest.mark.requirement("FR-152")
def test_a_server_is_whom_its_certificate_names(
    servers: Servers, settings: Settings, set_up: Callable[..., None]
) -> None:
    with scratch_database(servers.tls.url(NEON_HOST, channel_binding="require", **servers.checked())) as url:
        set_up(DATABASE_URL=url)
        assert main(["migrate"]) == 0
        with serving(settings, url) as api, api.client(new_user()) as client:
            create(client)
            assert execute(url, OVER_TLS) == [(True,)]


@pytest.mark.requirement("FR-152")
def test_what_is_refused_is_said_at_start_without_a_part_of_the_address(
    refused: tuple[str, str], set_up: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    url, why = refused
    set_up(DATABASE_URL=url)

    for command in ("migrate",), ("serve", "--port", "0"):
        assert main(command) == 1
        said = capsys.readouterr()
        assert said.out == ""
        logged, line = said.err.splitlines()
        assert "database_away" in logged
        assert line.startswith("task-api: ")
        assert why in line
        expect_no_part(url, said.err)


@pytest.mark.requirement("FR-152", "FR-161")
def test_a_server_that_is_another_by_now_gets_no_requests(
    settings: Settings, refused: tuple[str, str], capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    url, why = refused
    with serving(settings, url) as api, api.client(new_user()) as client:
        response = client.get("/api/tasks")  # responds at once: the client would not wait until the deadline

    error_of(response, 503, "SERVICE_UNAVAILABLE")
    logged = capsys.readouterr().out + caplog.text
    assert why in logged
    expect_no_part(url, logged + response.text)


@pytest.mark.requirement("FR-153")
def test_migrations_go_round_the_pooler_and_requests_never_do(
    tmp_path: Path, empty_database_url: str, set_up: Callable[..., None], user_id: str
) -> None:
    with counting_proxy(empty_database_url) as pooled, counting_proxy(empty_database_url) as direct:
        addresses = {"DATABASE_URL": pooled.url, "DATABASE_DIRECT_URL": direct.url}
        set_up(**addresses)
        assert main(["migrate"]) == 0
        assert (len(pooled.attempts), len(direct.attempts)) == (0, 1)

        env = environment(tmp_path, ENVIRONMENT="production", JWT_SECRET=SECRET, **addresses)
        with served(env=env, cwd=tmp_path) as service, client_of(service, user_id) as client:
            before, round_trips = len(direct.attempts), pooled.round_trips
            task = create(client)
            assert read(client, task) == task
            assert pooled.round_trips >= round_trips + 2
        assert (len(direct.attempts), direct.connections) == (before, 0)


def client_of(service: Service, user_id: str) -> httpx.Client:
    """Make a client with a token for the user."""
    token = {"Authorization": f"Bearer {issue_token(SECRET, user_id, ttl_seconds=600)}"}
    return httpx.Client(base_url=service.address, headers=token, trust_env=False, timeout=PATIENCE_SECONDS)
