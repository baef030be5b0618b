"""Which path was probably meant by one that does not exist."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import SequenceMatcher
from itertools import dropwhile

MAX_PATH_LENGTH = 100  # a longer path is not compared with others
MIN_RATIO = 0.75  # of two parts that may mean the same: `task` and `tasks`, but not `notes` and `tasks`

_FIRST = re.compile(r"api|v\d+")  # with or without these, everybody means the same
_PARAMETER = re.compile(r"\{\w+\}")


def similar_path(path: str, templates: Iterable[str]) -> str | None:
    """Return the template that a path is nearly like: each part is spelled alike, or is a parameter's."""
    if len(path) > MAX_PATH_LENGTH:
        return None
    parts = _parts(path.lower())
    if not parts:
        return None
    found = [(_similarity(parts, _parts(template)), template) for template in templates]
    ratio, template = max(found, default=(0.0, ""))
    return template if ratio > 0 else None


def _parts(path: str) -> list[str]:
    """Split a path into its parts, without what stands before the resource in some services."""
    return list(dropwhile(_FIRST.fullmatch, filter(None, path.split("/"))))


def _similarity(parts: list[str], template: list[str]) -> float:
    """Return how alike they are, from 0 (not at all) to 1. At the place of a parameter, anything may stand."""
    if len(parts) != len(template):
        return 0.0
    ratios = [
        MIN_RATIO if _PARAMETER.fullmatch(known) else _ratio(part, known)
        for part, known in zip(parts, template, strict=True)
    ]
    return sum(ratios) / len(ratios) if min(ratios) >= MIN_RATIO else 0.0


def _ratio(part: str, known: str) -> float:
    matcher = SequenceMatcher(a=part, b=known)
    # Far less work than the ratio itself, and never less than it.
    return matcher.ratio() if matcher.real_quick_ratio() >= MIN_RATIO and matcher.quick_ratio() >= MIN_RATIO else 0.0
