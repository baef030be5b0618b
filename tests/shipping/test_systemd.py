"""The units of deploy/: checked by systemd, compared with the code, and started as they say, unprivileged."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import sysconfig
from pathlib import Path

import psutil
import pytest

from backend.config import Settings
from tests.fixtures.calls.api import new_user
from tests.fixtures.http.load import LATE, load_on
from tests.fixtures.processes.confined import confine, locked_packages
from tests.fixtures.processes.deployment import DEPLOY, Installation, is_served, seconds_to_end, user_client
from tests.fixtures.processes.process import REPOSITORY, served
from tests.fixtures.processes.workers import workers_of
from tests.fixtures.running.needs import need

pytestmark = pytest.mark.requirement("FR-179")

UNIT = DEPLOY / "task-api.service"
SOCKET = DEPLOY / "task-api.socket"
INSTALLED = "/opt/task-api"
PROGRAM = f"{INSTALLED}/.venv/bin/task-api"
RELOAD_SECONDS = 100
MAX_EXPOSURE = 2.0  # out of 10, on systemd's scale


def _values(directive: str, unit: Path = UNIT) -> list[str]:
    """List the values of a directive."""
    return re.findall(rf"^{directive}=(.*)$", unit.read_text(encoding="utf-8"), re.MULTILINE)


def _the(directive: str) -> str:
    (value,) = _values(directive)
    return value


def _analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    need("systemd-analyze")
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False)  # noqa: S603, S607


def test_systemd_understands_every_line(tmp_path: Path) -> None:
    unit, listener, program = tmp_path / UNIT.name, tmp_path / SOCKET.name, tmp_path / "task-api"
    program.symlink_to(sys.executable)
    unit.write_text(UNIT.read_text(encoding="utf-8").replace(PROGRAM, str(program)))
    listener.write_text(SOCKET.read_text(encoding="utf-8"))

    done = _analyze("verify", "--man=no", str(unit), str(listener))

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    unit.write_text(unit.read_text().replace("ProtectSystem=strict", "ProtectSystem=completely"))
    assert "Failed to parse" in _analyze("verify", "--man=no", str(unit)).stderr
    listener.write_text(listener.read_text().replace("ListenStream=127.0.0.1:8000", "ListenStream=nowhere:8000"))
    assert "Failed to parse" in _analyze("verify", "--man=no", str(listener)).stderr


def test_it_is_exposed_to_next_to_nothing() -> None:
    done = _analyze("security", "--offline=true", "--no-pager", f"--threshold={MAX_EXPOSURE * 10:.0f}", str(UNIT))

    assert done.returncode == 0, done.stdout
    assert _the("DynamicUser") == "yes"
    assert _the("ProtectSystem") == "strict"
    assert _the("InaccessiblePaths").split() == ["/tmp", "/var/tmp"]  # noqa: S108 - where it may not write
    assert not [
        name for name in ("ReadWritePaths", "StateDirectory", "CacheDirectory", "LogsDirectory") if _values(name)
    ]
    assert (_the("CapabilityBoundingSet"), _the("AmbientCapabilities"), _the("NoNewPrivileges")) == ("", "", "yes")


def test_its_times_and_settings_agree_with_the_code() -> None:
    environment = dict(pair.split("=", 1) for pair in _the("Environment").split())

    assert int(_the("TimeoutStopSec")) > seconds_to_end()
    assert {name.lower() for name in environment} - {"pythondontwritebytecode", "pythonunbuffered"} <= set(
        Settings.model_fields
    )
    assert environment["ENVIRONMENT"] == "production"
    assert int(environment["WORKERS"]) > 1  # otherwise a reload would close the address
    assert _the("KillSignal") == "SIGTERM"
    assert _the("KillMode") == "mixed"  # workers finish their requests when the parent tells them to stop
    assert _the("Restart") == "always"  # also after the SIGHUP that ends a single worker
    assert _the("StartLimitIntervalSec") == "0"
    assert _values("ExecStartPre") == []


@pytest.mark.requirement("FR-266")
def test_the_socket_has_the_name_of_the_service_and_its_default_address() -> None:
    default = (Settings.model_fields[name].default for name in ("host", "port"))

    assert SOCKET.stem == UNIT.stem  # this is how systemd knows whom to pass it to
    assert _values("ListenStream", SOCKET) == ["{}:{}".format(*default)]
    assert _values("Accept", SOCKET) == []  # else it would start a service for each connection


@pytest.mark.requirement("FR-166", "FR-165")
def test_it_is_started_reloaded_and_stopped_as_the_unit_says(installed: Installation, tmp_path: Path) -> None:
    """As systemd would do it: the user, a read-only root without /tmp, no privileges, the commands and the signals."""
    program = tmp_path / "task-api"
    program.write_text('#!/bin/sh\nexec python -m backend.cli "$@"\n')
    program.chmod(0o755)
    files = {
        "/packages": locked_packages(tmp_path / "packages"),
        "/site-packages": Path(sysconfig.get_path("platlib")),
        PROGRAM: program,
        **{f"{INSTALLED}/{name}": REPOSITORY / name for name in ("migrations", "backend")},
    }
    given = {**installed.production(), **dict(pair.split("=", 1) for pair in _the("Environment").split())}
    names = ("DATABASE_URL", "DATA_DIR", "JWT_SECRET", "ENVIRONMENT", "WORKERS", "PYTHONDONTWRITEBYTECODE")
    environment = {name: given[name] for name in names} | {
        "PYTHONPATH": f"{INSTALLED}:/packages",
        "RATE_LIMIT_ENABLED": "0",
    }
    unit = confine(tmp_path, files, _the("WorkingDirectory"), environment)
    start = [*unit.command(*_the("ExecStart").split()), "--port", "0"]

    with served(command=start, env=unit.environment, cwd=tmp_path) as service:
        with user_client(service.address, new_user()) as client:
            assert is_served(client)
        before = workers_of(service)
        with load_on(service.address, new_user(), kept=2, new=2) as load:
            reload = _the("ExecReload").replace("$MAINPID", str(service.process.pid))
            subprocess.run(reload.split(), check=True)  # noqa: S603 - as the unit says
            gone, _ = psutil.wait_procs(before, timeout=RELOAD_SECONDS)
            assert len(gone) == len(before) == int(environment["WORKERS"])
        assert set(load.counts()) - {LATE} == {200, 201}
        assert len(workers_of(service)) == len(before)
        assert service.stop(signal.Signals[_the("KillSignal")]) == 0
