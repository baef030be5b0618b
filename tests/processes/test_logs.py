"""The log of a real service: the format and the content of each line."""

from __future__ import annotations

import json
import re
import signal
import sys
from datetime import datetime, timedelta
from pathlib import Path
from subprocess import run as run_program
from typing import Any

import httpx
import pytest

from tests.fixtures.identity.tokens import SECRET, claims, hmac_token
from tests.fixtures.postgres.database import execute
from tests.fixtures.postgres.proxy import Proxy, counting_proxy
from tests.fixtures.processes.process import REPOSITORY, Service, environment, served
from tests.fixtures.running.waiting import PATIENCE_SECONDS
from tests.fixtures.telemetry.documented import common_fields, documented_events

USER = "user-of-the-logs"
ADMINISTRATION = {"LOG_LEVEL": "info", "ENVIRONMENT": "production", "REQUEST_TIMEOUT_SECONDS": "60"}


def log_in(folder: Path) -> list[str]:
    """Read everything that a service has written, including stdout."""
    (log,) = [path.read_text(encoding="utf-8") for path in folder.glob("serve-*.log")]
    return log.splitlines()


def client_of(service: Service) -> httpx.Client:
    """Return a client with a token."""
    token = hmac_token(SECRET, claims(sub=USER))
    return httpx.Client(
        base_url=service.address,
        headers={"Authorization": f"Bearer {token}"},
        trust_env=False,
        timeout=PATIENCE_SECONDS,
    )


def use(service: Service, own_url: str, proxy: Proxy) -> dict[str, httpx.Response]:
    """Cause every kind of log line; returns the responses by name."""
    with client_of(service) as client:
        answers = {
            "good": client.get("/api/tasks"),
            "unknown": client.get("/nowhere/at/all"),
            "invalid": client.post("/api/tasks", json={"title": ""}),
            "without token": client.get("/api/tasks/1", headers={"Authorization": ""}),
        }
        execute(own_url, "ALTER TABLE tasks RENAME TO elsewhere")
        answers["defect"] = client.get("/api/tasks")
        execute(own_url, "ALTER TABLE elsewhere RENAME TO tasks")
        proxy.refusal = 'database "tasks" does not exist'  # the service does not wait for a missing database
        proxy.cut()
        answers["outage"] = client.get("/api/tasks")
        return answers


@pytest.mark.requirement("FR-170", "FR-171", "FR-172", "FR-175")
def test_every_line_in_production_is_a_listed_event(tmp_path: Path, own_url: str) -> None:
    with counting_proxy(own_url) as proxy:
        env = environment(tmp_path / "data", DATABASE_URL=proxy.url, JWT_SECRET=SECRET, **ADMINISTRATION)
        with served(env=env, cwd=tmp_path) as service:
            answers = use(service, own_url, proxy)
            assert service.stop(signal.SIGTERM) == 0
    lines: list[dict[str, Any]] = [json.loads(line) for line in log_in(tmp_path)]

    listed, common = documented_events(), common_fields()
    assert {name: answer.status_code for name, answer in answers.items()} == {
        "good": 200, "unknown": 404, "invalid": 422, "without token": 401, "defect": 500, "outage": 503,
    }  # fmt: skip
    for line in lines:
        assert datetime.fromisoformat(line["timestamp"]).utcoffset() == timedelta(0)
        if "logger" not in line:
            levels, fields = listed[line["event"]]
            assert line["level"] in levels
            assert fields - {"request_id"} <= line.keys()
            assert line.keys() <= fields | common
    assert {"uvicorn.error"} == {line["logger"] for line in lines if "logger" in line}
    assert [line["event"] for line in lines if "logger" in line][-1].startswith("Finished server process")

    requests = {line["request_id"]: line for line in lines if line["event"] == "request"}
    said = {name: requests[answer.headers["X-Request-Id"]] for name, answer in answers.items()}
    assert {name: (line["route"], line["status"], line["user"]) for name, line in said.items()} == {
        "good": ("/api/tasks", 200, USER),
        "unknown": ("(unknown)", 404, None),
        "invalid": ("/api/tasks", 422, USER),
        "without token": ("/api/tasks/{task_id}", 401, None),
        "defect": ("/api/tasks", 500, USER),
        "outage": ("/api/tasks", 503, USER),
    }
    (failed,) = [line for line in lines if line["event"] == "request_failed"]
    assert failed["request_id"] == answers["defect"].json()["error"]["request_id"]
    assert failed["exception"].startswith("Traceback (most recent call last):\n  File ")
    assert failed["exception"].endswith('UndefinedTable (42P01): relation "tasks" does not exist')


@pytest.mark.requirement("FR-170")
def test_several_workers_write_such_lines_too_and_the_level_counts(tmp_path: Path, database_url: str) -> None:
    env = environment(tmp_path / "data", DATABASE_URL=database_url, JWT_SECRET=SECRET, ENVIRONMENT="production")
    with served("--workers", "2", env=env, cwd=tmp_path) as service:
        service.family[-1].kill()
        assert service.stop(signal.SIGTERM) == 0

    lines = [json.loads(line) for line in log_in(tmp_path)]
    assert {line["event"] for line in lines} >= {"serving", "worker_started", "worker_ended", "request"}


