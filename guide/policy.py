"""The Content-Security-Policy of the built pages."""

from __future__ import annotations

import base64
import hashlib
from html.parser import HTMLParser
from pathlib import Path

# The search makes this style. If an upgrade of Zensical changes it, the console of a browser names the new hash.
_STYLE_OF_SEARCH = "sha256-NwSx/R2V/U4jnW0Tq5pQ53Y/rzPVJ4dqE7D6UTA/J1k="


class _Scripts(HTMLParser):
    """The inline scripts of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self._is_inside = False
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        names = dict(attributes)
        self._is_inside = tag == "script" and "src" not in names and names.get("type") != "application/json"

    def handle_data(self, data: str) -> None:
        if self._is_inside:
            self.found.append(data)

    def handle_endtag(self, _tag: str) -> None:
        self._is_inside = False


def policy_of(pages: Path) -> str:
    """Return the policy: our own files, and exactly the inline scripts and styles that the pages have."""
    scripts = {script for page in pages.rglob("*.html") for script in _Scripts(page.read_text(encoding="utf-8")).found}
    hashes = " ".join(sorted(f"'{_hash(script)}'" for script in scripts))
    return (
        f"default-src 'none'; script-src 'self' {hashes}; style-src 'self' '{_STYLE_OF_SEARCH}'; "
        "img-src 'self' data:; connect-src 'self'; worker-src 'self'; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    )


def _hash(script: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
