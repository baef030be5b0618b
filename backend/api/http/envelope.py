"""Responses: data and errors in their envelopes, written from JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import Request
from starlette.responses import Response

from backend.errors import Detail, TaskAPIError, ValidationFailed
from backend.models.base import Document, Page, RowDocument
from backend.models.change import ChangePage
from backend.models.task_file import ImportReport
from backend.models.values.etags import EntityTags
from backend.services.resources.reading import Listed
from backend.services.tasks.batch import Outcome

GUIDE = "/docs/guide/"  # with the slash: the links of its pages are relative
MAX_DETAILS = 20
MAX_TOLD = 3  # details that the message of an error tells
MAX_MESSAGE_LENGTH = 500
MAX_FIELD_NAME = 100

_COMPACT = (",", ":")
_MORE = " See details for more."


def document_response(document: Document, *, status: int = 200, **headers: str) -> Response:
    """Return a response with one row that Postgres wrote as JSON."""
    return data_response(document.json, status=status, **headers)


def data_response(json: str, *, status: int = 200, **headers: str) -> Response:
    """Return a response with data that is already JSON."""
    return _json_response(f'{{"data":{json}}}', status, headers)


def tagged_response(document: Document, *, status: int = 200, **headers: str) -> Response:
    """Return a response with one row, such as a task; its revision is a strong ETag (RFC 9110, section 8.8.3)."""
    return _json_response(f'{{"data":{document.json}}}', status, {"ETag": f'"{document.revision}"', **headers})


def not_modified(tag: str) -> Response:
    """Return a 304 response: the client already has the version with this tag."""
    return Response(status_code=304, headers={"ETag": f'"{tag}"'})


def read_response(document: Document, known: EntityTags) -> Response:
    """Return a response with one row, or a 304 for a client that has it."""
    tag = str(document.revision)
    return not_modified(tag) if known.match_weakly(tag) else tagged_response(document)


def list_response(found: Listed, known: EntityTags) -> Response:
    """Return a response with all rows of a kind, or a 304 for a client that has them."""
    if found.json is None or known.match_weakly(found.tag):
        return not_modified(found.tag)
    return data_response(found.json, ETag=f'"{found.tag}"')


def page_response(page: Page, request: Request) -> Response:
    """Return a response with one page of a list."""
    info: dict[str, Any] = {
        "limit": page.limit,
        "has_more": page.next_cursor is not None,
        "next_cursor": page.next_cursor,
        "since": str(page.since),
    }
    if page.total is not None:
        info["total"] = page.total
    if page.counts is not None:
        info["counts"] = page.counts
    text = f'{{"data":{page.json},"page":{json.dumps(info, separators=_COMPACT)}}}'
    return _json_response(text, 200, {"ETag": f'"{page.tag}"', "Link": _links(request, page.next_cursor)})


def events_response(page: Page, request: Request) -> Response:
    """Return a response with one page of events."""
    info = {"limit": page.limit, "has_more": page.next_cursor is not None, "next_cursor": page.next_cursor}
    text = f'{{"data":{page.json},"page":{json.dumps(info, separators=_COMPACT)}}}'
    return _json_response(text, 200, {"Link": _links(request, page.next_cursor)})


def _links(request: Request, next_cursor: str | None) -> str:
    """Return links to the first page and, if any, the next page of the same list, with the same parameters (RFC 8288).

    Everything that the client chose is percent-encoded, so it cannot break out of its link.
    """
    parameters = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
    first = quote(request.scope["path"])
    if parameters:
        first += "?" + urlencode(parameters, quote_via=quote)
    link = f'<{first}>; rel="first"'
    if next_cursor is None:
        return link
    # A cursor has only characters that need no encoding.
    return f'{link}, <{first}{"&" if parameters else "?"}cursor={next_cursor}>; rel="next"'


def changes_response(page: ChangePage) -> Response:
    """Return a response with one page of the feed of changes."""
    changes = ",".join(change.json for change in page.changes)
    info = {"next_since": str(page.next_since), "has_more": page.has_more}
    return _json_response(f'{{"data":[{changes}],"page":{json.dumps(info, separators=_COMPACT)}}}', 200, {})


def import_response(report: ImportReport) -> Response:
    """Return a response with the report of an import."""
    return _json_response(f'{{"data":{report.model_dump_json()}}}', 200, {})


def batch_response(outcomes: list[Outcome], request_id: str) -> Response:
    """Return a response with the outcome of each operation of a batch, in order."""
    results = (_result(index, outcome, request_id) for index, outcome in enumerate(outcomes))
    return _json_response(f'{{"data":[{",".join(results)}]}}', 200, {})


def _result(index: int, outcome: Outcome, request_id: str) -> str:
    if isinstance(outcome, RowDocument):
        status, rest = 201 if outcome.is_new else 200, f',"data":{outcome.json}}}'
    elif isinstance(outcome, TaskAPIError):
        status, rest = outcome.status, f",{_error_text(envelope(outcome, request_id), outcome)[1:]}"
    else:
        status, rest = 204, "}"
    return f'{{"index":{index},"status":{status}{rest}'


def error_response(error: TaskAPIError, request_id: str) -> Response:
    """Return a response with an error in its envelope, plus its data if it has any."""
    return _json_response(_error_text(error_body(error, request_id), error), error.status, error.headers)


def error_body(error: TaskAPIError, request_id: str) -> dict[str, Any]:
    """Return an error in its envelope, and its message once more: clients of other FastAPI services read `detail`."""
    body = envelope(error, request_id)
    return {**body, "detail": body["error"]["message"]}


def _error_text(body: dict[str, Any], error: TaskAPIError) -> str:
    """Return the JSON of a body with an error, plus the error's data if it has any."""
    text = json.dumps(body, separators=_COMPACT)
    return text if error.data is None else f'{text[:-1]},"data":{error.data}}}'


def _json_response(text: str, status: int, headers: dict[str, str]) -> Response:
    return Response(text, status, headers, media_type="application/json")


def envelope(error: TaskAPIError, request_id: str) -> dict[str, Any]:
    """Return an error in the form that all errors share."""
    details = [
        {"field": _bounded(item.field), "code": item.code, "message": item.message}
        for item in error.details[:MAX_DETAILS]
    ]
    body = {
        "code": error.code,
        "message": _message(error),
        "request_id": request_id,
        "details": details,
        "documentation": f"{GUIDE}errors.html#{_explained(error).lower()}",
    }
    return {"error": body}


def _explained(error: TaskAPIError) -> str:
    """Return the code that says most about an error: the code of its first detail, or else its own."""
    return error.details[0].code if error.details else error.code


def _message(error: TaskAPIError) -> str:
    """Return the message of an error, or what its first details say if it has none of its own."""
    has_own = error.message != ValidationFailed.message or not error.details
    return error.message if has_own else message_of(error.details)


def message_of(details: Sequence[Detail]) -> str:
    """Return what the first three details say, for people who see nothing else of an error."""
    sentences = [*dict.fromkeys(detail.sentence for detail in details)]
    told = sentences[:MAX_TOLD]
    while len(told) > 1 and len(" ".join(told)) + len(_MORE) > MAX_MESSAGE_LENGTH:
        told.pop()
    return " ".join(told) + (_MORE if told != sentences else "")


def _bounded(field: str) -> str:
    """Shorten a field name and make it encodable: the client may have chosen it."""
    return field[:MAX_FIELD_NAME].encode("utf-8", "replace").decode()
