"""docs/postgres.md: its blocks, in their order, lead from a bare server to a service."""

from __future__ import annotations

import pytest

from tests.fixtures.calls.api import new_user
from tests.fixtures.documents.guide_blocks import GUIDE, shell_parts
from tests.fixtures.postgres.database import execute
from tests.fixtures.processes.deployment import is_served, read_variables, uninstalled, user_client
from tests.fixtures.processes.process import environment, served

PAGE = GUIDE / "postgres.md"
SERVE = "task-api serve\n"
LOGINS = {"task_api_owner", "task_api_service"}


@pytest.mark.requirement("FR-181")
def test_its_blocks_lead_from_a_bare_server_to_a_service() -> None:
    *before, last = [block.text for block in shell_parts(PAGE)]
    assert last == SERVE

    with uninstalled() as bare:
        printed = bare.shell("".join(before), **bare.administrator)
        assert printed.startswith("applied ")
        with served(env=environment(bare.folder / "data"), cwd=bare.folder) as service:  # what else it needs is in .env
            secret = read_variables(bare.folder / ".env")["JWT_SECRET"]
            with user_client(service.address, new_user(), secret=secret) as client:
                assert is_served(client)
        roles = execute(bare.server.url(), "SELECT rolname, rolcanlogin, rolsuper FROM pg_roles WHERE rolname ~ 'task'")
        modes = {name: (bare.folder / name).stat().st_mode & 0o777 for name in (".env", "owner.env")}

    made = ["task_api", "task_api_list", "task_api_owner", "task_api_service"]
    assert sorted(roles) == [(name, name in LOGINS, False) for name in made]
    assert modes == {".env": 0o600, "owner.env": 0o600}
