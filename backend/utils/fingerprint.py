"""Fingerprints of requests, to compare them."""

from __future__ import annotations

import hashlib
import json


def fingerprint(*parts: object) -> bytes:
    """Hash the parts of a request, in this order, to 32 bytes: strings, numbers, booleans and Nones."""
    return hashlib.sha256(json.dumps(parts).encode()).digest()
