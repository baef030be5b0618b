"""Spreads events that would otherwise happen at the same moment."""

from __future__ import annotations

from random import Random

# Not the module's own generator: a program that uses the package may have seeded that, to repeat what it does.
random_part = Random().random  # noqa: S311 - no secret


def spread(seconds: float) -> float:
    """Add a random part of up to a tenth to a time, so that what began together does not end together."""
    return seconds * (1 + 0.1 * random_part())
