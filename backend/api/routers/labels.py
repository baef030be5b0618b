"""/api/labels: the user's labels, on all tasks that carry them."""

from __future__ import annotations

from typing import Annotated

from fastapi import Body, Path, Response

from backend.api.deps import IfNoneMatch, Once, of_user
from backend.api.http.envelope import document_response, list_response
from backend.api.openapi.operations import errors, invalid
from backend.api.openapi.resources import Documented, Listing
from backend.api.routers.router import Router
from backend.models.base import RowDocument
from backend.models.fields import AnyLabelName, LabelName
from backend.models.label import LabelPut, LabelUpdate
from backend.services.labels import queries
from backend.services.labels.rules import LabelExists, TooManyLabels
from backend.services.labels.service import LabelService

LABELS = Documented(
    queries.LABELS,
    "label",
    "Your labels: their colours, and renaming and removing them on all tasks.",
    listing=Listing(
        "LabelListAnswer",
        "All labels of the user.",
        "The labels, in the order of their names without regard to case",
    ),
)
router = Router("/api/labels", "labels", LABELS)

Labels = Annotated[LabelService, of_user(LabelService)]
_NAME = "The label's name, percent-encoded; its case and its white space do not matter"
NewName = Annotated[LabelName, Path(description=_NAME, examples=["home"])]
Name = Annotated[AnyLabelName, Path(description=_NAME, examples=["home"])]
Looks = Annotated[
    LabelPut, Body(openapi_examples={"blue": {"summary": "Set its colour", "value": {"color": "#1e90ff"}}})
]
LabelEdit = Annotated[
    LabelUpdate,
    Body(
        openapi_examples={
            "green": {"summary": "Change its colour", "value": {"color": "#228b22"}},  # first, as it works each time
            "rename": {"summary": "Rename it on all tasks", "value": {"name": "Household"}},
        }
    ),
]
_NO_COLOR = invalid("color", "color_format", "Must be a colour, like #1e90ff")


@router.get("", summary="List the labels", responses=LABELS.listed("All your labels"))
def list_labels(labels: Labels, known: IfNoneMatch) -> Response:
    """List all your labels in the order of their names, and how many tasks carry each.

    You have at most 1,000, so there are no pages. A label is made when a task first gets it, or by `PUT`, and stays
    until you delete it. Send the `ETag` that you have as `If-None-Match`: if none of your tasks and labels has changed,
    you get 304 immediately.
    """
    return list_response(labels.list(known.known), known)


@router.put(
    "/{name:label}",
    summary="Make a label, or colour it",
    responses=LABELS.made | LABELS.changed | errors(TooManyLabels, _NO_COLOR),
)
def put_label(labels: Labels, name: NewName, _once: Once, data: Looks) -> Response:
    """Make a label, or set the colour of one.

    Repeating the request changes nothing. Without `color`, a label keeps its colour, and a new one has none. A label
    also keeps the spelling of its name: `PATCH` changes that. You can send a whole label back: what only the service
    sets is ignored.
    """
    return _shown(labels.put(name, data))


def _shown(label: RowDocument) -> Response:
    return document_response(label, status=201 if label.is_new else 200)


@router.patch(
    "/{name:label}", summary="Rename a label, or colour it", responses=LABELS.changed | errors(LabelExists, _NO_COLOR)
)
def update_label(labels: Labels, name: Name, _once: Once, data: LabelEdit) -> Response:
    """Rename a label on all tasks that carry it, or change its colour.

    Tasks in the trash get the new name, too. Each changed task gets a new `revision` and `updated_at`. The answer is
    409 if another of your labels has that name. You can send a whole label back: what only the service sets is ignored.
    After a renaming, the old name is answered 404: to make retries safe, send an `Idempotency-Key`.
    """
    return _shown(labels.update(name, data))


@router.delete("/{name:label}", summary="Delete a label from all tasks", status_code=204, responses=LABELS.removed)
def delete_label(labels: Labels, name: Name) -> Response:
    """Delete a label, and take it off all tasks that carry it, also those in the trash.

    The tasks themselves stay. Each of them gets a new `revision` and `updated_at`. You cannot undo this.
    """
    labels.delete(name)
    return Response(status_code=204)
