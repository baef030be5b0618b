"""/api/changes: what became of one's tasks since, page by page or as a stream."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse

from backend.api.deps import Changes, ChangeStream, LastEventId, malformed_event_id
from backend.api.http.envelope import ChangesAnswer, changes_response
from backend.api.http.routes import DatabaseRoute
from backend.api.openapi.operations import ANYWHERE, errors, event_stream, success
from backend.api.streams.changes import PAGE_BYTES, PAGE_CHANGES
from backend.errors import Detail, Forbidden, Gone, Unauthorized, ValidationFailed
from backend.models.access_token import Scope
from backend.models.change import MALFORMED_SINCE, ChangesQuery, StreamQuery

_NO_SYNC = ValidationFailed(details=(Detail("query.since", "sync_token_invalid", MALFORMED_SINCE),))

router = APIRouter(
    prefix="/api/changes",
    tags=["changes"],
    route_class=DatabaseRoute,
    responses=ANYWHERE | errors(Unauthorized, Forbidden(Scope.READ), Gone, _NO_SYNC),
)


@router.get("", responses=success(200, "What changed", ChangesAnswer))
def list_changes(changes: Changes, query: Annotated[ChangesQuery, Query()]) -> Response:
    """Read what changed since you last asked: every task that did, as it is now, oldest change first.

    Begin without `since`: that gives every task. Keep `page.next_since`, and send it as `since` the next time; at once
    if `page.has_more`. Of a task that was deleted the feed says just that. What you have already may come again.

    The answer 410 means that something was purged that you may not have heard of: forget your copy, and begin again.
    """
    return changes_response(changes.read(query.sync_token, query.limit))


@router.get(
    "/stream",
    response_class=StreamingResponse,
    responses=event_stream("Your changes as they happen") | errors(malformed_event_id()),
)
def stream_changes(
    stream: ChangeStream, changes: Changes, query: Annotated[StreamQuery, Query()], last: LastEventId
) -> Response:
    """Follow what changes: the same as `GET /api/changes`, as server-sent events that do not end.

    Each event holds one task in `data`; its `id` is what to send as `Last-Event-ID`, or as `since`, to go on after it.
    A stream ends after an hour, when your token does, and when the service restarts: come again.

    Each server takes ten streams of yours; for one more the answer is 429, and 503 while it has all that it can have.
    """
    since = query.sync_token if last is None else last
    return stream.answer(since, changes.read(since, PAGE_CHANGES, PAGE_BYTES))