_PROGRAM = """
import asyncio, logging, sys, threading, warnings
from backend.telemetry.logs import set_up_logs
set_up_logs(sys.argv[1], as_json=sys.argv[2] == "json")
class Broken:
    def __del__(self):
        raise RuntimeError("in a destructor")
def fails(secret):
    int(secret)
async def forgotten():
    task = asyncio.get_running_loop().create_task(asyncio.to_thread(fails, "private words"))
    while not task.done():
        await asyncio.sleep(0.01)
logging.getLogger("library").info("for your\\ninformation")
logging.getLogger("library").warning("%s of a library", "a warning", stack_info=True)
logging.getLogger("httpx").info("HTTP Request: GET https://example.com/keys")
logging.getLogger("opentelemetry.baggage").error("what a header said")
warnings.warn("a warning of Python")
thread = threading.Thread(target=fails, args=["private words"], name="of a test")
thread.start()
thread.join()
Broken()
asyncio.run(forgotten())
try:
    fails("private words")
except ValueError as error:
    raise KeyError("private words") from ExceptionGroup("private words", [error])
"""


def program(*arguments: str) -> str:
    """Run the program, which fails in every possible way; returns its log."""
    done = run_program(  # noqa: S603 - our own program
        [sys.executable, "-c", _PROGRAM, *arguments], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    return done.stderr


@pytest.mark.requirement("FR-170", "FR-176")
def test_what_libraries_say_and_what_nobody_catches_are_lines_without_values() -> None:
    log = program("info", "json")
    lines = [json.loads(line) for line in log.splitlines()]

    assert [(line.get("logger"), line["level"], line["event"].rpartition(": ")[2]) for line in lines] == [
        ("library", "info", "for your"),
        ("library", "warning", "a warning of a library"),
        ("py.warnings", "warning", "a warning of Python"),
        (None, "error", "thread_failed"),
        (None, "error", "error_ignored"),
        ("asyncio", "error", "Task exception was never retrieved"),
        (None, "critical", "process_failed"),
    ]
    assert lines[3]["thread"] == "of a test"
    assert lines[3]["exception"].endswith("\nValueError")
    assert lines[4]["exception"].endswith("\nRuntimeError: in a destructor")
    assert lines[6]["exception"].count("ValueError") == 1
    assert lines[6]["exception"].startswith("ExceptionGroup\npart 1:\nTraceback")
    assert lines[6]["exception"].endswith("\nKeyError")
    assert "private words" not in log
    assert "header" not in log
    assert "example.com" not in log


@pytest.mark.requirement("FR-170")
def test_only_what_is_of_the_level_or_above_is_logged() -> None:
    lines = [json.loads(line) for line in program("error", "json").splitlines()]

    assert {line["level"] for line in lines} == {"error", "critical"}


@pytest.mark.requirement("FR-316")
def test_in_development_a_request_is_one_short_line(tmp_path: Path, database_url: str) -> None:
    env = environment(tmp_path / "data", DATABASE_URL=database_url, JWT_SECRET=SECRET)
    with served(env=env, cwd=tmp_path) as service:
        with client_of(service) as client:
            client.post("/api/tasks", json={"title": "Buy milk"})
            refused = client.get("/api/tasks/1")
            client.get("/nowhere/at/all")
        assert service.stop(signal.SIGTERM) == 0

    requests = [line for line in log_in(tmp_path) if re.match(r"[A-Z]+ \S+ \d{3} ", line)]
    assert [re.sub(r"[\d.]+ ms", "1 ms", line).partition(" request_id=")[0] for line in requests] == [
        "GET /health/ready 200 1 ms",
        "POST /api/tasks 201 1 ms",
        "GET /api/tasks/{task_id} 404 1 ms",
        "GET (unknown) 404 1 ms",
    ]
    request_id = refused.headers["X-Request-Id"]
    assert [request_id in line for line in requests] == [False, False, True, False]
    assert [" request_id=" in line for line in requests] == [False, False, True, True]
    assert not any(line.startswith("{") for line in log_in(tmp_path))


@pytest.mark.requirement("FR-316")
@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_address_and_the_token_are_the_last_of_the_start(tmp_path: Path, database_url: str, workers: str) -> None:
    env = environment(tmp_path / "data", DATABASE_URL=database_url, JWT_SECRET=SECRET)
    with served("--workers", workers, env=env, cwd=tmp_path) as service:
        assert service.stop(signal.SIGTERM) == 0
    log = "\n".join(log_in(tmp_path))

    start, announced, after = log.partition(f"\nTask API  {service.address}\n")
    assert announced
    assert start.count("Application startup complete") == int(workers)
    last = after.partition("\nGET /health/ready 200 ")[0]
    assert re.fullmatch(r"Docs .*\nApp .*/app#token=(\S+)\nToken .*\n\1\n\nCreate a task:\ncurl .* \1.*", last)
    assert log.count(f"{service.address}/docs") == 1
    assert log.count(f"{service.address}/app") == 1


@pytest.mark.requirement("FR-170")
def test_in_development_it_is_for_people() -> None:
    log = program("info", "plain")

    assert "\nTraceback (most recent call last):\n  File " in log
    assert not log.startswith("{")
    assert "\x1b" not in log  # no colours where no terminal is
