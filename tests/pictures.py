"""Takes the README's pictures of the example page, with the data of `task-api seed`: `make pictures`."""

from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path

from playwright.sync_api import Browser

from tests.fixtures.browsers.chromium import chromium
from tests.fixtures.processes.process import REPOSITORY, TASK_API, environment, served

EXAMPLES = REPOSITORY / "examples"
SIZE = {"width": 1200, "height": 640}
SCHEMES = ("light", "dark")


def take(browser: Browser, address: str, folder: Path) -> None:
    """Take a picture of the page in each scheme, when its tasks are there, and put it into the folder."""
    for scheme in SCHEMES:
        page = browser.new_page(viewport=SIZE, color_scheme=scheme)  # type: ignore[arg-type]
        page.goto(address)
        page.get_by_text("Buy").first.wait_for()
        page.wait_for_load_state("load")
        page.screenshot(path=folder / f"picture-{scheme}.png")
        page.close()


def main() -> None:
    """Serve an empty database, fill it, and look at it."""
    with tempfile.TemporaryDirectory() as name, chromium() as browser:
        folder = Path(name)
        env = environment(folder / "data")
        with served(env=env, cwd=folder) as service:
            subprocess.run([*TASK_API, "seed"], env=env, cwd=folder, check=True)  # noqa: S603 - our own command
            (address,) = re.findall(r"^App\s+(\S+)$", service.printed, re.MULTILINE)
            take(browser, address, EXAMPLES)


if __name__ == "__main__":
    main()
