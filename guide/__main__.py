"""`make guide`: builds the pages into the package of the service, all or none."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from guide.policy import policy_of
from guide.reference import filled

ROOT = Path(__file__).parents[1]
BUILT = Path("backend/api/openapi/guide")
CONTRACT = Path("specs/001-task-api-persistence/contracts/openapi.json")
_COLOURS = re.compile(r"\x1b\[[\d;]*m")


def build(root: Path = ROOT) -> None:
    """Build the guide of a checkout; raises SystemExit, and leaves the one before as it is, if anything is wrong."""
    # In a copy, so that the checkout gets neither the generated page nor what Zensical keeps.
    with TemporaryDirectory(prefix="task-api-guide-") as name:
        copy = Path(name)
        for part in ("docs", "guide/theme"):
            shutil.copytree(root / part, copy / part)
        shutil.copy(root / "mkdocs.yml", copy)
        page = copy / "docs/reference.md"
        page.write_text(filled(page.read_text(encoding="utf-8"), root / CONTRACT), encoding="utf-8")
        _make_pages(copy)
        pages = copy / BUILT / "pages"
        for unused in ("404.html", "sitemap.xml"):  # unknown addresses get the answer of all others
            (pages / unused).unlink()
        policy = policy_of(pages)
        shutil.rmtree(root / BUILT, ignore_errors=True)
        shutil.copytree(pages, root / BUILT / "pages")
        (root / BUILT / "policy.txt").write_text(policy, encoding="utf-8")  # last: it says that all is there


def _make_pages(folder: Path) -> None:
    """Run Zensical, for which a link that leads nowhere is an error."""
    command = (sys.executable, "-m", "zensical", "build", "--strict", "--config-file", folder / "mkdocs.yml")
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - our own command
    if done.returncode:
        said = _COLOURS.sub("", done.stderr).partition("Traceback")[0]
        raise SystemExit(f"The guide cannot be built:\n{said}")


if __name__ == "__main__":
    build()
