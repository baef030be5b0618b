"""The rules about labels: pure functions from a stored label and a request to the label as it should be."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from backend.errors import Detail, ValidationFailed
from backend.models.label import LabelPut, LabelUpdate
from backend.models.values.label_names import key_of_label, name_key_of

_OTHER_ID = Detail("id", "other_label", "This is not the id of this label: send a label under its own name")
_OTHER_NAME = Detail("name", "other_label", "This is not the name of this label: to rename it, send it with PATCH")


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
