"""The log of a service never contains the content of requests."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests.fixtures.calls.erasure import erase
from tests.fixtures.calls.tasks import JSON, create, path_of
from tests.fixtures.identity.tokens import SECRET, claims, hmac_token
from tests.fixtures.processes.process import environment, served
from tests.fixtures.running.waiting import PATIENCE_SECONDS

TITLE = "a-title-that-is-nobodys-business"


@pytest.mark.requirement("FR-108", "FR-176")
@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("development", ["\nGET /api/tasks/{task_id} 200 "]),
        ("production", ['"user": "user-of-the-logs"', '"route": "/api/tasks/{task_id}"']),
    ],
)
def test_logs_hold_no_token_and_nothing_of_a_body(
    tmp_path: Path, database_url: str, kind: str, said: list[str]
) -> None:
    given = {"ENVIRONMENT": kind, "LOG_LEVEL": "debug", "SLOW_STATEMENT_SECONDS": "0.000001"}
    env = environment(tmp_path / "data", DATABASE_URL=database_url, JWT_SECRET=SECRET, **given)
    token = hmac_token(SECRET, claims(sub="user-of-the-logs"))
    forged = hmac_token("x" * 40, claims())

    with served(env=env, cwd=tmp_path) as service:
        with httpx.Client(base_url=service.address, trust_env=False, timeout=PATIENCE_SECONDS) as client:
            for bad in (forged, "nonsense.token.here", f"{token}x"):
                assert client.get("/api/me", headers={"Authorization": f"Bearer {bad}"}).status_code == 401
            client.headers["Authorization"] = f"Bearer {token}"
            task = create(client, TITLE, description=TITLE)
            assert client.get(path_of(task)).status_code == 200
            for body, status in [(TITLE, 201), (TITLE, 201), ("another", 422)]:
                keyed = client.post("/api/tasks", json={"title": body}, headers={"Idempotency-Key": TITLE})
                assert keyed.status_code == status
            assert client.post("/api/tasks", json={"title": TITLE, "id": task["id"]}).status_code == 409
            assert client.post("/api/tasks", json={"title": TITLE, TITLE: TITLE}).status_code == 422
            assert client.post("/api/tasks", content=f'{{"title": "{TITLE}'.encode(), headers=JSON).status_code == 422
            assert client.post("/api/tasks", content=TITLE.encode() * 100_000, headers=JSON).status_code == 413
            assert client.get(f"/api/tasks?{TITLE}=1&cursor={TITLE}").status_code == 422
            for place in (f"/api/tasks/{token}", f"/{token}/a", f"/api/tasks?access_token={token}"):
                assert client.get(place, headers={"X-Request-Id": token[:128]}).status_code in {404, 422}
            assert erase(client).status_code == 204
        service.process.terminate()
        service.process.wait(PATIENCE_SECONDS)
    (log,) = [path.read_text(encoding="utf-8") for path in tmp_path.glob("serve-*.log")]

    assert [words for words in said if words not in log] == []
    assert "slow_statement" in log
    assert [secret for secret in (TITLE, token, forged, "nonsense.token", SECRET) if secret in log] == []
    assert [part for part in token.split(".")[1:] if part in log] == []
