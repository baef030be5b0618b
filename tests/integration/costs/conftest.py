"""What the tests of costs share."""

from __future__ import annotations

import pytest

from tests.fixtures.postgres import plans


@pytest.fixture(params=["custom", "generic"])
def planned(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Let Postgres plan for the values of a call, or for any values, as it does from the sixth execution on."""
    monkeypatch.setattr(plans.mode, "sql", f"SET LOCAL plan_cache_mode = force_{request.param}_plan; ")
    mode: str = request.param
    return mode
