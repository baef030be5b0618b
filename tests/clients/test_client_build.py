"""The package in clients/js: what follows from the contract, and what is built of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.node.clients import run, write_contract
from tests.fixtures.node.drop_in import CLIENT
from tests.fixtures.node.package import PACKAGE, built, needs_package

pytestmark = needs_package


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A copy of the package, built."""
    with built() as folder:
        yield folder


@pytest.mark.requirement("FR-565")
def test_the_types_are_those_of_the_contract(tmp_path: Path) -> None:
    written = run("node", PACKAGE / "scripts" / "types.mjs", write_contract(tmp_path), folder=tmp_path)

    assert (PACKAGE / "src" / "contract.ts").read_text(encoding="utf-8") == written, "run make client"


@pytest.mark.requirement("FR-301")
@pytest.mark.parametrize(("name", "copy"), [("index.js", CLIENT), ("index.d.ts", CLIENT.with_suffix(".d.ts"))])
def test_the_file_to_copy_is_what_is_built(folder: Path, name: str, copy: Path) -> None:
    assert (folder / "dist" / name).read_text(encoding="utf-8") == copy.read_text(encoding="utf-8"), "run make client"
