"""docs/telemetry.md lists exactly what is logged, traced and measured."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.fixtures.telemetry.documented import documented_events, quoted, rows
from tests.fixtures.telemetry.logged import calls, instruments, logged

NAME = re.compile(r"[a-z]+(_[a-z]+)*")
# The level that a logger method writes, and the level of calls that pick it at run time.
LEVEL = {"exception": "error", "log": "warning"}
FASTAPI = "http.server."


@pytest.mark.requirement("FR-175")
def test_every_event_is_listed_with_its_level_and_fields() -> None:
    there: dict[str, tuple[set[str], set[str]]] = {}
    for call in logged():
        assert NAME.fullmatch(call.event), call
        levels, fields = there.setdefault(call.event, (set(), set()))
        levels.add(LEVEL.get(call.level, call.level))
        fields.update(call.fields)

    table = documented_events()
    assert there.keys() == table.keys()
    assert {event: fields for event, (_, fields) in there.items()} == {
        event: fields for event, (_, fields) in table.items()
    }
    assert [event for event, (levels, _) in there.items() if not levels <= table[event][0]] == []


@pytest.mark.requirement("FR-175")
def test_every_metric_is_listed() -> None:
    listed = {row[0].strip("`") for row in rows("### Metrics")}

    assert {name for name in listed if not name.startswith(FASTAPI)} == set(instruments())


@pytest.mark.requirement("FR-175")
def test_spans_are_made_in_one_place_and_their_attributes_are_listed() -> None:
    made = [
        location
        for location, call in calls()
        if ast.unparse(call.func).endswith(("start_span", "start_as_current_span"))
    ]
    source = Path("backend/database/instrumentation.py")
    assert [location.partition(":")[0] for location in made] == [source.as_posix()]

    text = (Path(__file__).parents[2] / source).read_text(encoding="utf-8")
    attributes = set(re.findall(r'"((?:db|error)\.[a-z._]+)"', text)) - set(instruments())
    spans, metrics = rows("### Spans"), rows("### Metrics")
    of_database = [row for row in metrics if row[0].startswith("`db.")]
    assert quoted(spans[1][2]) | set().union(*(quoted(row[2]) for row in of_database)) == attributes


@pytest.mark.requirement("FR-175")
def test_nothing_is_logged_in_another_way() -> None:
    """A logger of the standard library would log free text, which no list can cover."""
    others = [location for location, call in calls() if ast.unparse(call.func) == "logging.getLogger"]

    assert {location.partition(":")[0] for location in others} == {
        "backend/telemetry/logs.py",
    }
