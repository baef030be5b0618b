"""Time zones: the names that may be stored, and their rules, from a package that is pinned.

Postgres has a copy of the same database, too, and statements name zones to it.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from io import BytesIO
from zoneinfo import ZoneInfo

LONGEST_ZONE = 64  # characters; the longest now has 32
# Not a zone: it stands for one that nobody has set yet, and Postgres hides it.
_NO_ZONE = "Factory"

ZONES = frozenset(files("tzdata").joinpath("zones").read_text(encoding="ascii").split()) - {_NO_ZONE}


@lru_cache(maxsize=len(ZONES))
def read_zone(name: str) -> ZoneInfo:
    """Read a zone from the package; `ZoneInfo(name)` would prefer the files of this machine."""
    return ZoneInfo.from_file(BytesIO(_file(name)), key=name)


def rules_of(name: str) -> str:
    """Return the rules that a zone has from its last change on, such as CET-1CEST,M3.5.0,M10.5.0/3 (RFC 9636, 3.3)."""
    return _file(name).rsplit(b"\n", 2)[1].decode("ascii")


def _file(name: str) -> bytes:
    if name not in ZONES:
        raise KeyError(name)  # never a path
    return files("tzdata").joinpath("zoneinfo", *name.split("/")).read_bytes()
