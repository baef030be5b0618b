"""Random walks over all calls: what must hold of trees of tasks, whoever calls, holds after every step."""

from __future__ import annotations

from contextlib import ExitStack
from random import Random

import pytest

from backend.services.tasks import tree
from tests.fixtures.calls.api import API, new_user
from tests.fixtures.rules.walks import MAX_BELOW, Walk

STEPS = 150


@pytest.mark.requirement("FR-402")
@pytest.mark.parametrize("seed", range(6))
def test_what_holds_of_trees_holds_after_every_step(
    api: API, database_url: str, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(tree, "MAX_BELOW", MAX_BELOW)
    with ExitStack() as stack:
        walk = Walk(api, database_url, new_user(), Random(seed), stack)  # noqa: S311 - not a secret
        for _ in range(STEPS):
            walk.step()
