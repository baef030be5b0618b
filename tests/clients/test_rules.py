"""The contract, checked against rules for OpenAPI and those of OWASP."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import unquote

import pytest
import yaml  # type: ignore[import-untyped]

from tests.fixtures.node.clients import NODE_PROGRAMS, NODE_TESTS, needs_node, run, write_contract

RULES = NODE_TESTS / "spectral.yaml"

pytestmark = [needs_node, pytest.mark.requirement("FR-208")]

Finding = tuple[str, tuple[str, ...]]  # a rule, and the location in the contract that breaks it


def _findings(rules: Path, folder: Path) -> set[Finding]:
    """Lint the contract; a warning counts like an error."""
    contract, report = write_contract(folder), folder / "report.json"
    arguments: list[str | Path] = ["lint", contract, "--ruleset", rules, "--format=json", "--output", report]
    run(NODE_PROGRAMS / "spectral", *arguments, folder=folder, may_fail=True)
    return {(finding["code"], tuple(map(str, finding["path"]))) for finding in json.loads(report.read_text())}


def _location(pointer: str) -> tuple[str, ...]:
    """Parse the location of an exception in the contract."""
    steps = unquote(pointer.partition("#/")[2]).split("/")
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in steps)


def test_the_contract_keeps_all_rules(tmp_path: Path) -> None:
    assert _findings(RULES, tmp_path) == set()


def test_every_exception_is_needed_and_of_one_place(tmp_path: Path) -> None:
    rules = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    overrides = rules["overrides"]
    excepted = {
        (rule, _location(file)) for override in overrides for file in override["files"] for rule in override["rules"]
    }
    excepted |= {(rule, ()) for rule in rules["rules"]}  # without a location: the rule is about the whole contract
    without_exceptions = tmp_path / "rules.json"
    without_exceptions.write_text(json.dumps({"extends": rules["extends"]}))
    (tmp_path / "node_modules").symlink_to(NODE_TESTS / "node_modules")

    findings = _findings(without_exceptions, tmp_path)

    for rule, location in excepted:
        found = [path for broken, path in findings if broken == rule and path[: len(location)] == location]
        assert found, f"is not needed any more: {rule} at {location}"
        assert location or len(found) == 1, f"is broken in several places: {rule}"
    settings = {setting for override in [*overrides, rules] for setting in override["rules"].values()}
    assert settings == {False}  # YAML parses `off` as this
