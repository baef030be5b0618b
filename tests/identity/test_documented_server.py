"""The Better Auth server of docs/accounts.md runs as it is written, and its users have tasks."""

from __future__ import annotations

import os
import re
import secrets
import socket
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.fixtures.calls.tasks import create
from tests.fixtures.node.better_auth import NODE, NODE_FOLDER, BetterAuth, Start, needs_better_auth
from tests.fixtures.processes.process import REPOSITORY
from tests.fixtures.running.waiting import until

DOCUMENTED = "http://localhost:3000"


def documented_server() -> str:
    """Read the server from the page."""
    page = (REPOSITORY / "docs" / "accounts.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^```javascript\n(.+?)^```$", page, re.MULTILINE | re.DOTALL)
    assert len(code.splitlines()) <= 30
    return str(code)


def free_port() -> int:
    """Return a port that nobody listens on just now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/api/auth/jwks", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


@needs_better_auth
@pytest.mark.requirement("FR-560")
def test_the_server_of_the_page_signs_people_in(tmp_path: Path, start: Start) -> None:
    port = free_port()
    address = f"http://localhost:{port}"
    code = documented_server().replace(DOCUMENTED, address).replace("listen(3000,", f"listen({port},")
    (tmp_path / "server.mjs").write_text(code, encoding="utf-8")
    (tmp_path / "node_modules").symlink_to(NODE_FOLDER / "node_modules")
    env = {"PATH": os.environ["PATH"], "BETTER_AUTH_SECRET": secrets.token_urlsafe(32)}
    assert NODE
    with subprocess.Popen([NODE, "server.mjs"], cwd=tmp_path, env=env) as process:  # noqa: S603 - our own documents
        try:
            until(lambda: process.poll() is not None or answers(address), "the server does not answer")
            server = BetterAuth(address)
            api = start(server)
            with api.client(Authorization=f"Bearer {server.sign_up().token()}") as client:
                create(client, "Buy milk")
            server.close()
        finally:
            process.kill()
