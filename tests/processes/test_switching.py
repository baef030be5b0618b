"""What a worker process sets for itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from backend.server.worker_app import SWITCH_SECONDS
from tests.fixtures.identity.tokens import SECRET
from tests.fixtures.processes.process import environment

SHOW = "import sys; from backend.server.worker_app import application; application(); print(sys.getswitchinterval())"


@pytest.mark.requirement("FR-435")
def test_threads_that_compute_soon_let_the_event_loop_run(tmp_path: Path) -> None:
    env = environment(tmp_path / "data", DATABASE_URL="postgresql://nobody@127.0.0.1:1/none", JWT_SECRET=SECRET)
    shown = subprocess.run([sys.executable, "-c", SHOW], env=env, check=True, capture_output=True, text=True)  # noqa: S603 - our own text
    assert float(shown.stdout.split()[-1]) == pytest.approx(SWITCH_SECONDS)
    assert SWITCH_SECONDS < 0.001
