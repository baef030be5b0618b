"""What import and export share: they read and write files of one user's tasks."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
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


def format_of(options: argparse.Namespace, name: str, formats: Iterable[_Format]) -> _Format:
    """Return a file's format from the option or else its name; exits with 2 when neither names one of these."""
    ending = options.format or name.rpartition(".")[2].lower()
    known = {file_format.value: file_format for file_format in formats}
    if ending not in known:
        options.parser.error(f"choose the format of the file with --format: {', '.join(known)}")
    return known[ending]
