"""What a newcomer pastes first out of the README: a request, and ten lines of JavaScript."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.fixtures.documents.guide_blocks import blocks
from tests.fixtures.documents.shortened import assert_shows
from tests.fixtures.node.javascript import in_node
from tests.fixtures.processes import shell
from tests.fixtures.processes.process import Service, environment, run
from tests.fixtures.processes.shell import README, installed_service

pytestmark = pytest.mark.requirement("FR-318")

TEXTS = {block.language: block.text for block in blocks(README)}


@pytest.fixture(scope="module")
def service(folder: Path) -> Iterator[Service]:
    with installed_service(folder) as service:
        yield service


def test_the_request_in_the_readme_gets_the_answer_below_it(service: Service, folder: Path) -> None:
    done = shell.run_lines(TEXTS["sh"], service, folder)

    assert (done.returncode, done.stderr) == (0, "")
    assert_shows(json.loads(TEXTS["json"]), json.loads(done.stdout))


def test_the_javascript_in_the_readme_works(service: Service, folder: Path, tmp_path: Path) -> None:
    token = run("token", str(uuid4()), env=environment(folder / "data"), cwd=folder).stdout.strip()

    assert len([line for line in TEXTS["js"].splitlines() if line]) <= 10
    assert in_node(TEXTS["js"], service, token, tmp_path) == ["Buy milk"]
