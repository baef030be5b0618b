"""Where a client wants a task or a list to stand."""

from __future__ import annotations

from typing import Self
from uuid import UUID

from pydantic import ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from backend.models.base import Input, described
from backend.models.fields import CanonicalUUID

BOTH = "Send after or before, not both"


class Move(Input):
    """Where it is to stand: directly after or before another one, or, if neither is sent, at the end."""

    before: CanonicalUUID | None = described("The id of the one to stand directly before, or null", None, default=None)
    after: CanonicalUUID | None = described("The id of the one to stand directly after, or null", None, default=None)

    @model_validator(mode="after")
    def _beside_one(self) -> Self:
        if self.after is not None and self.before is not None:
            problem = PydanticCustomError("after_or_before", BOTH)
            raise ValidationError.from_exception_data(
                "before", [InitErrorDetails(type=problem, loc=("before",), input=None)]
            )
        return self

    @property
    def side(self) -> str:
        """Return on which side of `beside`; the end is before nothing."""
        return "before" if self.after is None else "after"

    @property
    def beside(self) -> UUID | None:
        """Return the id of the one to stand beside; None for the end."""
        return self.after or self.before


class TaskMove(Move):
    """Where a task is to stand, in which list, and under which task."""

    list_id: CanonicalUUID | None = described(
        "The id of the list to move it to, or null for the inbox; if omitted, it stays in its list",
        None,
        default=None,
    )
    parent_id: CanonicalUUID | None = described(
        "The id of the task to make it a subtask of, or null for none; if omitted, it keeps its parent within its list",
        None,
        default=None,
    )
