"""The rules about labels: pure functions from a stored label and a request to the label as it should be."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from backend.errors import Conflict, Detail, NotFound, ValidationFailed
from backend.models.label import LabelPut, LabelUpdate
from backend.models.values.label_names import key_of_label, name_key_of

_OTHER_ID = Detail("id", "other_label", "This is not the id of this label: send a label under its own name")
_OTHER_NAME = Detail("name", "other_label", "This is not the name of this label: to rename it, send it with PATCH")


class LabelNotFound(NotFound):
    """A label that is missing or another user's, or a name that no label can have; the answer does not say which."""

    message = "Label not found. Check its name: GET /api/labels lists your labels."


class TooManyLabels(Conflict):
    """The user cannot have as many labels as the request would make."""

    message = "You have the maximum number of labels. Use those that you have, or delete some."

    def __init__(self) -> None:
        super().__init__(details=(Detail("body", "too_many_labels", self.message),))


class LabelExists(Conflict):
    """A label would get the name of another one of the user's labels."""

    message = "You already have another label with this name. Choose another name."

    def __init__(self) -> None:
        super().__init__(details=(Detail("name", "label_exists", self.message),))


class Row(NamedTuple):
    """A stored label. Its fields are the stored columns, except the user's id."""

    id: UUID
    name: str
    name_key: str
    color: str | None
    created_at: datetime
    updated_at: datetime
    revision: int = 0


def new_label(label_id: UUID, name: str, data: LabelPut, now: datetime) -> Row:
    """Return the label that a request makes. Its revision is set when it is counted."""
    return Row(label_id, name, name_key_of(name), data.color, created_at=now, updated_at=now)


def edited(label: Row, data: LabelPut) -> Row:
    """Set what the request names; only an update names a new name."""
    said = data.model_dump(exclude_unset=True)
    if not isinstance(data, LabelUpdate):
        said.pop("name", None)
    if "name" in said:
        said["name_key"] = name_key_of(said["name"])
    return label._replace(**said)


def refuse_another(data: LabelPut, name: str, label: Row | None) -> None:
    """Raise ValidationFailed if a label that is sent back whole is not the one with this name, which may be missing."""
    its_id = data.named[0] if data.named else None
    if label is not None and its_id is not None and str(its_id).lower() != str(label.id):
        raise ValidationFailed(details=(_OTHER_ID,))
    is_renamed = data.name is not None and key_of_label(data.name) != key_of_label(name)
    if is_renamed and not isinstance(data, LabelUpdate):
        raise ValidationFailed(details=(_OTHER_NAME,))
