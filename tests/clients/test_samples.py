"""The samples of the contract are run as they are printed, in curl, Node.js and Python."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from backend.api.openapi.samples import FILE, ORIGIN
from backend.models.fields import UUID_EXAMPLE
from tests.fixtures.calls.access_tokens import make_token
from tests.fixtures.calls.labels import put
from tests.fixtures.calls.lists import make
from tests.fixtures.calls.tasks import create, do_what_is_undone
from tests.fixtures.documents.contract import Operation, operations
from tests.fixtures.running.needs import needing
from tests.fixtures.running.waiting import PATIENCE_SECONDS

BEGINNINGS = {
    "curl": ("sh", "-c", 'curl() { command curl -sS -w "%{stderr}%{http_code}" "$@"; }\n'),
    "JavaScript": ("node", "--input-type=module", "-e", "const token = process.env.TOKEN;\n"),
    "Python": (sys.executable, "-c", ""),
}
CODE = re.compile(r"\b([1-5][0-9]{2})\b")

pytestmark = [needing("curl", "node"), pytest.mark.requirement("FR-483")]


def command_of(operation: Operation, language: str, own_id: str, address: str) -> list[str]:
    """Return the command that runs a sample against this service, with the id of something that is there."""
    (sample,) = [each for each in operation.document["x-codeSamples"] if each["label"] == language]
    *command, beginning = BEGINNINGS[language]
    return [*command, beginning + sample["source"].replace(ORIGIN, address).replace(f"/{UUID_EXAMPLE}", f"/{own_id}")]


def own_id(operation: Operation, user: httpx.Client) -> str:
    """Make what the operation is about."""
    if operation.id in {"update_label", "delete_label"}:
        put(user, "home")
    if operation.id == "undo_request":
        do_what_is_undone(user)
    if operation.id == "restore_task":
        task = create(user)
        user.delete(f"/api/tasks/{task['id']}")
        return str(task["id"])
    if operation.is_about_one_list:
        return str(make(user, uuid4().hex)["id"])
    return str(make_token(user)["id"] if "{token_id}" in operation.path else create(user)["id"])


# What an example alone cannot do: name the user's own id, and what the sign-in has given only to its owner.
REFUSED = {"erase_account": "422", "refresh": "401", "change_password": "404"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a file to import."""
    (tmp_path / FILE).write_text("title,due_date\nBuy milk,2026-11-21\n")
    return tmp_path


@pytest.mark.parametrize("language", BEGINNINGS)
@pytest.mark.parametrize("name", operations())
def test_a_sample_is_answered_as_documented(name: str, language: str, client: httpx.Client, folder: Path) -> None:
    operation = operations()[name]
    command = command_of(operation, language, own_id(operation, client), str(client.base_url).rstrip("/"))
    environment = {
        **os.environ,
        "TOKEN": client.headers["Authorization"].removeprefix("Bearer "),
        "NO_PROXY": "127.0.0.1",
    }

    with subprocess.Popen(  # noqa: S603 - as the contract prints it
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        if name == "stream_changes":
            assert running.stdout
            assert next(line for line in running.stdout if line.startswith(("data: ", "id: ")))
            running.kill()
            return
        said, complaint = running.communicate(timeout=PATIENCE_SECONDS)

    code = CODE.search(complaint if language == "curl" else said)
    assert code, (said, complaint)
    expected = REFUSED.get(name) or min(operation.document["responses"])
    assert int(code[1]) < 300 or code[1] == expected, (said, complaint)
    assert code[1] in operation.document["responses"], (said, complaint)


def test_each_operation_has_the_same_samples() -> None:
    for operation in operations().values():
        assert [sample["label"] for sample in operation.document["x-codeSamples"]] == [*BEGINNINGS]
