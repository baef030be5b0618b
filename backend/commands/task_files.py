"""What import and export share: they read and write files of one user's tasks."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from backend.identity.claims import MAX_USER_ID_LENGTH, is_user_id

STANDARD = "-"  # input or output

_Format = TypeVar("_Format", bound=StrEnum)


def check_user(options: argparse.Namespace) -> None:
    """Exit with 2 unless this is a valid user id."""
    if not is_user_id(options.user):
        options.parser.error(
            f"argument --user: must have 1 to {MAX_USER_ID_LENGTH} characters and no control characters"
        )


def format_of(options: argparse.Namespace, name: str, endings: Mapping[str, _Format]) -> _Format:
    """Return a file's format from the option or else what its name ends in; exits with 2 when neither is known."""
    ending = options.format or name.rpartition(".")[2].lower()
    if ending not in endings:
        formats = ", ".join(dict.fromkeys(endings.values()))
        options.parser.error(f"choose the format of the file with --format: {formats}")
    return endings[ending]
