"""Spreads what would else happen at one moment."""

from __future__ import annotations

import random


def spread(seconds: float) -> float:
    """Add up to a tenth to a time, by chance: those who came together do not leave together."""
    return seconds * random.uniform(1, 1.1)  # noqa: S311 - no secret
