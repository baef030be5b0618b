"""What a change names besides tasks: labels, and lists."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Self
from uuid import UUID

from backend.models.task import TaskFields


class Names(NamedTuple):
    """The labels that tasks may get, and the lists that they may come into.

    `lists` is None if no list is named and no task may come out of the trash: then no lists are read.
    """

    labels: Iterable[str] = ()
    lists: tuple[UUID, ...] | None = None

    @classmethod
    def of(cls, requests: Iterable[TaskFields], *, restores: bool = False) -> Self:
        """Collect what requests name; `restores` says whether a task may come out of the trash."""
        labels: list[str] = []
        lists: list[UUID] = []
        for request in requests:
            labels += request.labels or ()
            if request.list_id is not None:
                lists.append(request.list_id)
        return cls(labels, tuple(lists) if lists or restores else None)
