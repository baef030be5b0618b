"""The format of a file that a client sends, as the headers say it: by its type, or else by its name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.message import Message

from starlette.datastructures import Headers

from backend.api.streams.download import JSON_LINES
from backend.errors import UnsupportedMediaType
from backend.formats.beginnings import SAVE_AS_CSV
from backend.models.task_file import ENDINGS, AnyFormat, FileFormat, ReadFormat

MEDIA_TYPES: dict[str, AnyFormat] = {
    JSON_LINES: FileFormat.JSON_LINES,
    "application/x-ndjson": FileFormat.JSON_LINES,
    "application/json": ReadFormat.JSON,
    "text/csv": FileFormat.CSV,
    "text/calendar": FileFormat.CALENDAR,
}
# What else is read, and not in the contract: generators of clients do not know it.
_ALSO: dict[str, AnyFormat] = {
    "application/vnd.ms-excel": FileFormat.CSV,  # what browsers call a CSV on Windows
    "text/tab-separated-values": FileFormat.CSV,
    "text/x-vcalendar": FileFormat.CALENDAR,
}
_WORKBOOKS = {"xls", "xlsx", "xlsm", "xlsb", "ods", "numbers"}
_WORKBOOK_TYPES = ("application/vnd.openxmlformats", "application/vnd.oasis.opendocument", "application/vnd.ms-excel.")
_ANY_FILE = {"", "application/octet-stream"}  # says nothing
_NAME = re.compile(r'filename\*?[ \t]*=[ \t]*(?:"([^"]{0,500})"|([^;"]{0,500}))', re.IGNORECASE)
_UTF_8 = {"utf-8", "utf8"}
_NO_TYPE = (
    f"Send a file with one of these as its Content-Type: {', '.join(MEDIA_TYPES)}. Or send it as "
    'application/octet-stream with its name, like Content-Disposition: attachment; filename="tasks.csv".'
)
_A_WORKBOOK = f"This is a workbook. {SAVE_AS_CSV}."
_A_FORM = "Send the file itself as the body, rather than a form with a file in it. "


def unknown_type() -> UnsupportedMediaType:
    """Return the error that lists the types of files."""
    return UnsupportedMediaType(_NO_TYPE)


def format_of(headers: Headers) -> AnyFormat:
    """Return the format of a body, from its headers; raises UnsupportedMediaType."""
    if any(coding.strip().lower() != "identity" for coding in headers.getlist("content-encoding")):
        raise UnsupportedMediaType("Send the file uncompressed, without Content-Encoding.")
    message = Message()
    message["content-type"] = ", ".join(dict.fromkeys(headers.getlist("content-type")))
    kind = message.get_content_type() if message["content-type"].strip() else ""
    if kind == "multipart/form-data":
        raise UnsupportedMediaType(_A_FORM + _NO_TYPE)
    file_format = _format_of_name(headers) if kind in _ANY_FILE else (MEDIA_TYPES | _ALSO).get(kind)
    if file_format is None:
        is_workbook = kind.startswith(_WORKBOOK_TYPES) or (
            kind in _ANY_FILE and not _WORKBOOKS.isdisjoint(_endings(headers))
        )
        raise UnsupportedMediaType(_A_WORKBOOK) if is_workbook else unknown_type()
    charset = message.get_param("charset", "utf-8")
    if not isinstance(charset, str) or charset.lower() not in _UTF_8:
        raise UnsupportedMediaType("Send the file in UTF-8.")
    return file_format


def _format_of_name(headers: Headers) -> AnyFormat | None:
    """Return the format that the name of the file ends in, if it is known."""
    return next((ENDINGS[ending] for ending in _endings(headers) if ending in ENDINGS), None)


def _endings(headers: Headers) -> Iterator[str]:
    found = (name for line in headers.getlist("content-disposition") for name in _NAME.findall(line))
    return ((quoted or plain).strip().rpartition(".")[2].lower() for quoted, plain in found)
