"""Spreads events that would otherwise happen at the same moment."""

from __future__ import annotations

import random


def spread(seconds: float) -> float:
    """Add a random part of up to a tenth to a time, so that what began together does not end together."""
    return seconds * random.uniform(1, 1.1)  # noqa: S311 - no secret
