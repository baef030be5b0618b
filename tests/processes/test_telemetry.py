"""Traces and metrics of a real service, as a collector receives them."""

from __future__ import annotations

import signal
import socket
import time
from pathlib import Path

import httpx
import pytest

from backend import __version__
from backend.telemetry.exporters import SHUTDOWN_SECONDS
from tests.fixtures.calls.api import new_user
from tests.fixtures.calls.erasure import erase
from tests.fixtures.calls.tasks import create, path_of
from tests.fixtures.identity.tokens import SECRET, claims, hmac_token
from tests.fixtures.processes.process import Service, environment, served
from tests.fixtures.running.waiting import PATIENCE_SECONDS, until
from tests.fixtures.telemetry.collector import Collector, collecting

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"
WRITTEN = "nobodys-business"
SERVER, CLIENT = 2, 3  # span kinds in OTLP
SLOW_MACHINE_SECONDS = 60.0


def settings(folder: Path, database_url: str, endpoint: str, **more: str) -> dict[str, str]:
    """Return the environment of a service that exports to a URL."""
    exporting = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    return environment(folder / "data", DATABASE_URL=database_url, JWT_SECRET=SECRET, **exporting, **more)


def client_of(service: Service, user_id: str) -> httpx.Client:
    """Return a client with a token of this user."""
    token = hmac_token(SECRET, claims(sub=user_id))
    return httpx.Client(
        base_url=service.address,
        headers={"Authorization": f"Bearer {token}"},
        trust_env=False,
        timeout=PATIENCE_SECONDS,
    )


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory, database_url: str) -> Collector:
    """Everything a collector received from a service that was used briefly and then stopped."""
    folder = tmp_path_factory.mktemp("telemetry")
    with collecting() as collector:
        env = settings(folder, database_url, collector.url, OTEL_METRIC_EXPORT_INTERVAL="500")
        with served(env=env, cwd=folder) as service:
            with client_of(service, WRITTEN) as client:
                client.headers["traceparent"] = TRACEPARENT
                task = create(client, WRITTEN, description=WRITTEN)
                stated = {"X-Request-Id": "chosen", "tracestate": f"a={WRITTEN}", "baggage": f"a={WRITTEN}"}
                assert client.get(path_of(task), headers={**stated, "Host": f"{WRITTEN}:80"}).status_code == 200
                assert client.get(f"{path_of(task)}/").status_code == 200
                assert client.get(f"/api/tasks?q={WRITTEN}").status_code == 200
                assert client.get(f"/api/tasks/{WRITTEN}").status_code == 404
                assert client.get(f"/{WRITTEN}?token={WRITTEN}").status_code == 404
                assert client.post("/api/tasks", json={"title": WRITTEN, WRITTEN: 1}).status_code == 422
                keyed = client.post("/api/tasks", json={"title": WRITTEN}, headers={"Idempotency-Key": WRITTEN})
                assert keyed.status_code == 201
                assert erase(client).status_code == 204
            # It must export while connections are open.
            until(lambda: any(point.what.as_int for point in collector.points_of("db.client.connection.count")))
            assert service.stop(signal.SIGTERM) == 0
        collector.bodies.append(b"".join(path.read_bytes() for path in folder.glob("serve-*.log")))
        return collector


@pytest.mark.requirement("FR-174")
def test_a_request_is_a_span_that_continues_the_trace_of_its_caller(collected: Collector) -> None:
    (span, *_) = [span for span in collected.spans_of(TRACE) if span.name == "GET /api/tasks/{task_id}"]

    assert span.what.kind == SERVER
    assert span.what.parent_span_id.hex() == PARENT
    assert span.attributes["http.response.status_code"] == 200
    assert (span.resource["service.name"], span.resource["service.version"]) == ("task-api", __version__)


@pytest.mark.requirement("FR-309")
def test_a_slash_at_the_end_of_a_path_makes_no_other_route(collected: Collector) -> None:
    names = [span.name for span in collected.spans_of(TRACE) if span.attributes.get("http.response.status_code") == 200]
    routes = {point.attributes.get("http.route", "") for point in collected.points_of("http.server.request.duration")}

    assert names.count("GET /api/tasks/{task_id}") == 2
    assert not [route for route in routes if route != "/" and route.endswith("/")]


@pytest.mark.requirement("FR-174")
def test_each_round_trip_is_a_span_under_its_request(collected: Collector) -> None:
    spans = collected.spans_of(TRACE)
    requests = {span.what.span_id: span.name for span in spans if span.what.kind == SERVER}
    round_trips = [span for span in spans if span.what.kind == CLIENT]

    assert len(requests) + len(round_trips) == len(spans)
    assert {round_trip.what.parent_span_id for round_trip in round_trips} <= requests.keys()
    named = [(requests[round_trip.what.parent_span_id], round_trip.name) for round_trip in round_trips]
    assert ("GET /api/tasks/{task_id}", "SELECT tasks") in named
    made = [round_trip for request, round_trip in named if request == "POST /api/tasks"]
    assert made[-2:] == ["SELECT users", "INSERT tasks INSERT events UPDATE users INSERT idempotency_keys"]
    for round_trip in round_trips:
        assert round_trip.attributes["db.system.name"] == "postgresql"
        assert round_trip.attributes["db.query.text"].startswith(("SELECT ", "WITH ", "INSERT ", "UPDATE ", "DELETE "))
        assert "SET LOCAL" not in round_trip.attributes["db.query.text"]


