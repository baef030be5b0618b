"""Fingerprints of requests: whether two say the same."""

from __future__ import annotations

import hashlib
import json


def fingerprint(*parts: object) -> bytes:
    """Hash what a request says, in 32 bytes: strings, numbers, booleans and Nones, in this order."""
    return hashlib.sha256(json.dumps(parts).encode()).digest()
