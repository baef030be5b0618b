"""Each kind of login can set up the service on a new Postgres server."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.database.embedded.postgres import EmbeddedPostgres
from tests.fixtures.postgres.logins import LOGINS, database_of
from tests.fixtures.postgres.tenant_statements import use_everything


@pytest.mark.requirement("FR-013", "FR-070")
@pytest.mark.parametrize("kind", LOGINS)
def test_every_login_can_set_up_a_server_that_is_new(tmp_path: Path, kind: str) -> None:
    with (
        EmbeddedPostgres(tmp_path) as server_url,
        database_of(server_url, LOGINS[kind], may_become_task_api=False) as url,
    ):
        use_everything(url)
