"""`python -m tests.benchmarks.beside`: how long others wait beside the worst request of each kind that is allowed.

One user sends it without a pause and without a rate limit, which would allow far fewer. A process of its own asks for a
task of another user, and for /health/live, all the time.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory

import httpx

from backend.database.embedded.postgres import VERSION
from tests.benchmarks import data, running
from tests.benchmarks.load import token_for
from tests.benchmarks.workloads import SERVICE
from tests.fixtures.calls.api import new_user
from tests.fixtures.inputs.worst_requests import Worst, plant, worst_requests
from tests.fixtures.processes.victim import asking

SECONDS = 5  # for each kind, and at least two requests
LIVE, TASK = "/health/live", f"/api/tasks/{data.task(1, 1)}"
_PATIENCE_SECONDS = 120


def main() -> None:
    """Measure, and print the results as Markdown."""
    with (
        TemporaryDirectory(prefix="task-api-beside-") as name,
        running.postgres(VERSION) as server,
        running.contender(SERVICE, server.url(), Path(name)) as service,
    ):
        print("| beside | requests | ms of each | get, p50 | get, p99 | live, p99 |\n|---|--:|--:|--:|--:|--:|")
        for kind, worst in [("nothing", None), *worst_requests()]:
            user_id = new_user()
            plant(server.url(), user_id)
            print(f"| {kind} | {' | '.join(_measured(service.address, user_id, worst))} |", flush=True)


def _measured(address: str, user_id: str, worst: Worst | None) -> Iterator[str]:
    headers = {"Authorization": f"Bearer {token_for(user_id)}"}
    with (
        httpx.Client(base_url=address, headers=headers, timeout=_PATIENCE_SECONDS, trust_env=False) as client,
        asking(address, token_for(data.user(1)), [LIVE, TASK]) as victim,
    ):
        began, requests = time.monotonic(), 0
        while requests % 2 or time.monotonic() < began + SECONDS:
            if worst is None:
                time.sleep(SECONDS)
                continue
            answer = worst.send(client, requests)
            if answer.is_error != worst.is_refused:
                raise RuntimeError(answer.text[:1000])
            requests += 1
        ended = time.monotonic()
    yield str(requests)
    get, live = (quantiles(victim.waits(path, began, ended), n=100, method="inclusive") for path in (TASK, LIVE))
    for seconds in ((ended - began) / requests if requests else 0, get[49], get[98], live[98]):
        yield f"{seconds * 1000:,.0f}"


if __name__ == "__main__":
    main()
