"""Files that are not text in UTF-8, whatever their name or type says. Their first bytes show it."""

from __future__ import annotations

from backend.errors import Detail
from backend.formats.rows import ROW, unreadable

LONGEST = 4  # bytes that tell them apart
SAVE_AS_CSV = 'Save the sheet as "CSV UTF-8", and send that'
_WORKBOOK = Detail(ROW, "not_text", f"This is a workbook, or another file that is no text. {SAVE_AS_CSV}.")
_COMPRESSED = Detail(ROW, "not_text", "This file is compressed: unpack it first.")
_UTF_16 = Detail(
    ROW, "encoding_invalid", f"This file is in UTF-16, as Excel writes Unicode texts: save it in UTF-8. {SAVE_AS_CSV}."
)
_KINDS = {
    b"PK\x03\x04": _WORKBOOK,  # also other archives
    b"\xd0\xcf\x11\xe0": _WORKBOOK,  # of Excel before 2007
    b"%PDF": _WORKBOOK,
    b"\x1f\x8b": _COMPRESSED,
    b"\xff\xfe": _UTF_16,
    b"\xfe\xff": _UTF_16,
}


def refuse_other_files(beginning: bytes) -> None:
    """Raise ValidationFailed if a file that begins like this is not text in UTF-8."""
    for mark, problem in _KINDS.items():
        if beginning.startswith(mark):
            raise unreadable(problem)
    if beginning[:2].count(b"\0") == 1 < len(beginning):  # a letter in UTF-16, without a byte order mark
        raise unreadable(_UTF_16)
