"""Schemathesis, with all its checks and phases, against the running service."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from backend.identity.jwt import issue_token
from tests.fixtures.calls.api import API, AS_PATCH, new_user
from tests.fixtures.documents.contract import operations
from tests.fixtures.identity.tokens import SECRET
from tests.fixtures.running.measured import python_path

ROOT = Path(__file__).parents[2]
RUN_SECONDS = 800
PHASES = {"examples", "coverage", "fuzzing", "stateful"}
LINKS = re.compile(r"API Links: +([0-9]+) covered")  # not counted in the report
# Its warnings count as findings. While fuzzing, it takes no ids from responses: the hooks put a task or list there.
CONFIGURATION = """
seed = 92
warnings.fail-on = true
auth.wfc = {{ path = {users}, user = "owner", peers = ["owner", "stranger"] }}
checks.positive_data_acceptance.expected-statuses = ["2xx", "3xx", 401, 403, 404, 409, 412, 429, "5xx"]
generation = {{ database = "none", max-examples = 30, no-shrink = true }}
phases.fuzzing.extra-data-sources.responses = false
phases.stateful.generation.max-examples = 60
"""
# The sign-in judges passwords by more than a schema can say: tests/integration/sign_in sends it bad input.
# The schema of the stream is that of an event's data. Schemathesis takes it for that of the event.
LEFT_OUT = "^/api/auth|^/api/me/password|^/api/changes/stream"


def _run(api: API, folder: Path, tokens: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run it as a separate program, which writes a report into the folder."""
    users = [
        {"name": name, "fixedHeaders": [{"name": "Authorization", "value": f"Bearer {token}"}]}
        for name, token in tokens.items()
    ]
    (folder / "users.json").write_text(json.dumps({"auth": users}))
    (folder / "schemathesis.toml").write_text(CONFIGURATION.format(users=json.dumps(str(folder / "users.json"))))
    environment = {
        **os.environ,
        "PYTHONPATH": python_path(ROOT),
        "SCHEMATHESIS_HOOKS": "tests.fixtures.inputs.schemathesis_hooks",
        "TOKEN_OF_STRANGER": tokens["stranger"],
        "TRIED_BY_STRANGER": str(folder / "tried"),
        "NO_PROXY": "127.0.0.1",
    }
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", "schemathesis.toml", "--no-color"]
    command += ["run", f"{api.base_url}/openapi.json", "--checks=all", "--report-json-path=report.json"]
    command += ["--exclude-path-regex", LEFT_OUT]
    return subprocess.run(  # noqa: S603 - as written here
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=RUN_SECONDS, check=False
    )


@pytest.mark.requirement("FR-092", "FR-011", "FR-058")
def test_schemathesis_finds_nothing_and_no_stranger_gets_in(api: API, tmp_path: Path) -> None:
    stranger = new_user()
    tokens = {
        name: issue_token(SECRET, user, ttl_seconds=600)
        for name, user in (("owner", new_user()), ("stranger", stranger))
    }

    result = _run(api, tmp_path, tokens)

    assert result.returncode == 0, result.stdout + result.stderr
    report = json.loads((tmp_path / "report.json").read_text())
    named = [each for each in operations().values() if not re.search(LEFT_OUT, each.path)]
    assert (report["complete"], report["operations"]["tested"]) == (True, len(named) + len(AS_PATCH))
    # For Schemathesis, a skipped or empty phase is no failure.
    assert {name: phase["status"] for name, phase in report["phases"].items()} == dict.fromkeys(PHASES, "success")
    covered = LINKS.search(result.stdout)
    assert covered, result.stdout
    assert int(covered[1]) > 0, result.stdout
    tried = set((tmp_path / "tried").read_text().split())
    assert tried == {each.id for each in operations().values() if each.is_about_one_task or each.is_about_one_list}
    with api.client(stranger) as client:
        nothing = {"id": stranger, "revision": 0, "created_at": None, "timezone": None}
        assert client.get("/api/me").json()["data"] == nothing
