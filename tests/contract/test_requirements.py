"""Every numbered requirement has a test, and every test that names a requirement names one that exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STATED = re.compile(r"^- \*\*(FR-\d{3})\*\* \S", re.MULTILINE)
MENTIONED = re.compile(r"FR-\d+")


def stated(specification: str) -> list[str]:
    """List the requirements that a specification states, in its order."""
    return STATED.findall(specification)


def claimed(source: str) -> set[str]:
    """Collect the requirements that the markers of a test module name."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.requirement":
            arguments = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
            names |= {str(argument) for argument in arguments}
            assert node.args
            assert len(arguments) == len(node.args), f"line {node.lineno}: write the numbers out"
    return names


SPECIFICATIONS = sorted(ROOT.glob("specs/*/spec.md"))
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))
REQUIREMENTS = [name for path in SPECIFICATIONS for name in stated(path.read_text(encoding="utf-8"))]
CLAIMS = {path.relative_to(ROOT).as_posix(): claimed(path.read_text(encoding="utf-8")) for path in TESTS}


def test_requirements_are_numbered_once_and_in_order() -> None:
    assert REQUIREMENTS
    assert [f"FR-{number:03}" for number in range(1, len(REQUIREMENTS) + 1)] == REQUIREMENTS


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
