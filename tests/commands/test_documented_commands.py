"""Run the commands in the documents unchanged, against a separate service."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.fixtures import shell
from tests.fixtures.erasure import erase
from tests.fixtures.process import Service, environment, run
from tests.fixtures.shell import GUIDE, README, SPECS, installed_service, shell_blocks
from tests.fixtures.waiting import PATIENCE_SECONDS


@pytest.fixture(scope="module")
def shared(folder: Path) -> Iterator[Service]:
    """A service with its own data, in a folder where the installed command is where the documents say."""
    with installed_service(folder) as service:
        yield service


@pytest.fixture(scope="module")
def tokens(shared: Service, folder: Path) -> list[str]:
    """Tokens of the users in the documents."""
    users = ("alice", "somebody-to-erase")
    env = environment(folder / "data")
    return [shared.token, *(run("token", user, env=env, cwd=folder).stdout.strip() for user in users)]


@pytest.fixture
def service(shared: Service, tokens: list[str]) -> Service:
    """The shared service, with those users erased."""
    for token in tokens:
        with client_with(shared, token) as client:
            erased = erase(client)
        assert erased.status_code == 204, erased.text
    return shared


def client_with(service: Service, token: str) -> httpx.Client:
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.Client(base_url=service.address, headers=headers, trust_env=False, timeout=PATIENCE_SECONDS)


def run_lines(script: str, service: Service, folder: Path, name: str = "bash") -> str:
    """Run lines of a document that must succeed; returns what they print."""
    done = shell.run_lines(script, service, folder, name)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


@pytest.mark.requirement("FR-020", "FR-024", "FR-065")
def test_the_session_in_the_quickstart_works(service: Service, folder: Path) -> None:
    session = shell_blocks(GUIDE / "index.md")[3]
    assert "#" not in session  # at a prompt, zsh would pass the words of a comment to curl as more addresses
    created, read, edited, completed, listed, deleted = run_lines(session, service, folder).split("\n")[:6]

    assert json.loads(created)["data"]["title"] == "Buy milk"
    assert read == created
    assert json.loads(edited)["data"]["description"] == "Two litres"
    assert json.loads(completed)["data"]["completed"] is True
    assert json.loads(listed)["data"] == [json.loads(completed)["data"]]
    assert deleted == ""


@pytest.mark.requirement("FR-034", "FR-069")
def test_the_quickstart_works(service: Service, folder: Path) -> None:
    serve, look, be_somebody, _session, errors, schema = shell_blocks(GUIDE / "index.md")
    assert serve == "make run\n"  # test_serve.py runs it; here the service is already running

    assert run_lines(look, service, folder).endswith('{"data":{"status":"ok"}}\n')
    token_line, *calls = be_somebody.splitlines(keepends=True)
    answers = run_lines("".join([token_line, *calls]), service, folder).split()
    assert '"id":"alice","revision":0' in answers[0]
    assert "".join(answers).count('"title":"Buymilk"') == 2
    refused = run_lines(token_line + errors, service, folder)
    assert '"code":"UNAUTHORIZED"' in refused
    assert '"field":"title","code":"missing"' in refused
    assert '"field":"titel","code":"extra_forbidden"' in refused
    assert set(run_lines(schema, service, folder).split()[::2]) == {"applied"}


@pytest.mark.requirement("FR-058", "FR-218")
@pytest.mark.parametrize("name", ["bash", "zsh"])
def test_every_documented_call_answers_the_documented_status(service: Service, folder: Path, name: str) -> None:
    blocks = shell_blocks(SPECS / "contracts" / "tasks-api.md")
    documented = re.findall(r"^call .*# (\d{3})$", "".join(blocks), re.MULTILINE)
    answers = run_lines("".join(blocks), service, folder, name)

    assert len(documented) == len(re.findall(r"^call ", "".join(blocks), re.MULTILINE)) > 0
    assert re.findall(r"^(\d{3})$", answers, re.MULTILINE) == documented


@pytest.mark.requirement("FR-245")
@pytest.mark.parametrize("document", [README, GUIDE / "index.md", SPECS / "contracts" / "tasks-api.md"])
def test_whoever_pastes_a_document_keeps_their_account(
    service: Service, tokens: list[str], folder: Path, document: Path
) -> None:
    _, alice, _ = tokens
    with client_with(service, alice) as client:
        kept = client.post("/api/tasks", json={"title": "Dear to me"}).json()["data"]

        script = "".join(block for block in shell_blocks(document) if "make run" not in block)
        shell.run_lines(f"set +e\n{script}", service, folder)  # at a prompt, a failing line does not end the session

        assert client.get(f"/api/tasks/{kept['id']}").json()["data"] == kept


@pytest.mark.requirement("FR-041")
def test_the_documented_task_has_the_fields_of_a_real_one(service: Service) -> None:
    example = re.search(
        r"^```json\n(.*?)^```$", (SPECS / "contracts" / "tasks-api.md").read_text(), re.MULTILINE | re.DOTALL
    )
    assert example
    headers = {"Authorization": f"Bearer {service.token}"}
    task = httpx.post(
        f"{service.address}/api/tasks", headers=headers, json={"title": "a"}, trust_env=False, timeout=PATIENCE_SECONDS
    ).json()

    assert list(json.loads(example[1])) == list(task["data"])
