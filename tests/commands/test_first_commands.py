"""Errors that a beginner meets on the command line: each line says what happened and what to do."""

from __future__ import annotations

import ast
import errno
import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from backend.commands.database import require_schema
from backend.config import load_settings
from backend.database import errors
from backend.database.embedded.postgres import EmbeddedPostgres
from backend.database.migrations import runner as migrations
from backend.errors import ConfigurationError
from backend.identity.jwks import read_key_set
from backend.identity.shared_secret import development_secret
from backend.server.listener import advice, listen
from tests.fixtures.postgres.migrating import FILES
from tests.fixtures.postgres.refusal import refuse
from tests.fixtures.processes.process import REPOSITORY, environment, run
from tests.fixtures.running.needs import need

pytestmark = pytest.mark.requirement("FR-230")

NO_FOLDER = Path("/proc/nothing")  # where not even root can create one


@contextmanager
def refusing(*words: str) -> Iterator[None]:
    """Check that the block is refused, with a message that contains all these texts and not the password."""
    with pytest.raises(ConfigurationError) as caught:
        yield
    text = str(caught.value)
    assert [word for word in words if word not in text] == [], text
    assert "letmein" not in text


def test_a_port_in_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAKELEVEL", raising=False)
    happened, to_do = "Address already in use.", "choose another port with --port 8001 or PORT=8001"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("serve", "--port", str(port), env=environment(tmp_path / "data"), cwd=tmp_path)
        with refusing(f"port {port}: {happened}", to_do), listen("127.0.0.1", port):
            pass

    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"task-api: cannot listen on 127.0.0.1 port {port}: {happened} ")
    assert to_do in line


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
def test_an_address_of_another_machine(host: str) -> None:
    with refusing(f"cannot listen on {host} port 8000: ", "--host 127.0.0.1", "--host 0.0.0.0"), listen(host, 8000):
        pass


def test_a_port_in_use_when_make_has_started_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAKELEVEL", "1")
    assert 'choose another port with make run ARGS="--port 8001".' in advice(errno.EADDRINUSE)


def test_a_port_that_takes_rights() -> None:
    assert "Only root may use ports below 1024. Choose another, such as --port 8000" in advice(errno.EACCES)


