"""task-api serve as a process: from an empty folder to a task that survives, leaving no processes behind."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import httpx
import psutil
import pytest

from backend.database.migrations import runner as migrations
from tests.fixtures.identity.issuer import running_issuer
from tests.fixtures.identity.tokens import SECRET, claims, ed25519_pair, rsa_pair
from tests.fixtures.processes.process import REPOSITORY, TASK_API, environment, run, served
from tests.fixtures.processes.servers import free_port
from tests.fixtures.running.needs import need
from tests.fixtures.running.waiting import PATIENCE_SECONDS

PUBLIC_KEY = (
    "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----"
)
PRODUCTION = {"ENVIRONMENT": "production", "JWT_SECRET": SECRET}


def shell(line: str) -> httpx.Response:
    """Paste a line into a shell, and read the response."""
    need("curl")
    new_line = "-w '\\n'"
    assert new_line in line, "else the prompt of the shell follows the answer"
    done = subprocess.run(  # noqa: S602 - pasting the line is the test
        line.replace(new_line, "-s --noproxy '*' -w '\\n%{http_code}'"),
        shell=True,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=True,
    )
    body, _, status = done.stdout.rpartition("\n")
    return httpx.Response(int(status), text=body)


def titles(address: str, token: str) -> list[str]:
    answer = httpx.get(
        f"{address}/api/tasks", headers={"Authorization": f"Bearer {token}"}, trust_env=False, timeout=PATIENCE_SECONDS
    )
    return [task["title"] for task in answer.json()["data"]]


@pytest.mark.requirement("FR-034", "FR-059", "FR-064", "FR-069")
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_the_printed_curl_line_makes_a_task_that_survives_a_restart(tmp_path: Path, stop: signal.Signals) -> None:
    env = environment(tmp_path / "data")
    with served(env=env, cwd=tmp_path) as service:
        assert f"Docs      {service.address}/docs" in service.printed
        assert service.token in service.printed.splitlines()
        assert "Samples   task-api seed" in service.printed
        created = shell(service.curl)
        assert created.status_code == 201
        assert any(process.name() == "postgres" for process in service.family)
        assert service.stop(stop) == 0
        assert service.left_over() == []

    with served(env=env, cwd=tmp_path) as service:
        assert titles(service.address, service.token) == [created.json()["data"]["title"]]


@pytest.mark.requirement("FR-059", "FR-064")
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_several_workers_serve_and_end_together(tmp_path: Path, stop: signal.Signals) -> None:
    with served("--workers", "2", env=environment(tmp_path / "data"), cwd=tmp_path) as service:
        assert shell(service.curl).status_code == 201
        python = [process for process in service.family if "multiprocessing" in " ".join(process.cmdline())]
        assert len(python) >= 2
        assert service.stop(stop) == 0
        assert service.left_over() == []


@pytest.mark.requirement("FR-064")
def test_closing_the_terminal_ends_it_and_nohup_does_not(tmp_path: Path) -> None:
    with served(env=environment(tmp_path / "data"), cwd=tmp_path) as service:
        assert service.stop(signal.SIGHUP) == 0
        assert service.left_over() == []

    nohup = ("nohup", *TASK_API, "serve", "--port", "0")
    with served(env=environment(tmp_path / "data"), cwd=tmp_path, command=nohup) as service:
        service.process.send_signal(signal.SIGHUP)
        assert shell(service.curl).status_code == 201


@pytest.mark.requirement("FR-064")
@pytest.mark.parametrize(
    ("arguments", "how", "code"),
    [
        (("serve", "--port", "0"), signal.SIGTERM, 0),
        (("serve", "--port", "0"), signal.SIGINT, 0),
        (("migrate",), signal.SIGTERM, 143),
        (("migrate",), signal.SIGINT, 130),
    ],
)
def test_ending_it_while_it_starts_leaves_nothing_behind(
    tmp_path: Path, arguments: tuple[str, ...], how: signal.Signals, code: int
) -> None:
    data_dir = tmp_path / "data"
    process = subprocess.Popen(  # noqa: S603 - our own command
        [*TASK_API, *arguments], env=environment(data_dir), cwd=tmp_path, stdout=subprocess.DEVNULL
    )
    with process:
        try:
            postmaster = psutil.Process(_first_number(data_dir / "postgres" / "postmaster.pid", process))
            process.send_signal(how)
            assert process.wait(PATIENCE_SECONDS) == code
            psutil.wait_procs([postmaster], timeout=PATIENCE_SECONDS)
            assert not postmaster.is_running()
        finally:
            process.kill()


def _first_number(file: Path, writer: subprocess.Popen[bytes]) -> int:
    """Read the first line of a file as soon as it is complete."""
    text = ""
    while "\n" not in text:
        assert writer.poll() is None
        text = file.read_text() if file.exists() else ""
    return int(text.partition("\n")[0])


@pytest.mark.requirement("FR-059")
def test_host_and_port_are_taken_from_the_command_line(tmp_path: Path) -> None:
    port = free_port()  # no client's local end can take it in the meantime
    arguments = ("--host", "127.0.0.2", "--port", str(port))
    with served(*arguments, env=environment(tmp_path / "data"), cwd=tmp_path, command=(*TASK_API, "serve")) as service:
        assert service.address == f"http://127.0.0.2:{port}"


@pytest.mark.requirement("FR-059")
def test_an_ipv6_address_is_printed_as_urls_have_it(tmp_path: Path) -> None:
    with served("--host", "::1", env=environment(tmp_path / "data"), cwd=tmp_path) as service:
        assert service.address.startswith("http://[::1]:")
        assert shell(service.curl).status_code == 201


@pytest.mark.requirement("FR-067")
def test_a_taken_port_is_said_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = run("serve", "--port", port, env=environment(tmp_path / "data"), cwd=tmp_path)

    assert done.returncode == 1
    assert done.stderr.startswith(f"task-api: cannot listen on 127.0.0.1 port {port}: Address already in use.")
    assert not (tmp_path / "data" / "postgres").exists()


@pytest.mark.requirement("FR-060")
def test_production_refuses_an_outdated_schema_and_serves_a_current_one(
    tmp_path: Path, empty_database_url: str
) -> None:
    env = environment(tmp_path / "data", DATABASE_URL=empty_database_url, **PRODUCTION)
    refused = run("serve", "--port", "0", env=env, cwd=tmp_path)
    assert refused.returncode == 1
    assert "the database schema is outdated: 0001.create-users is not applied " in refused.stderr
    assert "task-api migrate" in refused.stderr
    assert migrations.pending(empty_database_url) == migrations.known()

    assert run("migrate", env=env, cwd=tmp_path).returncode == 0
    with served(env=env, cwd=tmp_path) as service:
        assert "curl" not in service.printed  # in production, no token is printed
        assert not (tmp_path / "data").exists()


@pytest.mark.requirement("FR-060")
def test_development_applies_pending_migrations_round_the_pooler(tmp_path: Path, empty_database_url: str) -> None:
    env = environment(
        tmp_path / "data", DATABASE_URL=empty_database_url, DATABASE_DIRECT_URL=empty_database_url, JWT_SECRET=SECRET
    )
    with served(env=env, cwd=tmp_path) as service:
        assert shell(service.curl).status_code == 201
    assert migrations.pending(empty_database_url) == []


@pytest.mark.requirement("FR-006", "FR-007", "FR-059")
def test_tokens_of_an_issuer_are_accepted_and_none_is_made(tmp_path: Path) -> None:
    with running_issuer(rsa_pair(), ed25519_pair()) as issuer:
        env = environment(tmp_path / "data", JWT_JWKS_URL=issuer.url, JWT_ISSUER="https://issuer.example.com")
        with served(env=env, cwd=tmp_path) as service:
            assert "curl" not in service.printed
            for pair in (rsa_pair(), ed25519_pair()):
                assert titles(service.address, pair.token(claims(iss="https://issuer.example.com"))) == []
            foreign = {"Authorization": f"Bearer {rsa_pair().token(claims(iss='https://other.example.com'))}"}
            assert (
                httpx.get(
                    f"{service.address}/api/me", headers=foreign, trust_env=False, timeout=PATIENCE_SECONDS
                ).status_code
                == 401
            )
    assert not (tmp_path / "data" / "jwt-secret").exists()


@pytest.mark.requirement("FR-067")
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"ENVIRONMENT": "production"}, "production needs DATABASE_URL"),
        ({"ENVIRONMENT": "production", "DATABASE_URL": "postgresql://h/d"}, "production needs JWT_SECRET or JWT_JWKS"),
        (
            {"ENVIRONMENT": "production", "DATABASE_URL": "postgresql://h/d", "SIGN_IN": "true"},
            "production needs SIGN_IN_SECRET for SIGN_IN",
        ),
        ({"SIGN_IN_SECRET": "hunter2"}, "SIGN_IN_SECRET: must have at least 32 bytes"),
        ({"JWT_SECRET": "hunter2"}, "JWT_SECRET: must have at least 32 bytes"),
        ({"PORT": "eighty"}, "PORT: "),
        ({"JWT_JWKS_URL": "http://issuer.example.com/jwks"}, "JWT_JWKS_URL: must be an https:// URL"),
    ],
)
def test_a_wrong_setting_is_refused_with_a_line_that_says_what_to_set(
    tmp_path: Path, settings: dict[str, str], message: str
) -> None:
    done = run("serve", env=environment(tmp_path / "data", **settings), cwd=tmp_path)

    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert "hunter2" not in done.stderr + done.stdout


@pytest.mark.requirement("FR-067")
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"JWT_SECRET": PUBLIC_KEY}, "JWT_SECRET: this is a key of a key pair"),
        ({"DATABASE_URL": "garbage"}, "DATABASE_URL must look like"),
        ({"DATABASE_URL": "mysql://h/d"}, "DATABASE_URL must look like"),
        ({"DATABASE_URL": "postgresql://u:pa@ss:letmein@h/d?no_such_word=1"}, "DATABASE_URL cannot be read"),
        ({"DATABASE_URL": "postgresql://u:letmein@h/d?connect_timeout=abc"}, "DATABASE_URL: connect_timeout must be"),
    ],
)
def test_what_every_worker_would_stumble_over_is_said_once(
    tmp_path: Path, empty_database_url: str, settings: dict[str, str], message: str
) -> None:
    migrations.apply(empty_database_url)
    given = {"DATABASE_URL": empty_database_url, "DATABASE_DIRECT_URL": empty_database_url, **PRODUCTION, **settings}
    done = run("serve", "--port", "0", "--workers", "2", env=environment(tmp_path / "data", **given), cwd=tmp_path)

    assert done.returncode == 1
    assert done.stderr.startswith(f"task-api: {message}")
    assert done.stderr.count("\n") == 1
    assert "letmein" not in done.stderr


@pytest.mark.requirement("FR-067")
def test_an_unreachable_database_is_said_without_its_password(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    url = f"postgresql://me:letmein@127.0.0.1:{port}/nothing"
    done = run("serve", "--port", "0", env=environment(tmp_path / "data", DATABASE_URL=url), cwd=tmp_path)

    assert done.returncode == 1
    assert "\ntask-api: The database cannot be reached" in done.stderr
    assert "Traceback" not in done.stderr
    assert "letmein" not in done.stderr + done.stdout


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The checkout with everything installed, without any local .env or data."""
    need("make")
    folder = tmp_path / "checkout of a newcomer"
    (folder / ".venv").mkdir(parents=True)
    for target in REPOSITORY.iterdir():
        if target.name not in {".env", ".data", ".venv"}:
            (folder / target.name).symlink_to(target)
    for target in Path(sys.prefix).iterdir():
        if not target.name.startswith("."):
            (folder / ".venv" / target.name).symlink_to(target)
    # The files that make leaves behind after it has installed everything for a checkout at this path.
    subprocess.run(
        ["sh", "-c", "touch .venv/.created-$(pwd -P | cksum | cut -d ' ' -f 1) && touch .venv/.runtime .venv/.guide"],  # noqa: S607
        cwd=folder,
        check=True,
    )
    return folder


@pytest.mark.requirement("FR-069", "FR-232")
def test_make_run_serves_from_the_checkout(tmp_path: Path, checkout: Path) -> None:
    first_commands = re.findall(r"^    (make .*?)(?:  #|$)", (REPOSITORY / "README.md").read_text(), re.MULTILINE)
    assert [command.strip() for command in first_commands] == ["make run", "make test"]
    command: Sequence[str] = ("make", "--no-print-directory", "-C", str(checkout), "run", "ARGS=--port 0")
    with served(env=environment(tmp_path / "data"), cwd=tmp_path, command=command) as service:
        assert shell(service.curl).status_code == 201
        assert "\nSamples   .venv/bin/task-api seed\n" in service.printed
