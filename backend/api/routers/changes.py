"""/api/changes: changes to the user's tasks, labels and lists, page by page or as a stream."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Response
from fastapi.responses import StreamingResponse

from backend.api.deps import ChangeStream, LastEventId, malformed_event_id, of_user
from backend.api.http.envelope import changes_response
from backend.api.openapi.files import event_stream
from backend.api.openapi.operations import errors, invalid, success
from backend.api.openapi.resources import ChangesAnswer
from backend.api.routers.router import Router
from backend.api.streams.changes import PAGE_BYTES, PAGE_CHANGES
from backend.errors import Gone
from backend.models.change import MALFORMED_SINCE, ChangesQuery, StreamQuery
from backend.services.changes.service import ChangeService

router = Router("/api/changes", "changes")

Changes = Annotated[ChangeService, of_user(ChangeService)]
_REFUSALS = errors(Gone, invalid("query.since", "sync_token_invalid", MALFORMED_SINCE))


@router.get("", summary="Read what has changed", responses=success(200, "A page of changes", ChangesAnswer) | _REFUSALS)
def list_changes(changes: Changes, query: Annotated[ChangesQuery, Query()]) -> Response:
    """Read what changed since you last asked: each changed task in its current state, oldest change first.

    Start without `since` to get every task. If you have listed the tasks, start with `page.since` of the first page,
    and with `since=now` to get only what changes from now on. Save `page.next_since` and send it as `since` next time,
    or at once if `page.has_more` is true. A deleted task is only reported as deleted. You may receive changes that you
    already have.

    With `types=task,label,list` you also follow your labels and lists: each item is then `{"type": "task", "data":
    {…}}`, with the type `label` or `list` for the others. Without `types`, items are tasks as such.

    The answer 410 means that changes you may have missed were purged: discard your copy and start again.
    """
    return changes_response(changes.read(query.sync_token, query.limit, types=query.types))


@router.get(
    "/stream",
    summary="Follow changes as they happen",
    response_class=StreamingResponse,
    responses=event_stream("Your changes as they happen: what the `data` of each event holds")
    | _REFUSALS
    | errors(malformed_event_id()),
)
def stream_changes(
    stream: ChangeStream, changes: Changes, query: Annotated[StreamQuery, Query()], last: LastEventId
) -> Response:
    """Follow changes as they happen: the data of `GET /api/changes`, as an open stream of server-sent events.

    It is to be read by a program: `changes()` of `examples/task-api.js` does that, and resumes. The page /docs shows
    what comes in the first three seconds.

    An event is `id: …`, then `data: …` with one change, then an empty line. With `types`, it also has `event: …`, the
    type. To resume after it, send its `id` as `Last-Event-ID` or as `since`.
    A stream ends after an hour, when your token stops working, and when the service restarts: reconnect then.

    A server keeps ten of your streams, and answers 429 to another. Without a free slot for any user it answers 503.
    """
    since = query.sync_token if last is None else last
    stream.types = query.types
    with stream.slot() as slot:
        page = changes.read(since, PAGE_CHANGES, PAGE_BYTES, types=query.types)
        return stream.answer(page.next_since if since.is_now else since, page).holding(slot)
