"""What is stored of a sign-in: who sees it, how it goes, and what happens between a comparison and the store."""

from __future__ import annotations

import httpx
import psycopg2
import pytest

from backend.database.engine import Engine
from backend.database.errors import StatementRefused
from backend.identity.errors import EmailTaken
from backend.models.user import NOBODY
from backend.services.sign_in.service import CredentialsService, SignInService
from tests.fixtures.calls.api import API
from tests.fixtures.calls.erasure import erasure_of
from tests.fixtures.calls.exports import export, stored_of
from tests.fixtures.calls.sign_in import PASSWORD, Member, code_of, log_in, new_email, refresh, register
from tests.fixtures.postgres.database import execute
from tests.fixtures.postgres.expired import Hoarder, purge
from tests.fixtures.postgres.statements import run

HASH = "SELECT password_hash FROM credentials WHERE user_id = %s"


def service_of(api: API, member: Member) -> SignInService:
    """Return the service of a member."""
    return SignInService(api.app.state.sessions, member.id)


@pytest.mark.requirement("FR-540")
def test_a_login_whose_password_was_changed_meanwhile_makes_no_session(api: API, database_url: str) -> None:
    anna = register(api)
    ((compared,),) = execute(database_url, HASH, anna.id)
    service = service_of(api, anna)
    assert service.change_password(compared, "another hash") is not None

    assert service.begin(compared, None) is None
    assert service.begin(compared, "a renewed hash") is None
    assert service.change_password(compared, "a third hash") is None
    assert execute(database_url, HASH, anna.id) == [("another hash",)]
    live = "SELECT count(*) FROM sessions WHERE user_id = %s AND ended_at IS NULL"
    assert execute(database_url, live, anna.id) == [(1,)]


@pytest.mark.requirement("FR-524")
def test_a_hash_that_is_out_of_date_is_renewed_by_a_login(api: API, database_url: str) -> None:
    anna = register(api)
    ((compared,),) = execute(database_url, HASH, anna.id)
    service = service_of(api, anna)

    assert service.begin(compared, "a renewed hash") is not None
    assert execute(database_url, HASH, anna.id) == [("a renewed hash",)]
    assert service.begin(compared, None) is None


@pytest.mark.requirement("FR-539")
def test_a_password_that_is_set_by_whoever_runs_the_service_ends_all_sessions(
    api: API, anonymous: httpx.Client, database_url: str
) -> None:
    anna, ben = register(api), register(api)
    service_of(api, anna).replace_password("another hash")

    assert execute(database_url, HASH, anna.id) == [("another hash",)]
    assert code_of(refresh(anonymous, anna.refresh_token)) == (401, "SESSION_ENDED")
    assert refresh(anonymous, ben.refresh_token).status_code == 200


@pytest.mark.requirement("FR-523")
def test_an_address_is_stored_once(api: API) -> None:
    anna = register(api)
    sessions = api.app.state.sessions
    with pytest.raises(EmailTaken):
        SignInService(sessions, "0197c1f0-7a3b-7c4d-8e5f-6a7b8c9d0e1f").register(anna.email.upper(), None, "hash")
    assert SignInService(sessions, "0197c1f0-7a3b-7c4d-8e5f-6a7b8c9d0e1f").read() is None


@pytest.mark.requirement("FR-544")
def test_only_a_statement_for_no_user_finds_whose_an_address_is(api: API) -> None:
    anna, ben = register(api), register(api)
    sessions = api.app.state.sessions
    sql = "SELECT user_id, email, password_hash FROM credentials_of(%(key)s)"

    found = CredentialsService(sessions).find(anna.email)
    assert found is not None
    assert found.user_id == anna.id
    assert CredentialsService(sessions).find(new_email()) is None
    for user_id in (ben.id, anna.id, "alice"):
        with sessions(user_id) as session:
            assert run(session, sql, {"key": anna.email}) == []
    for table in ("credentials", "email_keys", "sessions"):
        for user_id in (ben.id, NOBODY):
            with sessions(user_id) as session:
                rows = run(session, f"SELECT user_id FROM {table}", {})  # noqa: S608 - ours
                assert rows == ([(ben.id,)] if user_id == ben.id else [])


@pytest.mark.requirement("FR-544")
def test_who_may_only_see_one_list_sees_nothing_of_it(api: API) -> None:
    anna = register(api)
    with anna.client() as client:
        list_id = client.post("/api/lists", json={"name": "Shared"}).json()["data"]["id"]
    limited = api.app.state.sessions.limited_to(list_id)
    for sql in ("SELECT FROM credentials", "SELECT FROM sessions", "SELECT FROM credentials_of('a@b.c')"):
        with limited(anna.id) as session, pytest.raises(psycopg2.errors.InsufficientPrivilege):
            run(session, sql, {})


@pytest.mark.requirement("FR-542")
def test_an_export_tells_the_address_and_the_sessions_and_no_hash(api: API, database_url: str) -> None:
    anna = register(api, name="Anna")
    ((hashed,),) = execute(database_url, HASH, anna.id)
    with anna.client() as client:
        found = export(client)
        text = client.get("/api/me/export").text

    (credentials,), (session,) = found["credentials"], found["session"]
    assert (credentials["email"], credentials["name"]) == (anna.email, "Anna")
    assert (session["counter"], session["ended_at"]) == (0, None)
    assert [secret for secret in (hashed, "$argon2", PASSWORD, anna.refresh_token) if secret in text] == []


@pytest.mark.requirement("FR-542")
def test_an_erased_account_is_gone_and_its_address_is_free(
    api: API, anonymous: httpx.Client, database_url: str
) -> None:
    anna = register(api)
    with anna.client() as client:
        assert client.delete(erasure_of(anna.id)).status_code == 204

    assert not any(stored_of(database_url, anna.id).values())
    assert code_of(log_in(anonymous, anna.email)) == (401, "SIGN_IN_FAILED")
    assert code_of(refresh(anonymous, anna.refresh_token)) == (401, "SESSION_ENDED")
    assert register(api, anna.email).id != anna.id


@pytest.mark.requirement("FR-543")
def test_sessions_that_are_over_are_purged_after_thirty_days(engine: Engine, module_url: str) -> None:
    gone = Hoarder.with_rows(module_url, sessions=3)
    kept = Hoarder.with_rows(module_url, sessions=2, past=False)

    assert purge(engine).sessions == 3
    assert (gone.left().sessions, kept.left().sessions) == (0, 2)


@pytest.mark.requirement("FR-543")
def test_a_session_that_was_ended_is_kept_for_thirty_days_from_then(api: API, database_url: str) -> None:
    anna = register(api)
    token = api.app.state.sign_in.refresh_tokens.read(anna.refresh_token) if api.app.state.sign_in else None
    assert token is not None
    service_of(api, anna).end(token.session_id)

    over = "SELECT expires_at = ended_at FROM sessions WHERE user_id = %s"
    assert execute(database_url, over, anna.id) == [(True,)]


@pytest.mark.requirement("FR-522")
def test_what_else_the_database_refuses_is_a_defect(api: API) -> None:
    service = SignInService(api.app.state.sessions, "0197c1f0-7a3b-7c4d-8e5f-6a7b8c9d0e2a")
    with pytest.raises(StatementRefused):
        service.register(new_email(), "", "hash")  # a name without a character
