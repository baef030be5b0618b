"""The rules about labels: pure functions from a stored label and a request to the label as it should be."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from backend.models.label import LabelPut, LabelUpdate
from backend.models.values.label_names import key_of_label


class Row(NamedTuple):
    """A stored label. Its fields are the stored columns, except the user's id."""

    id: UUID
    name: str
    name_key: str
    color: str | None
    created_at: datetime
    updated_at: datetime
    revision: int


def new_label(label_id: UUID, name: str, data: LabelPut, revision: int, now: datetime) -> Row:
    """Make a label."""
    return Row(label_id, name, key_of_label(name), data.color, created_at=now, updated_at=now, revision=revision)


def edited(label: Row, data: LabelPut) -> Row:
    """Set what the request names."""
    said = data.model_dump(exclude_unset=True)
    if isinstance(data, LabelUpdate) and "name" in said:
        said["name_key"] = key_of_label(said["name"])
    return label._replace(**said)


def changed(label: Row, revision: int, now: datetime) -> Row:
    """Give a changed label its revision and the time of the change, which never goes back."""
    return label._replace(revision=revision, updated_at=max(now, label.updated_at))
