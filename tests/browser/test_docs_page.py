"""/docs in a real browser: everything on it works under its own content security policy."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.fixtures.api import API
from tests.fixtures.contract import operations

CHROMIUM = shutil.which("chromium")
OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-proxy-server", "--enable-logging=stderr", "--virtual-time-budget=10000",
)  # fmt: skip
SECONDS = 60


@pytest.mark.requirement("FR-110", "FR-056")
@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (Debian: apt-get install chromium)")
def test_the_page_shows_every_operation_and_the_browser_refuses_nothing(api: API, tmp_path: Path) -> None:
    assert CHROMIUM
    shown = subprocess.run(  # noqa: S603 - a browser on our own page
        [CHROMIUM, *OPTIONS, f"--user-data-dir={tmp_path}", "--dump-dom", f"{api.base_url}/docs"],
        capture_output=True, text=True, timeout=SECONDS, check=True,
    )  # fmt: skip

    assert [name for name in operations() if f'-{name}"' not in shown.stdout] == []
    assert "btn authorize" in shown.stdout
    assert "Content Security Policy" not in shown.stderr
    assert "CONSOLE" not in shown.stderr
