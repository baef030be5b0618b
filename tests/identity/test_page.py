"""The documentation for page authors: the token of each issuer, and code that runs exactly as written."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.calls.api import API
from tests.fixtures.identity.sign_in import documented_code, documented_settings, documented_tokens
from tests.fixtures.node.better_auth import NODE, NODE_FOLDER, SHORT_SECONDS, BetterAuth, Start, needs_better_auth

ISSUERS = ["Better Auth", "Neon Auth", "Supabase", "Auth0", "Clerk"]
CLIENT = Path(__file__).parents[2] / "examples" / "task-api.js"
SERVICE = "https://tasks.example.com"  # the address used in the documents
PAGE_SECONDS = 100

pytestmark = pytest.mark.requirement("FR-205", "FR-303")


def run_node(*arguments: str | Path) -> str:
    assert NODE
    done = subprocess.run(  # noqa: S603 - our own script
        [NODE, *arguments], cwd=NODE_FOLDER, capture_output=True, text=True, timeout=PAGE_SECONDS, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def page(folder: Path, api: API, identity: BetterAuth) -> dict[str, Any]:
    """Run the documented code in a page, unchanged except for the address of the service."""
    imported, use = documented_code()
    assert SERVICE in use
    for file in (CLIENT, NODE_FOLDER / "package.json"):
        shutil.copy(file, folder)
    module = folder / "page.mjs"
    uses = use.replace(SERVICE, api.base_url)
    module.write_text(
        f"{imported}\nexport async function use(authClient) {{\n{uses}\nreturn {{ tasks: api, task }};\n}}\n"
    )
    said: dict[str, Any] = json.loads(run_node("page.mjs", module, identity.address, str(SHORT_SECONDS)))
    return said


def test_the_readme_says_for_every_issuer_what_to_set_and_what_the_token_is() -> None:
    assert list(documented_settings()) == list(documented_tokens()) == ISSUERS


@needs_better_auth
@pytest.mark.parametrize("issuer", ISSUERS)
def test_what_the_token_is_can_be_copied(issuer: str, tmp_path: Path) -> None:
    module = tmp_path / "token.mjs"
    module.write_text(f"export const getToken = async () => {documented_tokens()[issuer]};\n")
    run_node("--check", module)


@needs_better_auth
def test_the_code_for_a_page_renews_its_token_and_waits_when_told_to(
    short_lived: BetterAuth, start: Start, tmp_path: Path
) -> None:
    assert documented_tokens()["Better Auth"] in documented_code()[1]

    said = page(tmp_path, start(short_lived, rate_limit="1/second"), short_lived)

    assert said["met"][:3] == [201, 401, 200]
    assert 429 in said["met"]
    assert said["got"] == [["Buy milk"]] * len(said["got"])
    assert [task["title"] for task in said["tasks"]] == ["Buy milk"]


@needs_better_auth
def test_it_gives_up_when_a_new_token_is_no_better(api: API, identity: BetterAuth, tmp_path: Path) -> None:
    said = page(tmp_path, api, identity)

    assert (said["met"], said["got"]) == ([401, 401], [401])
