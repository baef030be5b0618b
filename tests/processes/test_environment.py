"""Tests and services do not depend on the environment that they inherit."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.fixtures.processes.process import REPOSITORY, TASK_API, environment, served
from tests.fixtures.running.waiting import PATIENCE_SECONDS

# Starts a program in a hostile environment: most signals ignored or blocked, and a umask that denies reading.
UNKIND_PARENT = """
import os, signal, sys
for name in ("SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGCHLD", "SIGUSR1"):
    signal.signal(getattr(signal, name), signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP, signal.SIGTERM, signal.SIGALRM})
os.umask(0o777)
os.execv(sys.argv[1], sys.argv[1:])
"""
# Prints this process's state, and the state that a child inherits.
STATE = """
import json, locale, os, signal, sys, time
print(json.dumps({
    "ignored": sorted(s.name for s in signal.Signals if signal.getsignal(s) is signal.SIG_IGN),
    "blocked": sorted(s.name for s in signal.pthread_sigmask(signal.SIG_BLOCK, ())),
    "umask": os.umask(0o022), "zone": time.tzname[0], "encoding": locale.getencoding().lower(),
    "variables": sorted(os.environ), "home": os.listdir(os.environ["HOME"]),
}))
"""
FORGETTING = f"""
import subprocess, sys
from tests.fixtures.running.inherited import forget_what_was_inherited
forget_what_was_inherited()
{STATE}
sys.stdout.flush()
subprocess.run([sys.executable, "-c", {STATE!r}], check=True)
"""
UNKIND_VARIABLES = {
    "DATABASE_POOL_SIZE": "no number",
    "HTTP_PROXY": "http://127.0.0.1:1",
    "PGSSLMODE": "verify-full",
    "TZ": "Pacific/Auckland",
    "LC_ALL": "POSIX",
    "HOME": "/nonexistent",
    "PYTHONWARNINGS": "error",
}


@pytest.mark.requirement("FR-234")
def test_nothing_that_tests_inherit_reaches_them_or_their_processes() -> None:
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", UNKIND_PARENT, sys.executable, "-c", FORGETTING],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY), **UNKIND_VARIABLES},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=True,
    )

    for line in done.stdout.splitlines():
        state = json.loads(line)
        # Python itself ignores these two, and restores them for child processes.
        assert set(state.pop("ignored")) <= {"SIGPIPE", "SIGXFSZ"}
        assert state == {
            "blocked": [],
            "umask": 0o022,
            "zone": "UTC",
            "encoding": "utf-8",
            "variables": ["HOME", "LC_ALL", "PATH", "TZ"],
            "home": [],
        }
    assert len(done.stdout.splitlines()) == 2


@pytest.mark.requirement("FR-234", "FR-064")
def test_a_service_serves_and_ends_wherever_it_is_started(tmp_path: Path) -> None:
    """As a background job without a home folder: a umask that denies reading, another zone and a non-UTF-8 locale."""
    background = "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); os.umask(0o077)"
    command = (sys.executable, "-c", f"{background}; os.execv(sys.argv[1], sys.argv[1:])", *TASK_API, "serve")
    env = {**environment(tmp_path / "data"), "TZ": "Pacific/Auckland", "LC_ALL": "POSIX", "HOME": "/nonexistent"}

    with served("--port", "0", env=env, cwd=tmp_path, command=command) as service:
        headers = {"Authorization": f"Bearer {service.token}"}
        with httpx.Client(
            base_url=service.address, headers=headers, trust_env=False, timeout=PATIENCE_SECONDS
        ) as client:
            created = client.post("/api/tasks", json={"title": "Grüße 茶"})
            assert created.status_code == 201
            task = created.json()["data"]
            assert (task["title"], task["created_at"][-6:]) == ("Grüße 茶", "+00:00")
        assert service.stop(signal.SIGTERM) == 0
        assert service.left_over() == []


@pytest.mark.requirement("FR-234")
@pytest.mark.skipif(sys.version_info >= (3, 12), reason="only Python 3.11 can stand still while it is measured")
def test_a_measured_process_and_those_that_it_starts_keep_greenlets_in_a_dictionary_that_runs_no_code(
    tmp_path: Path,
) -> None:
    say = "import weakref; print(weakref.WeakKeyDictionary.__name__, flush=True)"
    program = f"""
import subprocess, sys
from pathlib import Path
from tests.fixtures.running.measured import keep_measuring
sys.settrace(lambda *_: None)
keep_measuring()
from tests.fixtures.processes.process import environment
{say}
subprocess.run([sys.executable, "-c", {say!r}], env=environment(Path({str(tmp_path)!r})), check=True)
"""
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", program],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=True,
    )

    assert done.stdout.split() == ["QuietWeakKeyDictionary"] * 2, done.stderr
