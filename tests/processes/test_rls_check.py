"""A service checks row-level security before it serves, and does not serve while it is broken."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import make_url
from sqlmodel import SQLModel

from backend.config import Settings
from backend.database.embedded.postgres import EmbeddedPostgres
from backend.database.engine import Engine
from backend.database.migrations import runner as migrations
from backend.database.session import SessionFactory
from backend.errors import ServiceUnavailable
from backend.services.health.readiness import Readiness
from backend.services.health.rls_check import find_gaps
from tests.fixtures.calls.api import API, new_user, serve
from tests.fixtures.calls.tasks import create, error_of
from tests.fixtures.http.readiness import check
from tests.fixtures.identity.tokens import SECRET
from tests.fixtures.postgres.database import execute
from tests.fixtures.postgres.logins import LOGINS, database_of
from tests.fixtures.postgres.proxy import counting_proxy
from tests.fixtures.processes.process import environment, run, served
from tests.fixtures.running.waiting import PATIENCE_SECONDS
from tests.fixtures.telemetry.logs import events

NO_RLS = "Row-level security does not work"


@dataclass(frozen=True)
class Breach:
    """An administrator's mistake, the fix, and the resulting message. LOGIN stands for the service's login."""

    done: str
    undone: str
    said: str


BREACHES = {
    "switched off": Breach(
        "ALTER TABLE tasks DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE tasks ENABLE ROW LEVEL SECURITY",
        "row-level security of tasks is off. Run: ALTER TABLE tasks ENABLE ROW LEVEL SECURITY",
    ),
    "superuser": Breach(
        "ALTER ROLE task_api SUPERUSER",
        "ALTER ROLE task_api NOSUPERUSER",
        "row-level security does not bind the role task_api. Run: ALTER ROLE task_api NOSUPERUSER NOBYPASSRLS",
    ),
    "passed by": Breach(
        "ALTER ROLE task_api BYPASSRLS",
        "ALTER ROLE task_api NOBYPASSRLS",
        "row-level security does not bind the role task_api. Run: ALTER ROLE task_api NOSUPERUSER NOBYPASSRLS",
    ),
    "owner": Breach(
        "ALTER TABLE users OWNER TO task_api",
        "ALTER TABLE users OWNER TO LOGIN; GRANT SELECT, INSERT, UPDATE, DELETE ON users TO task_api",
        "the role task_api has the rights of the owner of users, so row-level security does not bind it",
    ),
    "member of the owner": Breach(
        "CREATE ROLE chief; ALTER TABLE users OWNER TO chief; GRANT chief TO task_api",
        "ALTER TABLE users OWNER TO LOGIN; DROP ROLE chief",
        "the role task_api has the rights of the owner of users, so row-level security does not bind it",
    ),
    "no policy": Breach(
        "ALTER POLICY own_rows ON tasks TO LOGIN",
        "ALTER POLICY own_rows ON tasks TO task_api",
        "tasks has no policy for the role task_api, so nobody sees its rows",
    ),
    "open to read": Breach(
        "CREATE POLICY report ON tasks FOR SELECT USING (title <> '')",
        "DROP POLICY report ON tasks",
        "a policy of tasks shows the role task_api the rows of every user",
    ),
    "open to write": Breach(
        "ALTER POLICY own_rows ON users WITH CHECK (true)",
        "ALTER POLICY own_rows ON users WITH CHECK (id = (SELECT nullif(current_setting('app.user_id', true), '')))",
        "a policy of users shows the role task_api the rows of every user",
    ),
    "out of reach": Breach(
        "REVOKE USAGE ON SCHEMA public FROM PUBLIC",
        "GRANT USAGE ON SCHEMA public TO PUBLIC",
        "the role task_api cannot see the table tasks. Run: GRANT USAGE ON SCHEMA public TO task_api",
    ),
    "no right to switch": Breach(
        "REVOKE task_api FROM LOGIN",
        "GRANT task_api TO LOGIN WITH INHERIT FALSE, SET TRUE",
        "the login LOGIN may not switch to the role task_api. "
        "Run: GRANT task_api TO LOGIN WITH INHERIT FALSE, SET TRUE",
    ),
    "no role": Breach(
        "ALTER ROLE task_api RENAME TO gone",
        "ALTER ROLE gone RENAME TO task_api",
        "the role task_api is missing on this server",
    ),
}
OUT_OF_ROLE = ["no right to switch", "no role"]
# The same for the role of requests with a token for one list.
OF_LIST = {
    "passed by": Breach(
        "ALTER ROLE task_api_list BYPASSRLS",
        "ALTER ROLE task_api_list NOBYPASSRLS",
        "row-level security does not bind the role task_api_list. "
        "Run: ALTER ROLE task_api_list NOSUPERUSER NOBYPASSRLS",
    ),
    "no policy": Breach(
        "ALTER POLICY own_list ON lists TO LOGIN",
        "ALTER POLICY own_list ON lists TO task_api_list",
        "lists has no policy for the role task_api_list, so nobody sees its rows",
    ),
    "open to every list": Breach(
        "CREATE POLICY wide ON tasks TO task_api_list USING (user_id = current_setting('app.user_id'))",
        "DROP POLICY wide ON tasks",
        "a policy of tasks shows the role task_api_list the rows of every user, or of every list",
    ),
    "open to every user": Breach(
        "CREATE POLICY wide ON tasks TO task_api_list USING (list_id = current_setting('app.list_id')::uuid)",
        "DROP POLICY wide ON tasks",
        "a policy of tasks shows the role task_api_list the rows of every user, or of every list",
    ),
    "no right to switch": Breach(
        "REVOKE task_api_list FROM LOGIN",
        "GRANT task_api_list TO LOGIN WITH INHERIT FALSE, SET TRUE",
        "the login LOGIN may not switch to the role task_api_list. "
        "Run: GRANT task_api_list TO LOGIN WITH INHERIT FALSE, SET TRUE",
    ),
    "no role": Breach(
        "ALTER ROLE task_api_list RENAME TO gone",
        "ALTER ROLE gone RENAME TO task_api_list",
        "the role task_api_list is missing on this server",
    ),
}


@dataclass(frozen=True)
class Site:
    """A service's database on a separate server, where broken roles do not affect other tests."""

    url: str
    admin_url: str

    def filled_in(self, template: str) -> str:
        """Fill in the login of the service."""
        return template.replace("LOGIN", f'"{make_url(self.url).username}"')

    @contextmanager
    def broken(self, breach: Breach) -> Iterator[None]:
        """Break row-level security for a while."""
        execute(self.admin_url, self.filled_in(breach.done))
        try:
            yield
        finally:
            execute(self.admin_url, self.filled_in(breach.undone))


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with TemporaryDirectory(prefix="task-api-test-") as folder, EmbeddedPostgres(Path(folder)) as server_url:
        migrations.apply(server_url)  # creates the role
        with database_of(server_url, LOGINS["owner"]) as url:
            admin_url = make_url(server_url).set(database=make_url(url).database)
            yield Site(url, admin_url.render_as_string(hide_password=False))


