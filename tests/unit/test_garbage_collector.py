"""The garbage collector is off while a process starts, and no longer."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from backend.server.garbage_collector import without_collecting

pytestmark = pytest.mark.requirement("FR-198")


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    was_enabled = gc.isenabled()
    yield
    (gc.enable if was_enabled else gc.disable)()


def _fail() -> None:
    with without_collecting():
        raise LookupError


def test_nothing_is_collected_meanwhile_and_then_it_is_again() -> None:
    gc.enable()
    with without_collecting():
        assert not gc.isenabled()
        with without_collecting():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()


def test_it_works_again_when_what_was_to_start_has_failed() -> None:
    gc.enable()
    with pytest.raises(LookupError):
        _fail()
    assert gc.isenabled()