def test_the_settings_file_may_hold_variables_of_other_programs(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PROT=8080\nNODE_ENV=test\nHOST=192.0.2.1\n")
    done = run("serve", env=environment(tmp_path / "data"), cwd=tmp_path)

    (error,) = done.stderr.splitlines()
    assert "cannot listen on 192.0.2.1" in error


@pytest.mark.parametrize(
    ("name", "value", "to_do"),
    [
        ("rate_limit", "fast", "must look like 600/minute"),
        ("cors_origins", "https://app.example.com/app", "must look like https://app.example.com, without a path"),
        ("cors_origins", "*", "must look like https://app.example.com"),
        ("jwt_secret", "short", "Make one with: openssl rand -base64 48"),
        ("jwt_jwks_url", "http://issuer.example.com", "must be an https:// URL"),
        ("jwt_audience", "[a]", 'Write a, b or ["a", "b"]'),
        ("port", "abc", "should be a valid integer"),
        ("environment", "prod", "should be 'development' or 'production'"),
    ],
)
def test_a_wrong_setting(name: str, value: str, to_do: str) -> None:
    with refusing(f"{name.upper()}: ", to_do):
        load_settings(**{name: value})


@contextmanager
def server_that_says(message: str) -> Iterator[str]:
    """Run a server that refuses each client like a Postgres without TLS; give its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            with suppress(OSError):  # raised at the end of the test
                while True:
                    client, _ = listener.accept()
                    with client:
                        refuse(client, message)

        threading.Thread(target=answer, daemon=True).start()
        try:
            yield f"postgresql://marker:letmein@127.0.0.1:{listener.getsockname()[1]}/tasks"
        finally:
            listener.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(
    ("message", "query", "to_do"),
    [
        ('password authentication failed for user "a"', "", "Check user and password in DATABASE_URL"),
        ('role "a" does not exist', "", "Check user and password in DATABASE_URL"),
        ('database "tasks" does not exist', "", "Create that database, or name another at the end of DATABASE_URL"),
        ("", "?sslmode=require", "Turn TLS on at that server, or take sslmode out of DATABASE_URL"),
        ("no pg_hba.conf entry for host", "", "Add sslmode=require to DATABASE_URL"),
        ("connection is insecure (try using `sslmode=require`)", "", "Add sslmode=require to DATABASE_URL"),
        ("unsupported startup parameter: options", "", "Set DATABASE_DIRECT_URL to the address without the pooler"),
        ("The requested endpoint cannot be found", "", "Look at the console of the provider"),
        ("", "?sslmode=on", "Check DATABASE_URL"),
    ],
)
def test_a_database_that_lets_nobody_in(message: str, query: str, to_do: str) -> None:
    with server_that_says(message) as url, refusing(f"cannot be reached ({message}", to_do):
        migrations.status(url + query)


@pytest.mark.parametrize(
    ("place", "happened", "to_do"),
    [
        ("127.0.0.1:1", "Connection refused", "Check DATABASE_URL and that the server runs."),
        ("no-such-host.invalid", "could not translate host name", "Check host and port in DATABASE_URL."),
    ],
)
def test_a_database_that_is_not_there(place: str, happened: str, to_do: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errors, "_FOR_GOOD", re.compile(""))  # never retry
    with refusing("The database cannot be reached", happened, to_do):
        migrations.status(f"postgresql://marker:letmein@{place}/tasks")


@pytest.mark.parametrize(
    ("reason", "to_do"),
    [
        ("channel binding required, but SSL not in use", "Take channel_binding out of DATABASE_URL"),
        ("certificate verify failed", "Set sslrootcert in DATABASE_URL"),
        ("received invalid response to SSL negotiation: H", "something else than Postgres: check host and port"),
        ("it does not answer", "Check DATABASE_URL and that the server runs."),
    ],
)
def test_what_else_libpq_says(reason: str, to_do: str) -> None:
    assert to_do in errors.advice(reason)


def test_an_address_that_is_none() -> None:
    with refusing("DATABASE_URL must look like postgresql://user:password@host/database."):
        migrations.status("localhost:5432/tasks")


@pytest.mark.parametrize(
    "answer", [b"<!doctype html><title>Sign in</title>", b'{"error": "not found"}', b"[" * 200_000]
)
def test_an_issuer_that_answers_without_keys(answer: bytes) -> None:
    with pytest.raises(ValueError, match=r"^not (JSON|a JSON Web Key Set): does JWT_JWKS_URL point to"):
        read_key_set(answer, lambda _algorithm, _parameters: None)


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    with refusing(f"DATA_DIR ({NO_FOLDER}) cannot hold", "Set DATA_DIR to a folder of your own, or DATABASE_URL"):
        EmbeddedPostgres(NO_FOLDER).__enter__()
    with refusing("cannot keep the development secret in", "Set DATA_DIR to a folder of your own, or set JWT_SECRET."):
        development_secret(NO_FOLDER / "jwt-secret")
    done = run("serve", "--port", "0", env=environment(NO_FOLDER), cwd=tmp_path)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)


def test_files_of_another_postgres(made: Path) -> None:
    (made / "postgres" / "PG_VERSION").write_text("17\n")
    with refusing("made by Postgres 17, and this is Postgres 18", "Move that folder away", "load the dump"):
        EmbeddedPostgres(made).__enter__()


def test_an_old_schema(empty_database_url: str) -> None:
    with refusing(f"outdated: 0001.create-users is not applied (the first of {len(FILES)}). Run: task-api migrate"):
        require_schema(empty_database_url)


def test_an_old_python(tmp_path: Path) -> None:
    first = REPOSITORY / "backend" / "__init__.py"
    ast.parse(first.read_text(encoding="utf-8"), feature_version=(3, 7))  # otherwise Python would report a syntax error
    old = "import sys; sys.version_info = (3, 10, 13, 'final', 0); import backend.cli"
    # Without coverage, which checks the Python version itself.
    env = {name: value for name, value in environment(tmp_path).items() if not name.startswith("COVERAGE")}
    command = [sys.executable, "-c", old]
    done = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S603

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "task-api: this Python is too old: install 3.11 to 3.14, and run: make run\n"


def test_make_with_an_old_python(tmp_path: Path) -> None:
    need("make")
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(REPOSITORY / name, tmp_path)
    (tmp_path / "python").write_text("#!/bin/sh\nexit 1\n")  # an old Python exits like this when its version is checked
    (tmp_path / "python").chmod(0o755)
    done = subprocess.run(  # noqa: S603 - our own Makefile
        ["make", "run", f"PYTHON={tmp_path / 'python'}"],  # noqa: S607 - whichever there is
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 2
    assert "Task API needs Python 3.11 to 3.14: install one, or name it with PYTHON=/path/to/python" in done.stderr