@pytest.fixture
def sessions(site: Site) -> Iterator[SessionFactory]:
    engine = Engine(site.url, pool_size=1, timeout_seconds=60)
    yield SessionFactory(engine)
    engine.dispose()


@pytest.fixture
def api(site: Site, settings: Settings) -> Iterator[API]:
    """The service on that database."""
    with serve(settings.model_copy(update={"database_url": SecretStr(site.url)})) as running:
        yield running


@pytest.mark.requirement("FR-087")
@pytest.mark.parametrize("name", BREACHES)
def test_what_is_wrong_with_row_level_security_is_said(site: Site, sessions: SessionFactory, name: str) -> None:
    with site.broken(BREACHES[name]):
        gaps = find_gaps(sessions)
    assert site.filled_in(BREACHES[name].said) in "\n".join(gaps)
    assert len(gaps) == (len(SQLModel.metadata.tables) if name == "out of reach" else 1)

    assert find_gaps(sessions) == []


@pytest.mark.requirement("FR-358")
@pytest.mark.parametrize("name", OF_LIST)
def test_the_role_for_one_list_is_checked_at_the_start_and_for_readiness(
    site: Site, sessions: SessionFactory, name: str
) -> None:
    readiness = Readiness(sessions, frozenset(migrations.known()), remember_seconds=0, retry_seconds=0)
    newer = Readiness(sessions, frozenset({*migrations.known(), "9999"}), remember_seconds=0, retry_seconds=0)
    with site.broken(OF_LIST[name]):
        (gap,) = find_gaps(sessions)
        assert site.filled_in(OF_LIST[name].said) in gap
        with pytest.raises(ServiceUnavailable, match=NO_RLS):
            check(readiness)
        with pytest.raises(ServiceUnavailable, match="1 migrations are pending"):  # which may have to make the role
            check(newer)
    assert find_gaps(sessions) == []
    check(readiness)


@pytest.mark.requirement("FR-087")
@pytest.mark.parametrize("kind", LOGINS)
def test_row_level_security_works_for_every_kind_of_login(server_url: str, database_url: str, kind: str) -> None:
    assert database_url  # its migration has created the role task_api on this server
    with database_of(server_url, LOGINS[kind]) as url:
        engine = Engine(url, pool_size=1, timeout_seconds=60)
        assert find_gaps(SessionFactory(engine)) == []
        engine.dispose()


@pytest.mark.requirement("FR-087")
def test_a_policy_that_opens_nothing_to_requests_is_no_gap(site: Site, sessions: SessionFactory) -> None:
    auditor = "CREATE ROLE auditor; CREATE POLICY audit ON tasks TO auditor USING (true)"
    narrower = "CREATE POLICY narrower ON tasks AS RESTRICTIVE TO task_api USING (title <> '')"
    undone = "DROP POLICY audit ON tasks; DROP ROLE auditor; DROP POLICY narrower ON tasks"
    with site.broken(Breach(f"{auditor}; {narrower}", undone, "")):
        assert find_gaps(sessions) == []
        execute(site.admin_url, "GRANT auditor TO task_api")
        assert "a policy of tasks" in find_gaps(sessions)[0]


