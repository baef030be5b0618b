"""`python -m tests.benchmarks.beside`: how long others wait beside the worst request of each kind that is allowed.

One user sends it without a pause and without a rate limit, which would allow far fewer. A process of its own asks for a
task of another user, and for /health/live, all the time.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory

import httpx

from tests.benchmarks import data, running
from tests.benchmarks.load import token_for
from tests.fixtures.calls.api import new_user
from tests.fixtures.inputs.worst_requests import Worst, plant, worst_requests
from tests.fixtures.processes.victim import Victim, asking

SECONDS = 5  # for each kind, and at least two requests
SHARE = 0.1
LIVE, TASK = "/health/live", f"/api/tasks/{data.task(1, 1)}"
_PATIENCE_SECONDS = 120


def main() -> None:
    """Measure, and print the results as Markdown."""
    with (
        TemporaryDirectory(prefix="task-api-beside-") as name,
        running.database(Path(name, "postgres"), share=SHARE) as url,
        running.service(url, Path(name)) as service,
    ):
        sys.stdout.write(
            "| beside | requests | ms of each | get, p50 | get, p99 | live, p99 |\n|---|--:|--:|--:|--:|--:|\n"
        )
        with asking(service.address, token_for(data.user(1)), [LIVE, TASK]) as victim:
            began = time.monotonic()
            time.sleep(SECONDS)
            ended = time.monotonic()
        _print("nothing", 0, victim, (began, ended))
        for kind, worst in worst_requests():
            user_id = new_user()
            plant(url, user_id)
            _measure(service.address, user_id, kind, worst)


def _measure(address: str, user_id: str, kind: str, worst: Worst) -> None:
    headers = {"Authorization": f"Bearer {token_for(user_id)}"}
    with (
        httpx.Client(base_url=address, headers=headers, timeout=_PATIENCE_SECONDS, trust_env=False) as client,
        asking(address, token_for(data.user(1)), [LIVE, TASK]) as victim,
    ):
        began, requests = time.monotonic(), 0
        while requests % 2 or time.monotonic() < began + SECONDS:
            answer = worst.send(client, requests)
            if answer.is_error != worst.is_refused:
                raise RuntimeError(answer.text[:1000])
            requests += 1
        ended = time.monotonic()
    _print(kind, requests, victim, (began, ended))


def _print(kind: str, requests: int, victim: Victim, during: tuple[float, float]) -> None:
    get, live = (quantiles(victim.waits(path, *during), n=100, method="inclusive") for path in (TASK, LIVE))
    each = (during[1] - during[0]) / requests if requests else 0
    cells = (f"{seconds * 1000:,.0f}" for seconds in (each, get[49], get[98], live[98]))
    sys.stdout.write(f"| {kind} | {requests} | {' | '.join(cells)} |\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
