"""Writes JSON byte for byte as Postgres does (`row_to_json`), so that a change answers what a read would."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime


def _text(value: object) -> str:
    return _moment(value) if isinstance(value, datetime) else str(value)


def _moment(value: datetime) -> str:
    """Leave out the zeros at the end of the fraction."""
    whole, dot, fraction = value.isoformat().removesuffix("+00:00").partition(".")
    return f"{whole}{dot}{fraction.rstrip('0')}+00:00"


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_text).encode


def to_json(row: Mapping[str, object]) -> str:
    """Write a row with these columns; times must be in UTC."""
    return _encode(row)
