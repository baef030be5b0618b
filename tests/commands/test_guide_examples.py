"""The guide in docs/, page by page: its lines in real shells and Node.js, against a separate service."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.fixtures.calls.erasure import erase
from tests.fixtures.documents.guide_blocks import (
    CALL,
    IN_NODE,
    IN_SHELLS,
    MARK,
    beginning,
    pasted,
    scripts,
    shell_parts,
)
from tests.fixtures.documents.shortened import assert_shows
from tests.fixtures.node.javascript import in_node
from tests.fixtures.processes import shell
from tests.fixtures.processes.process import Service, environment, run
from tests.fixtures.processes.shell import README, installed_service, shell_blocks
from tests.fixtures.running.waiting import PATIENCE_SECONDS

USERS = ("alice", "somebody-to-erase")  # of the documents


@pytest.fixture(scope="module")
def shared(folder: Path) -> Iterator[Service]:
    """A service with its own data, in a folder where the installed command is where the documents say."""
    with installed_service(folder, RATE_LIMIT="1000000/minute") as service:  # a reader pastes no 50 pages a minute
        yield service


@pytest.fixture(scope="module")
def tokens(folder: Path) -> list[str]:
    """Tokens of the users in the documents."""
    env = environment(folder / "data")
    return [run("token", user, env=env, cwd=folder).stdout.strip() for user in USERS]


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


@pytest.mark.requirement("FR-020", "FR-024", "FR-058", "FR-065", "FR-218", "FR-474")
@pytest.mark.parametrize("name", ["bash", "zsh"])
@pytest.mark.parametrize("page", IN_SHELLS, ids=lambda page: page.stem)
def test_every_call_of_a_page_gets_the_status_and_the_answer_beside_it(
    service: Service, folder: Path, tmp_path: Path, page: Path, name: str
) -> None:
    lines = f"export TMPDIR='{tmp_path}'\n{pasted(page)}"
    done = shell.run_lines(lines, service, folder, name)

    assert (done.returncode, done.stderr) == (0, "")
    assert re.findall(r"^(\d{3})$", done.stdout, re.MULTILINE) == CALL.findall(lines)
    for block, printed in zip(shell_parts(page), done.stdout.split(f"{MARK}\n")[:-1], strict=True):
        if block.answer is not None:
            assert_shows(json.loads(block.answer), json.loads(printed.splitlines()[-2 if block.ends_in_call else -1]))


@pytest.mark.requirement("FR-318", "FR-474")
@pytest.mark.parametrize("page", IN_NODE, ids=lambda page: page.stem)
def test_the_javascript_of_a_page_prints_what_its_comments_say(
    service: Service, tokens: list[str], tmp_path: Path, page: Path
) -> None:
    script = "".join([beginning(page), *scripts(page)])

    assert in_node(script, service, tokens[0], tmp_path) == re.findall(r"console\.log\(.*\); // (.+)", script)


@pytest.mark.requirement("FR-245", "FR-318", "FR-474")
@pytest.mark.parametrize("page", [README, *IN_SHELLS], ids=lambda page: page.stem)
def test_whoever_pastes_a_page_keeps_their_account_and_finds_no_new_files(
    service: Service, tokens: list[str], folder: Path, tmp_path: Path, page: Path
) -> None:
    before = set(folder.iterdir())
    script = "".join(shell_blocks(README)) if page == README else pasted(page)
    with client_with(service, tokens[0]) as client:
        kept = client.post("/api/tasks", json={"title": "Dear to me"}).json()["data"]

        # At a prompt, a failing line does not end the session.
        shell.run_lines(f"set +e\nexport TMPDIR='{tmp_path}'\n{script}", service, folder)

        assert client.get(f"/api/tasks/{kept['id']}").json()["data"] == kept
    assert set(folder.iterdir()) == before
    written = {file.name for file in tmp_path.rglob("*") if file.is_file()}  # elsewhere
    assert bool(written) == (page.stem in {"files", "scripts"})
