"""A request that computes for long keeps nobody else from being answered."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from backend.identity.jwt import issue_token
from tests.fixtures.calls.api import new_user
from tests.fixtures.calls.batches import BATCH, operation
from tests.fixtures.calls.task_files import LINES, counts_of, lines_of, report_of, send
from tests.fixtures.calls.tasks import create
from tests.fixtures.identity.tokens import SECRET
from tests.fixtures.processes.process import environment, served
from tests.fixtures.running.waiting import PATIENCE_SECONDS

BELOW = 900


@pytest.mark.requirement("FR-378")
def test_others_are_answered_while_a_batch_computes(tmp_path: Path, database_url: str) -> None:
    env = environment(tmp_path / "data", DATABASE_URL=database_url, JWT_SECRET=SECRET, RATE_LIMIT="1000000/minute")
    env |= {"REQUEST_TIMEOUT_SECONDS": str(PATIENCE_SECONDS)}  # a busy machine takes more than ten for the batch
    token = issue_token(SECRET, new_user(), ttl_seconds=600)
    with (
        served(env=env, cwd=tmp_path) as service,
        httpx.Client(
            base_url=service.address, headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE_SECONDS
        ) as client,
        httpx.Client(base_url=service.address, timeout=PATIENCE_SECONDS) as victim,
        ThreadPoolExecutor(1) as thread,
    ):
        top = create(client, "top")
        rows = [{"title": str(number), "parent_id": top["id"]} for number in range(BELOW)]
        assert counts_of(report_of(send(client, lines_of(rows), LINES))) == {"created": BELOW}
        # As many as a batch may have: from the twelfth on they would be too many changes, after the same computing.
        operations = [operation("complete", top, data={"completed": turn % 2 == 0}) for turn in range(100)]
        began = time.perf_counter()
        batch = thread.submit(client.post, BATCH, json={"operations": operations, "atomic": False})
        waits = []
        while not batch.done():
            asked = time.perf_counter()
            assert victim.get("/health/live").status_code == 200
            waits.append(time.perf_counter() - asked)
        took = time.perf_counter() - began

    statuses = [result["status"] for result in batch.result().json()["data"]]
    assert set(statuses) == {200, 409}
    # Without turns, one of them would wait for nearly all of the request, however fast the machine is.
    assert max(waits) < took / 2
