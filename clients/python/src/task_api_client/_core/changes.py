"""Follows the changes of the user's tasks, labels and lists."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, Optional, Union

from task_api_client._core.context import Context
from task_api_client._core.reading import read
from task_api_client._core.sending import PASSING, path_of
from task_api_client._core.sessions import send
from task_api_client._core.steps import Give, Loop, ReadOn, Request, Wait
from task_api_client.errors import NoAnswer, TaskApiError
from task_api_client.inputs import ChangeType
from task_api_client.values import Change, Label, List, Task

_KINDS: dict[str, Any] = {"task": Task, "label": Label, "list": List}
_LONGEST_PAUSE_SECONDS = 30


def changes(
    context: Context, *, since: Optional[str] = None, types: Union[ChangeType, Sequence[ChangeType], None] = None
) -> Loop[Change]:
    """Go through all changes after `since`, then through new changes as they happen, for ever.

    Keep the `since` of the last change, to go on from there another day. "now" is the `since` of a program that wants
    to hear of later changes only. When the service answers 410, drop your copy and start without `since`. Stay with the
    same types as long as you go on.
    """
    path = path_of("changes", "stream", query={"types": types})
    failures = 0
    while True:
        headers = {} if since is None else {"Last-Event-ID": since}
        try:
            yield from send(context, Request("GET", path, headers=headers, may_repeat=True), is_stream=True)
        except TaskApiError as problem:
            if not isinstance(problem, NoAnswer) and problem.status not in PASSING:
                raise
        else:
            rest = b""
            while (piece := (yield ReadOn())) is not None:
                *events, rest = (rest + piece).split(b"\n\n")
                for event_id, item in map(_read_event, events):
                    since, failures = event_id or since, 0
                    for change in _changes_of(item, since):
                        yield Give(change)
        pause = min(_LONGEST_PAUSE_SECONDS, 2.0 ** (failures - 1))  # streams end: each hour, and with the network
        yield Wait(pause * (0.5 + context.timing.random()))
        failures += 1


def _read_event(event: bytes) -> tuple[Optional[str], Any]:
    """Return the id and the data of a server-sent event, None where it has none."""
    text = event.decode()
    event_id, data = (re.search(rf"^{name}: ?(.*)", text, re.MULTILINE) for name in ("id", "data"))
    return event_id and event_id[1], data and json.loads(data[1])


def _changes_of(item: Optional[dict[str, Any]], since: Optional[str]) -> Iterator[Change]:
    if not item or since is None:
        return
    kind, data = (item["type"], item["data"]) if "type" in item else ("task", item)
    if data.get("deleted"):
        yield Change(since, kind, deleted=data["id"])
    elif kind in _KINDS:
        yield Change(since, kind, **{kind: read(_KINDS[kind], data)})
