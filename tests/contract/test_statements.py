"""What the services' statements must not contain, so that the tables can be distributed one day."""

from __future__ import annotations

import re

from tests.fixtures.database import execute
from tests.fixtures.walls import STATEMENTS

_UPDATE = re.compile(r"\bUPDATE \w+ SET\b")  # not an INSERT's DO UPDATE
_CALL = re.compile(r"(\w+)\(")
_FUNCTIONS = "SELECT proname::text, provolatile::text FROM pg_proc WHERE proname = ANY (%s)"


def test_no_update_calls_a_volatile_function(database_url: str) -> None:
    updates = {name: statement.sql for name, statement in STATEMENTS.items() if _UPDATE.search(statement.sql)}
    changes = {f"task_queries.{name}" for name in ("UPDATE", "COMPLETE", "DELETE", "RESTORE", "REMOVE")}
    assert updates.keys() >= changes

    called = {name: dict(execute(database_url, _FUNCTIONS, _CALL.findall(sql))) for name, sql in updates.items()}

    assert {name: [call for call, kind in calls.items() if kind == "v"] for name, calls in called.items()} == {
        name: [] for name in updates
    }
    assert called["task_queries.UPDATE"]["now"] == "s"  # as it is there, so would any other be
    assert execute(database_url, _FUNCTIONS, ["clock_timestamp"]) == [("clock_timestamp", "v")]
