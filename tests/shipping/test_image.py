"""The Dockerfile's content, and the service in the file system that it describes, run as the user that it names."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.fixtures.calls.api import new_user
from tests.fixtures.documents.guide import BUILT
from tests.fixtures.processes.confined import Confinement, confine, locked_packages
from tests.fixtures.processes.deployment import Installation, is_served, user_client
from tests.fixtures.processes.process import REPOSITORY, served
from tests.fixtures.processes.servers import free_port

pytestmark = pytest.mark.requirement("FR-177")


@dataclass(frozen=True)
class Stage:
    """A part of a Dockerfile that begins with FROM."""

    image: str
    name: str
    instructions: list[tuple[str, str]] = field(default_factory=list)

    def all(self, name: str) -> list[str]:
        """List the arguments of each instruction of this name."""
        return [arguments for instruction, arguments in self.instructions if instruction == name]

    def the(self, name: str) -> str:
        """Return the arguments of the one instruction of this name."""
        (arguments,) = self.all(name)
        return arguments


def _stages(text: str) -> list[Stage]:
    """Read a Dockerfile: without comments, and with continued lines joined."""
    plain = re.sub(r"\\\n", " ", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE))
    stages: list[Stage] = []
    for line in filter(None, map(str.strip, plain.splitlines())):
        name, arguments = re.split(r"\s+", line, maxsplit=1)
        if name == "FROM":
            image, _, alias = arguments.partition(" AS ")
            stages.append(Stage(image, alias))
        else:
            stages[-1].instructions.append((name, re.sub(r"\s+", " ", arguments)))
    return stages


BASE, PACKAGES, GUIDE, IMAGE = _stages((REPOSITORY / "Dockerfile").read_text(encoding="utf-8"))
ENVIRONMENT = dict(part.split("=", 1) for part in IMAGE.the("ENV").split())
USER, _, GROUP = IMAGE.the("USER").partition(":")
ENTRYPOINT: list[str] = json.loads(IMAGE.the("ENTRYPOINT"))
COMMAND: list[str] = json.loads(IMAGE.the("CMD"))
CHECK: list[str] = json.loads(IMAGE.the("HEALTHCHECK").partition(" CMD ")[2])


def test_it_is_built_in_stages_from_a_small_pinned_python() -> None:
    version = re.fullmatch(r"python:3\.(\d+)(\.\d+)?-slim-\w+", BASE.image)

    assert version
    assert 11 <= int(version[1]) <= 14
    assert {stage.image for stage in (PACKAGES, GUIDE, IMAGE)} == {BASE.name}
    assert len(IMAGE.all("RUN")) == 1  # nothing is installed in the image itself
    assert "install" not in IMAGE.the("RUN")


def test_it_has_the_locked_packages_and_no_others() -> None:
    installing, _, removing = PACKAGES.the("RUN").partition(" && ")

    for command in (installing, GUIDE.all("RUN")[0]):
        assert command.startswith("pip install ")
        for option in ("--no-cache-dir", "--require-hashes", "--only-binary :all:"):
            assert option in command
    assert installing.endswith(" --target /packages -r /requirements.lock")
    assert PACKAGES.all("COPY") == ["requirements.lock /"]
    assert removing.startswith("rm -r ")
    assert IMAGE.all("COPY") == [
        "--from=packages /packages /packages",
        "migrations migrations",
        "backend backend",
        f"--from=guide {GUIDE.the('WORKDIR')}/{BUILT} {BUILT}",
    ]


def test_nothing_else_is_given_to_the_build() -> None:
    lines = (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]

    copied = [arguments for stage in (PACKAGES, GUIDE, IMAGE) for arguments in stage.all("COPY")]
    assert patterns[0] == "*"
    assert {pattern[1:] for pattern in patterns if pattern.startswith("!")} == {
        arguments.split()[0] for arguments in copied if not arguments.startswith("--from")
    }
    assert str(BUILT) in patterns  # that of this machine may be an old one


@pytest.mark.requirement("FR-478")
def test_the_guide_is_built_from_what_the_build_is_given(tmp_path: Path) -> None:
    for arguments in GUIDE.all("COPY"):
        source, target = (Path(name) for name in arguments.split())
        (tmp_path / target).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (REPOSITORY / source).is_dir() else shutil.copy
        copy(REPOSITORY / source, tmp_path / target)
    program, *options = GUIDE.all("RUN")[-1].split()

    assert program == "python"
    subprocess.run([sys.executable, *options], cwd=tmp_path, check=True)  # noqa: S603 - our own command

    assert (tmp_path / BUILT / "policy.txt").read_text() == (REPOSITORY / BUILT / "policy.txt").read_text()


def test_it_is_nobody_who_runs_it_and_signals_reach_it() -> None:
    assert USER.isdecimal()
    assert GROUP.isdecimal()
    assert int(USER) >= 10000  # no user of the host has this id
    assert IMAGE.instructions.index(("USER", f"{USER}:{GROUP}")) > IMAGE.instructions.index(("RUN", IMAGE.the("RUN")))
    assert IMAGE.the("STOPSIGNAL") == "SIGTERM"
    assert ENVIRONMENT["ENVIRONMENT"] == "production"
    assert not [name for name in ENVIRONMENT if re.search("SECRET|URL|PASSWORD", name)]


@pytest.fixture
def image(installed: Installation, tmp_path: Path) -> Confinement:
    """The image's file system, built from this machine's files, as a container sees it; with production settings."""
    removed = [Path(name).name for name in PACKAGES.the("RUN").partition("rm -r ")[2].split()]
    files = {
        "/packages": locked_packages(tmp_path / "packages", removed),
        "/site-packages": Path(sysconfig.get_path("platlib")),
        **{f"{IMAGE.the('WORKDIR')}/{name}": REPOSITORY / name for name in ("migrations", "backend")},
    }
    given = installed.production()
    settings = {name: given[name] for name in ("DATABASE_URL", "DATA_DIR", "JWT_SECRET")}
    environment = {**ENVIRONMENT, **settings, "HOST": "127.0.0.1", "PORT": str(free_port())}
    return confine(tmp_path, files, IMAGE.the("WORKDIR"), environment)


def test_it_serves_as_nobody_and_writes_nothing(image: Confinement, tmp_path: Path) -> None:
    assert image.user == USER
    for place in ("/app", "/packages", "/tmp", "/"):  # noqa: S108 - to see that nobody may
        assert "Read-only file system" in image.run("touch", f"{place}/written").stderr
    assert image.run("id", "-u").stdout == f"{USER}\n"
    assert "0000000000000000" in image.run("grep", "CapEff", "/proc/self/status").stdout

    assert image.run(*CHECK).returncode != 0
    command = image.command(*ENTRYPOINT, *COMMAND)
    with served(command=command, env=image.environment, cwd=tmp_path) as service:
        with user_client(service.address, new_user()) as client:
            assert is_served(client)
            assert client.get("/docs/guide/").status_code == 200
        assert image.run(*CHECK).returncode == 0
        service.process.send_signal(signal.SIGSTOP)  # it hangs
        assert image.run(*CHECK).returncode != 0
        service.process.send_signal(signal.SIGCONT)
        assert image.run(*CHECK).returncode == 0
        assert service.stop(getattr(signal, IMAGE.the("STOPSIGNAL"))) == 0
    assert image.run(*CHECK).returncode != 0