@pytest.mark.requirement("FR-174")
def test_metrics_are_of_requests_round_trips_and_the_pool(collected: Collector) -> None:
    durations = collected.points_of("http.server.request.duration")
    counts = {
        point.attributes["http.route"]: point.what.count for point in durations if "http.route" in point.attributes
    }
    assert counts["/api/me"] == 1

    round_trips = collected.points_of("db.client.operation.duration")
    assert {"SELECT", "INSERT", "UPDATE"} <= {point.attributes["db.operation.name"] for point in round_trips}
    assert all(point.what.sum < SLOW_MACHINE_SECONDS for point in round_trips)

    connections = collected.points_of("db.client.connection.count")
    assert {point.attributes["db.client.connection.state"] for point in connections} == {"idle", "used"}
    assert max(point.what.as_int for point in connections) >= 1
    assert {point.what.as_int for point in collected.points_of("db.client.connection.max")} == {10}
    assert {point.what.as_int for point in collected.points_of("db.client.connection.pending_requests")} == {0}


@pytest.mark.requirement("FR-176")
def test_nothing_that_a_client_wrote_is_exported_or_logged(collected: Collector) -> None:
    """The user id is also this word."""
    *exported, log = collected.bodies

    assert [body for body in exported if WRITTEN.encode() in body] == []
    assert WRITTEN.encode() not in log
    assert b"\nGET /api/tasks/{task_id} 404 " in log
    assert SECRET.encode() not in b"".join(collected.bodies)
    assert b"eyJ" not in b"".join(exported)


@pytest.mark.requirement("FR-174")
def test_each_worker_exports_under_the_name_that_the_variables_say(tmp_path: Path, database_url: str) -> None:
    with collecting() as collector:
        env = settings(tmp_path, database_url, collector.url, OTEL_SERVICE_NAME="tasks", OTEL_TRACES_EXPORTER="none")
        with served("--workers", "2", env=env, cwd=tmp_path) as service:
            # A worker that is stopped before it serves has nothing to export.
            (log,) = tmp_path.glob("serve-*.log")
            until(lambda: log.read_text().count("Application startup complete") == 2)
            assert service.stop(signal.SIGTERM) == 0

    assert collector.spans == []
    resources = [point.resource for point in collector.points_of("db.client.connection.max")]
    assert {resource["service.name"] for resource in resources} == {"tasks"}
    assert len({resource["process.pid"] for resource in resources}) == 2


@pytest.mark.requirement("FR-174")
@pytest.mark.parametrize("is_silent", [False, True], ids=["refuses", "is silent"])
def test_a_collector_that_is_away_holds_nothing_up(tmp_path: Path, database_url: str, *, is_silent: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:  # accepts connections, and never responds
        port = listener.getsockname()[1]
        if not is_silent:
            listener.close()
        env = settings(tmp_path, database_url, f"http://127.0.0.1:{port}", OTEL_BSP_SCHEDULE_DELAY="50")
        with served(env=env, cwd=tmp_path) as service:
            with client_of(service, new_user()) as client:
                began = time.monotonic()
                for _ in range(100):
                    assert client.get("/api/me").status_code == 200
                assert time.monotonic() - began < SLOW_MACHINE_SECONDS
            began = time.monotonic()
            assert service.stop(signal.SIGTERM) == 0
            assert time.monotonic() - began < SHUTDOWN_SECONDS + SLOW_MACHINE_SECONDS
    (log,) = [path.read_text(encoding="utf-8") for path in tmp_path.glob("serve-*.log")]
    assert log.count("telemetry_not_exported") <= 2  # traces and metrics, once each: not for every attempt
    assert "opentelemetry" not in log
    assert "Traceback" not in log


@pytest.mark.requirement("FR-174", "FR-175")
def test_that_a_collector_refuses_is_said_once_and_that_it_takes_again(tmp_path: Path, database_url: str) -> None:
    with collecting() as collector:
        given = {"OTEL_METRICS_EXPORTER": "none", "OTEL_BSP_SCHEDULE_DELAY": "50"}
        with served(env=settings(tmp_path, database_url, collector.url, **given), cwd=tmp_path) as service:
            for status in (400, 200):
                collector.status = status
                with client_of(service, new_user()) as client:
                    for number in range(len(collector.bodies) + 1, len(collector.bodies) + 4):
                        assert client.get("/api/me").status_code == 200
                        until(lambda: len(collector.bodies) >= number)  # noqa: B023 - within its round
    (log,) = [path.read_text(encoding="utf-8") for path in tmp_path.glob("serve-*.log")]

    said = [line.split()[3:5] for line in log.splitlines() if "telemetry_" in line]
    assert said == [["telemetry_not_exported", "signal='traces'"], ["telemetry_exported_again", "signal='traces'"]]
