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
    assert updates.keys() >= {"task_queries.UPDATE", "task_queries.COMPLETE", "task_queries.DELETE"}

    for name, sql in updates.items():
        called = dict(execute(database_url, _FUNCTIONS, _CALL.findall(sql)))
        assert called["now"] == "s", name  # as it is there, so would any other be
        assert [function for function, kind in called.items() if kind == "v"] == [], name
