"""Strict request bodies: one JSON object in UTF-8 without repeated keys. The framework alone would accept more."""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from email.message import Message
from typing import Any

from starlette.datastructures import Headers

from backend.errors import Detail, UnsupportedMediaType, ValidationFailed
from backend.utils.strict_json import RepeatedKeyError, refuse_constant, unambiguous

MAX_KEYS = 1000  # more than any object needs, and each unknown one costs an error message

MAX_VALUES = 20_000  # more than any request needs; to parse 500,000 numbers, others would wait for 50 ms

_UTF_8 = ("utf-8", "utf8")
_NO_JSON = "The body is not valid JSON in UTF-8: put keys and texts in double quotes, and check that nothing is cut off"

_TOO_DEEP = "The body is nested too deeply: send fewer brackets within brackets"
_A_MARK = "The body begins with a byte order mark: send the JSON in UTF-8 without it"


def parsed(headers: Headers, body: bytes) -> Any:
    """Return the object in a body, or the bytes themselves if they do not say that they are JSON.

    Raises ValidationFailed or UnsupportedMediaType.
    """
    if not _is_json(headers.get("content-type", "")):
        return body
    _refuse_encodings(headers)
    return read_object(body)


def _is_json(kind: str) -> bool:
    if kind == "application/json":
        return True
    message = Message()
    message["content-type"] = kind
    subtype = message.get_content_subtype()
    is_json = subtype == "json" or subtype.endswith("+json")
    return bool(kind) and message.get_content_maintype() == "application" and is_json


def read_object(body: bytes) -> dict[str, Any]:
    """Read a JSON object; raises ValidationFailed if the body is anything else."""
    # Signs in strings do not count: a batch may have many. Removing strings is slower than counting, so count first.
    if _values(body) > MAX_VALUES and _values(_without_texts(body)) > MAX_VALUES:
        raise _refusal("body", "too_complex", f"The body must not contain more than {MAX_VALUES} values")
    try:
        # decode() leaves a byte order mark in the text, where json refuses it.
        value = json.loads(body.decode(), object_pairs_hook=_object, parse_constant=refuse_constant)
    except RepeatedKeyError as error:
        raise _refusal(error.key, "duplicate_key", "This key appears more than once") from None
    except RecursionError:
        raise _refusal("body", "json_invalid", _TOO_DEEP) from None
    except ValueError as error:  # not JSON, not UTF-8, or a number of thousands of digits
        message = _A_MARK if body.startswith(BOM_UTF8) else f"{_NO_JSON}{_position(error)}"
        raise _refusal("body", "json_invalid", message) from None
    if not isinstance(value, dict):
        raise _refusal("body", "object_type", "The body must be a JSON object")
    return value


def _position(error: Exception) -> str:
    """Return where the JSON parser stopped, if known."""
    return f"; see line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""


def _values(text: bytes) -> int:
    """Count the signs before a value: an array's, an object's, and the commas."""
    return text.count(b"[") + text.count(b"{") + text.count(b",")


def _without_texts(body: bytes) -> bytes:
    """Remove the strings: once escapes are gone, every second piece between quotes is one."""
    return b"".join(body.replace(rb"\\", b"").replace(rb"\"", b"").split(b'"')[::2])


def _refuse_encodings(headers: Headers) -> None:
    """Refuse a body declared as compressed or not UTF-8, rather than fail to parse it."""
    if any(coding.strip().lower() != "identity" for coding in headers.getlist("content-encoding")):
        raise UnsupportedMediaType("Send the body uncompressed, without Content-Encoding.")
    if headers["content-type"] == "application/json":
        return
    message = Message()
    message["content-type"] = headers["content-type"]
    charset = message.get_param("charset", "utf-8")
    if not isinstance(charset, str) or charset.lower() not in _UTF_8:
        raise UnsupportedMediaType("Send the body in UTF-8, the encoding of JSON.")


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(members) > MAX_KEYS:
        raise _refusal("body", "too_many_keys", f"An object must not have more than {MAX_KEYS} keys")
    return unambiguous(members)


def _refusal(field: str, code: str, message: str) -> ValidationFailed:
    return ValidationFailed(details=(Detail(field, code, message),))
