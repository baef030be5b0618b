"""Every numbered requirement has a test, and every test that names a requirement names one that exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.fixtures.documents.requirements import CLAIMS, MENTIONED, REQUIREMENTS, SPECIFICATIONS, claimed, stated


def test_requirements_are_numbered_once_and_without_holes() -> None:
    assert REQUIREMENTS
    assert [f"FR-{number:03}" for number in range(1, len(REQUIREMENTS) + 1)] == sorted(REQUIREMENTS)


@pytest.mark.parametrize("path", SPECIFICATIONS, ids=lambda path: path.parent.name)
def test_each_specification_states_its_requirements_in_order(path: Path) -> None:
    numbers = stated(path.read_text(encoding="utf-8"))

    assert numbers == sorted(numbers)


@pytest.mark.parametrize("path", SPECIFICATIONS, ids=lambda path: path.parent.name)
def test_the_list_of_specifications_says_where_each_requirement_is(path: Path) -> None:
    ranges: list[list[int]] = []
    for number in (int(name[3:]) for name in stated(path.read_text(encoding="utf-8"))):
        if ranges and ranges[-1][-1] == number - 1:
            ranges[-1] = [ranges[-1][0], number]
        else:
            ranges.append([number])
    said = ", ".join(" to ".join(f"{number:03}" for number in numbers) for numbers in ranges)

    name = path.parent.name
    listed = (path.parents[1] / "README.md").read_text(encoding="utf-8")
    assert re.findall(rf"^\| .+ \| \[{name}\]\({name}/spec\.md\) \| FR-(.+) \|$", listed, re.MULTILINE) == [said]


@pytest.mark.parametrize("path", SPECIFICATIONS, ids=lambda path: path.parent.name)
def test_every_line_that_states_a_requirement_is_read(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert len(re.findall(r"\*\*FR-", text)) == len(stated(text))
    assert set(MENTIONED.findall(text)) <= set(REQUIREMENTS)


@pytest.mark.parametrize("requirement", REQUIREMENTS)
def test_a_requirement_has_a_test(requirement: str) -> None:
    assert any(requirement in names for names in CLAIMS.values())


@pytest.mark.parametrize("module", CLAIMS)
def test_a_test_names_requirements_that_exist(module: str) -> None:
    assert CLAIMS[module] <= set(REQUIREMENTS)


def test_markers_are_found_on_functions_modules_and_parameters() -> None:
    source = """
pytestmark = pytest.mark.requirement("FR-001")
@pytest.mark.requirement("FR-002", "FR-003")
def test_a(): pass
@pytest.mark.parametrize("x", [pytest.param(1, marks=pytest.mark.requirement("FR-004"))])
def test_b(): "FR-005"
"""
    assert claimed(source) == {"FR-001", "FR-002", "FR-003", "FR-004"}
    with pytest.raises(AssertionError, match="write the numbers out"):
        claimed("pytestmark = pytest.mark.requirement(*NUMBERS)")


def test_only_stated_requirements_are_found() -> None:
    assert stated("- **FR-001** It does.\n- **FR-002**\n  see **FR-003** and FR-004\n- **FR-012** And so.") == [
        "FR-001",
        "FR-012",
    ]
