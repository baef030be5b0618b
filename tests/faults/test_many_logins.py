"""Five hundred logins at once, each from a network of its own: whoever is signed in notices nothing."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psutil
import pytest

from tests.fixtures.processes.process import environment, served
from tests.fixtures.running.waiting import PATIENCE_SECONDS

LOGINS = 500
MAX_MORE_BYTES = 60 * 1024 * 1024
ADA = {"email": "ada@example.org", "password": "seven green bottles"}


@pytest.mark.requirement("FR-557")
def test_whoever_is_signed_in_is_refused_nothing(tmp_path: Path) -> None:
    with (
        served(env=environment(tmp_path / "data"), cwd=tmp_path) as service,
        httpx.Client(base_url=service.address, trust_env=False, timeout=PATIENCE_SECONDS) as ada,
        ThreadPoolExecutor(LOGINS) as threads,
    ):
        pair = ada.post("/api/auth/register", json=ADA).json()["data"]
        ada.headers["Authorization"] = f"Bearer {pair['access_token']}"
        process = psutil.Process(service.process.pid)
        before = process.memory_info().rss

        def log_in(number: int) -> httpx.Response:
            network = {"X-Forwarded-For": f"10.{number >> 8}.{number & 255}.1"}
            guess = {"email": f"{number}@example.org", "password": "nine red balloons go by"}
            return httpx.post(
                f"{service.address}/api/auth/login",
                json=guess,
                headers=network,
                timeout=PATIENCE_SECONDS,
                trust_env=False,
            )

        logins = [threads.submit(log_in, number) for number in range(LOGINS)]
        reads = []
        while not all(login.done() for login in logins):
            reads.append(ada.get("/api/tasks").status_code)
        answers = [login.result() for login in logins]

        assert set(reads) == {200}
        statuses = Counter(answer.status_code for answer in answers)
        assert statuses.keys() <= {401, 503}
        assert statuses[401] > 0
        assert all("Retry-After" in answer.headers for answer in answers if answer.status_code == 503)
        assert process.memory_info().rss - before < MAX_MORE_BYTES
        assert ada.post("/api/auth/login", json=ADA).status_code == 200
