"""task-api users: a new password for who forgot it, and an invitation."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from tests.fixtures.processes.process import TASK_API, environment, served
from tests.fixtures.running.waiting import PATIENCE_SECONDS

NEW = "nine red balloons go by"
ADA = {"email": "Ada@example.org", "password": "seven green bottles"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the service keeps its data."""
    return tmp_path_factory.mktemp("users")


@pytest.fixture(scope="module")
def api(folder: Path) -> Iterator[httpx.Client]:
    """A service in development in which Ada has an account."""
    with (
        served(env=environment(folder / "data"), cwd=folder) as service,
        httpx.Client(base_url=service.address, trust_env=False) as api,
    ):
        assert api.post("/api/auth/register", json=ADA).status_code == 201
        yield api


def users(folder: Path, *arguments: str, typed: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
    """Run the command beside the service."""
    return subprocess.run(  # noqa: S603 - our own command
        [*TASK_API, "users", *arguments],
        env=environment(folder / "data", **settings),
        cwd=folder,
        input=typed,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


def signs_in(api: httpx.Client, password: str) -> bool:
    answer = api.post("/api/auth/login", json={"email": ADA["email"], "password": password})
    assert answer.status_code in {200, 401}
    return answer.status_code == 200


@pytest.mark.requirement("FR-558")
def test_a_new_password_is_read_from_standard_input_and_ends_all_sessions(api: httpx.Client, folder: Path) -> None:
    session = api.post("/api/auth/login", json=ADA).json()["data"]["refresh_token"]

    done = users(folder, "set-password", "ADA@example.org", typed=f"{NEW}\nnot this\n")

    expected = "Ada@example.org has a new password, and is signed out everywhere\n"
    assert (done.returncode, done.stdout, done.stderr) == (0, expected, "")
    assert signs_in(api, NEW)
    assert not signs_in(api, ADA["password"])
    ended = api.post("/api/auth/refresh", json={"refresh_token": session})
    assert (ended.status_code, ended.json()["error"]["code"]) == (401, "SESSION_ENDED")

    back = users(folder, "set-password", "ada@example.org", "--json", typed=ADA["password"])
    user_id = api.post("/api/auth/login", json=ADA).json()["data"]["user"]["id"]
    assert json.loads(back.stdout) == {"user_id": user_id, "email": "Ada@example.org"}


@pytest.mark.requirement("FR-558")
@pytest.mark.parametrize(
    ("email", "typed", "said"),
    [
        ("nobody@example.org", NEW, "nobody has registered nobody@example.org"),
        ("ada@example.org", "short", "the password: Must have at least 8 characters. "),
        ("ada@example.org", "", "the password: Must have at least 8 characters. "),
        ("ada@example.org", "password1", "the password: Is among the first that are tried"),
    ],
)
def test_what_cannot_be_set_is_refused_in_a_line(
    api: httpx.Client, folder: Path, email: str, typed: str, said: str
) -> None:
    refused = users(folder, "set-password", email, typed=typed)

    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith(f"task-api: {said}")
    assert len(refused.stderr.splitlines()) == 1
    assert signs_in(api, ADA["password"])


@pytest.mark.requirement("FR-558")
@pytest.mark.parametrize(("again", "exit_code", "said"), [(NEW, 0, "new password"), ("other", 1, "passwords differ")])
def test_at_a_terminal_it_is_asked_twice_and_not_shown(
    api: httpx.Client, folder: Path, again: str, exit_code: int, said: str
) -> None:
    here, there = pty.openpty()
    command = [*TASK_API, "users", "set-password", "ada@example.org"]
    env = environment(folder / "data")
    with subprocess.Popen(  # noqa: S603 - our own command
        command, env=env, cwd=folder, stdin=there, stdout=there, stderr=there, start_new_session=True
    ) as process:
        os.close(there)
        shown = b""
        for asked, typed in ((b"New password: ", NEW), (b"Once more: ", again)):
            while asked not in shown:
                shown += os.read(here, 1000)
            os.write(here, f"{typed}\n".encode())
        with suppress(OSError):  # the program has ended
            while data := os.read(here, 1000):
                shown += data
    os.close(here)
    assert process.returncode == exit_code
    assert said in shown.decode()
    assert NEW not in shown.decode()
    assert signs_in(api, NEW if exit_code == 0 else ADA["password"])
    users(folder, "set-password", "ada@example.org", typed=ADA["password"])


@pytest.mark.requirement("FR-559")
def test_an_invitation_lets_one_address_register(tmp_path: Path) -> None:
    before = datetime.now(UTC)
    plain = users(tmp_path, "invite", "Ben@example.org").stdout.strip()
    invited = json.loads(users(tmp_path, "invite", "cleo@example.org", "--days", "3", "--json").stdout)

    assert invited["email"] == "cleo@example.org"
    assert 3 * 86400 - 1 <= (datetime.fromisoformat(invited["ends_at"]) - before).total_seconds() < 3 * 86400 + 600
    with (
        served(env=environment(tmp_path / "data", SIGN_UP="false"), cwd=tmp_path) as service,
        httpx.Client(base_url=service.address, trust_env=False) as api,
    ):
        ben = {"email": "ben@example.org", "password": NEW}
        for invitation, status in ((None, 403), (invited["invitation"], 403), (plain, 201)):
            sent = {**ben, "invitation": invitation} if invitation else ben
            assert api.post("/api/auth/register", json=sent).status_code == status


@pytest.mark.requirement("FR-559")
@pytest.mark.parametrize(
    ("arguments", "settings", "exit_code", "said"),
    [
        (("invite", "ben@example.org"), {"SIGN_IN": "false"}, 1, "the sign-in is off"),
        (("invite", "not an address"), {}, 2, "must be an address like anna@example.com"),
        (("invite", "ben@example.org", "--days", "0"), {}, 2, "must be a whole number from 1 to 365"),
        (("invite",), {}, 2, "EMAIL"),
        (("remove", "ben@example.org"), {}, 2, "invalid choice: 'remove'"),
    ],
)
def test_wrong_arguments_and_a_sign_in_that_is_off(
    tmp_path: Path, arguments: tuple[str, ...], settings: dict[str, str], exit_code: int, said: str
) -> None:
    refused = users(tmp_path, *arguments, **settings)

    assert (refused.returncode, refused.stdout) == (exit_code, "")
    assert said in refused.stderr
