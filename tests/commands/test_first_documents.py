"""What a newcomer pastes first: a request, ten lines of JavaScript, and the calls with their answers."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.fixtures import shell
from tests.fixtures.needs import need
from tests.fixtures.process import REPOSITORY, Service, environment, run
from tests.fixtures.shell import DOCUMENTED_ADDRESS, GUIDE, README, SPECS, installed_service, shell_blocks
from tests.fixtures.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.requirement("FR-318")

CONTRACT, QUICKSTART = SPECS / "contracts" / "tasks-api.md", GUIDE / "index.md"
CALLS = "## Five calls and their answers"


@pytest.fixture(scope="module")
def service(folder: Path) -> Iterator[Service]:
    with installed_service(folder) as service:
        yield service


@pytest.fixture
def token(folder: Path) -> str:
    """A token of a new user."""
    return run("token", str(uuid4()), env=environment(folder / "data"), cwd=folder).stdout.strip()


def blocks(document: Path, language: str, heading: str = "") -> list[str]:
    """Extract the blocks of a language from a document, or from a section of it."""
    section = document.read_text(encoding="utf-8").partition(f"\n{heading}")[2].partition("\n## ")[0]
    return re.findall(rf"^```{language}\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)


def pasted(script: str, service: Service, folder: Path) -> str:
    done = shell.run_lines(script, service, folder)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def in_node(script: str, service: Service, token: str, folder: Path) -> list[str]:
    """Run JavaScript beside the client; returns the lines it prints."""
    need("node")
    for name, text in {
        "task-api.js": (REPOSITORY / "examples" / "task-api.js").read_text(encoding="utf-8"),
        "page.js": script.replace(DOCUMENTED_ADDRESS, service.address).replace("eyJ…", token),
        "package.json": '{"type": "module"}',
    }.items():
        (folder / name).write_text(text, encoding="utf-8")
    done = subprocess.run(
        ["node", "page.js"],  # noqa: S607 - wherever it is
        cwd=folder,
        env=environment(folder / "data", no_proxy="*"),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def assert_shows(documented: Any, answer: Any) -> None:
    """Compare a shortened answer with the real one: what it shows is there, in the same order."""
    if isinstance(documented, dict):
        assert [name for name in answer if name in documented] == list(documented)
        for name, value in documented.items():
            if name in {"id", "created_at", "revision"}:
                assert type(answer[name]) is type(value)
            else:
                assert_shows(value, answer[name])
    elif isinstance(documented, list):
        assert len(answer) == len(documented)
        for one, other in zip(documented, answer, strict=True):
            assert_shows(one, other)
    else:
        assert answer == documented


def test_the_request_in_the_readme_gets_the_answer_beside_it(service: Service, folder: Path) -> None:
    (request,), (answer,) = shell_blocks(README), blocks(README, "json", "## The first minute")

    assert_shows(json.loads(answer), json.loads(pasted(request, service, folder)))


def test_the_javascript_in_the_readme_works(service: Service, token: str, tmp_path: Path) -> None:
    (script,) = blocks(README, "js", "## The first minute")

    assert len([line for line in script.splitlines() if line]) <= 10
    assert in_node(script, service, token, tmp_path) == ["Buy milk"]


def test_each_of_the_first_calls_gets_the_answer_below_it(service: Service, token: str, folder: Path) -> None:
    setting_up = re.sub("(?m)^TOKEN=.*$", f"TOKEN={token}", shell_blocks(CONTRACT)[0])
    lines = pasted(setting_up + "".join(blocks(CONTRACT, "sh", CALLS)), service, folder).splitlines()
    answers = [json.loads(line) for line in lines[::2]]

    documented = [json.loads(block) for block in blocks(CONTRACT, "json", CALLS)]
    assert len(answers) == len(documented) == 5
    assert_shows(documented, answers)


def test_the_first_calls_work_in_javascript_too(service: Service, token: str, tmp_path: Path) -> None:
    (begin,) = blocks(README, "js", "## The first minute")
    begin = begin.partition("const milk")[0]
    script = "".join(blocks(CONTRACT, "js", CALLS))
    shown = in_node(f"{begin}{script}console.log((await tasks.get(next.id)).status);", service, token, tmp_path)

    assert shown == ["VALIDATION_ERROR titel", "done"]


@pytest.mark.parametrize("document", [README, QUICKSTART, CONTRACT], ids=lambda path: path.name)
def test_whoever_pastes_a_document_finds_no_new_files_in_the_folder(
    service: Service, folder: Path, tmp_path: Path, document: Path
) -> None:
    before = set(folder.iterdir())
    script = "".join(block for block in shell_blocks(document) if "make run" not in block)

    shell.run_lines(f"set +e\nexport TMPDIR='{tmp_path}'\n{script}", service, folder)

    assert set(folder.iterdir()) == before
    assert bool([*tmp_path.rglob("*.json*")]) == (document == CONTRACT)  # they are written, but elsewhere