@pytest.mark.requirement("FR-087")
def test_a_login_that_cannot_switch_is_told_what_its_server_understands(server_url: str, database_url: str) -> None:
    assert database_url
    with database_of(server_url, LOGINS["owner"]) as url:
        login = make_url(url).username
        execute(server_url, f"REVOKE task_api FROM {login}")
        engine = Engine(url, pool_size=1, timeout_seconds=60)
        sessions = SessionFactory(engine)

        (gap,) = find_gaps(sessions)
        execute(server_url, gap.partition("Run: ")[2])

        assert find_gaps(sessions) == []
        engine.dispose()


@pytest.fixture
def production(tmp_path: Path, site: Site) -> dict[str, str]:
    """The environment of a production service on that database."""
    return environment(tmp_path / "data", DATABASE_URL=site.url, JWT_SECRET=SECRET, ENVIRONMENT="production")


@pytest.mark.requirement("FR-087")
@pytest.mark.parametrize("name", ["switched off", "no right to switch"])
def test_production_refuses_to_start_where_row_level_security_does_not_work(
    site: Site, production: dict[str, str], tmp_path: Path, name: str
) -> None:
    with site.broken(BREACHES[name]):
        done = run("serve", "--port", "0", env=production, cwd=tmp_path)

    assert done.returncode == 1
    assert f"task-api: {site.filled_in(BREACHES[name].said)}" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.requirement("FR-087")
def test_the_way_that_requests_take_is_what_is_looked_at(
    site: Site, production: dict[str, str], tmp_path: Path, database_url: str
) -> None:
    with site.broken(BREACHES["switched off"]):
        done = run("serve", "--port", "0", env={**production, "DATABASE_DIRECT_URL": database_url}, cwd=tmp_path)

    assert done.returncode == 1
    assert BREACHES["switched off"].said in done.stderr


@pytest.mark.requirement("FR-087")
def test_development_says_that_row_level_security_does_not_work_and_serves(
    site: Site, production: dict[str, str], tmp_path: Path
) -> None:
    env = {**production, "ENVIRONMENT": "development"}
    with site.broken(BREACHES["passed by"]), served(env=env, cwd=tmp_path, readiness=503) as service:
        assert f"task-api: warning: {BREACHES['passed by'].said}" in service.printed
        assert httpx.get(f"{service.address}/health/live", trust_env=False, timeout=PATIENCE_SECONDS).status_code == 200


@pytest.mark.requirement("FR-088")
@pytest.mark.parametrize("name", [name for name in BREACHES if name != "out of reach"])
def test_a_service_whose_row_level_security_is_off_is_not_ready(
    site: Site, sessions: SessionFactory, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    readiness = Readiness(sessions, frozenset(migrations.known()), remember_seconds=0, retry_seconds=0)
    with site.broken(BREACHES[name]), pytest.raises(ServiceUnavailable, match=NO_RLS):
        check(readiness)
    assert events(caplog, "row_level_security_off")

    check(readiness)


@pytest.mark.requirement("FR-088")
@pytest.mark.parametrize("name", OUT_OF_ROLE)
def test_requests_that_cannot_take_on_their_role_are_service_unavailable(
    api: API, site: Site, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    api.app.state.readiness.retry_seconds = 0
    with api.client(new_user()) as client:
        task = create(client)
        with site.broken(BREACHES[name]):
            for response in (client.get("/api/tasks"), client.post("/api/tasks", json={"title": "a"})):
                error_of(response, 503, "SERVICE_UNAVAILABLE")
                assert response.headers["Retry-After"] == "1"
            unready = error_of(client.get("/health/ready"), 503, "SERVICE_UNAVAILABLE")
            assert NO_RLS in unready["message"]
        # The rate-limit sync, which is not a request, may find it as well.
        assert len([event for event in events(caplog, "row_level_security_off") if "request_id" in event]) == 3
        assert client.get("/api/tasks").json()["data"] == [task]
        assert client.get("/health/ready").status_code == 200


@pytest.mark.requirement("FR-088", "FR-054")
def test_readiness_checks_schema_and_row_level_security_in_one_round_trip(database_url: str) -> None:
    with counting_proxy(database_url) as proxy:
        engine = Engine(proxy.url, pool_size=1, timeout_seconds=60)
        readiness = Readiness(
            SessionFactory(engine), frozenset(migrations.known()), remember_seconds=0, retry_seconds=0
        )
        check(readiness)
        before, readiness.is_used = proxy.round_trips, True
        check(readiness)
        assert proxy.round_trips - before == 1
        engine.dispose()
