"""`make growth` in small, and what the loaded tasks are."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.fixtures.postgres.database import execute
from tests.growth import __main__ as command
from tests.growth import database, page
from tests.growth.database import TASKS, Population

SMALL = (Population("plain", 30, 0), Population("divided", 30, 4, "force_generic_plan"))
WORDS = "SELECT count(*) FROM tasks WHERE words @@ to_tsquery('simple', 'milk') AND words @@ to_tsquery('simple', %s)"
INDEXES = """
SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = 'public.tasks'::regclass AND indisvalid ORDER BY 1
"""
SPREAD = "SELECT count(DISTINCT tableoid) FROM tasks"


@pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed")
@pytest.mark.requirement("FR-519")
def test_two_hosts_serve_each_population_and_their_times_stand_side_by_side(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SECONDS", "MIX_SECONDS", "WARM_UP_SECONDS"):
        monkeypatch.setattr(command, name, 1)
    database.fill(tmp_path, SMALL, lambda _: None)
    with database.running(tmp_path, database.SERVING) as server:
        plain, divided = (database.url_of(server, each) for each in SMALL)
        assert execute(plain, INDEXES) == execute(divided, INDEXES)
        assert [execute(url, SPREAD)[0][0] for url in (plain, divided)] == [1, 4]
        for url in (plain, divided):
            assert execute(url, "SELECT count(*) FROM tasks") == [(SMALL[0].users * TASKS,)]
            assert execute(url, WORDS, "7") == [(SMALL[0].users,)]
            execute(url, "UPDATE tasks SET title = 'milk 77' WHERE user_id = 'user-7'")
            assert execute(url, WORDS, "77") == [(TASKS,)]  # words are derived again

        measured = command.measure(server, command.postmaster(tmp_path), SMALL)

    assert [(each.population, each.workload) for each in measured] == [
        (one.name, name) for name in page.CALLS for one in SMALL
    ]
    for each in measured:
        assert each.requests_per_second > 0
        assert each.p99_ms >= each.p50_ms > 0
        assert each.server_cpu_us > 0
        assert each.postgres_cpu_us > 0
