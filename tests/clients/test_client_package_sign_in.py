"""The Python client at the service's own sign-in: it signs in, stays signed in, and says when that has ended."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
from task_api_client import Session, Unauthorized

from backend.config import Settings
from tests.fixtures.calls.api import serve
from tests.fixtures.http.client_package import FORMS, open_client, waits_noted

PASSWORD, NEXT_PASSWORD = "nine red balloons go by", "ten green bottles on a wall"
TOKEN_SECONDS = 15 * 60

pytestmark = [pytest.mark.requirement("FR-591"), pytest.mark.parametrize("form", FORMS)]


@pytest.fixture(scope="module")
def address(settings: Settings) -> Iterator[str]:
    """A service at which people sign in."""
    with serve(settings.model_copy(update={"sign_in": True})) as api:
        yield api.base_url


@pytest.fixture(autouse=True)
def _no_proxy_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def email() -> str:
    return f"{uuid4().hex}@example.com"


def test_whoever_registers_is_signed_in_and_stays_so(address: str, email: str, form: type) -> None:
    kept: list[Session | None] = []
    now = [0.0]
    with open_client(form, address, on_session=kept.append, timing=waits_noted([], form, now)) as tasks:
        assert tasks.auth.methods()["sign_in"] is True
        session = tasks.auth.register(email, PASSWORD, name="Anna")
        assert (session.user.email, session.user.name, kept) == (email, "Anna", [session])
        milk = tasks.create("Buy milk")
        assert milk.user_id == session.user.id
        now[0] += TOKEN_SECONDS - 61
        tasks.list()
        assert len(kept) == 1
        now[0] += 2

        assert [task.id for task in tasks.all()] == [milk.id]

        assert kept[-1] is not None
        assert (len(kept), kept[-1].user, kept[-1].refresh_token != session.refresh_token) == (2, session.user, True)


def test_a_kept_session_goes_on_until_it_has_ended(address: str, email: str, form: type) -> None:
    kept: list[Session | None] = []
    with open_client(form, address) as tasks:
        session = tasks.auth.register(email, PASSWORD)
        assert tasks.auth.login(email, PASSWORD).user == session.user
        assert tasks.auth.change_password(PASSWORD, NEXT_PASSWORD).user == session.user
        late = tasks.auth.login(email, NEXT_PASSWORD)
        with pytest.raises(Unauthorized) as wrong:
            tasks.auth.login(email, PASSWORD)
        assert wrong.value.code == "SIGN_IN_FAILED"

    with open_client(form, address, Session("expired", late.refresh_token), on_session=kept.append) as tasks:
        tasks.create("Buy milk")
        assert len(kept) == 1
        tasks.auth.logout()
        with pytest.raises(Unauthorized):
            tasks.list()
    ended = Session("expired", session.refresh_token)  # by the change of the password
    with open_client(form, address, ended, on_session=kept.append) as tasks, pytest.raises(Unauthorized) as end:
        tasks.list()

    assert (end.value.code, kept[1:]) == ("SESSION_ENDED", [None, None])
