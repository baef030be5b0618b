"""Each threat is covered by requirements, and each of those by one of the tests named beside it."""

from __future__ import annotations

import re

import pytest

from tests.fixtures.documents.requirements import CLAIMS, ROOT

TEXT = (ROOT / "specs/threats.md").read_text(encoding="utf-8")
ROWS = [line for line in TEXT.splitlines() if re.match(r"\| (?!risk|threat|--)", line)]


def test_the_ten_risks_are_all_there() -> None:
    assert [row.split()[1] for row in ROWS if row.startswith("| API")] == [f"API{number}" for number in range(1, 11)]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip())
def test_a_test_beside_a_threat_holds_each_of_its_requirements(row: str) -> None:
    requirements, modules = set(re.findall(r"FR-\d{3}", row)), re.findall(r"`(tests/[^`]+)`", row)

    assert requirements
    assert modules
    held = set().union(*(CLAIMS[module] for module in modules))
    assert requirements <= held
    assert [module for module in modules if not CLAIMS[module] & requirements] == []
