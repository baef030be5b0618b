"""The labels that a change names: those that the user has count as they are spelled, and the others are made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from uuid_utils.compat import uuid7

from backend.errors import TooManyLabels
from backend.models.values.label_names import MAX_LABELS, key_of_label, name_key_of
from backend.services.tasks.label_queries import MAKE_LABELS, NEW_LABELS
from backend.services.unit_of_work import UnitOfWork


class _NewLabel(NamedTuple):
    id: UUID
    name: str
    name_key: str
    revision: int


@dataclass(slots=True)
class NamedLabels:
    """The spellings of labels by their keys, and how many labels the user has.

    Labels that were two before may have the same key. So each is looked up by its `name_key` first.
    """

    spellings: dict[str, str] = field(default_factory=dict)
    count: int = 0
    by_name_key: Mapping[str, str] = field(default_factory=dict)
    new_id: Callable[[], UUID] = uuid7
    _new: list[_NewLabel] = field(default_factory=list)

    @classmethod
    def of(cls, names: Iterable[str], count: int) -> NamedLabels:
        """Return the labels with these names, of this many that the user has. Of a shared key, the first counts."""
        names = list(names)
        first = {key_of_label(name): name for name in reversed(names)}
        return cls(first, count, by_name_key={name_key_of(name): name for name in names})

    def spelled(self, names: Iterable[str]) -> list[str]:
        """Spell labels as the user has them, each once. Of the others, the first name of each stays as it is."""
        first: dict[tuple[str, str | None], str] = {}
        for name in names:
            key = key_of_label(name)
            known = self.by_name_key.get(name_key_of(name)) or self.spellings.get(key)
            first.setdefault((key, known), known or name)
        return list(first.values())

    def make(self, names: Iterable[str], next_revision: Callable[[], int]) -> None:
        """Make the labels that do not exist yet, each with a revision of its own.

        Raises TooManyLabels, and makes none, when the account cannot hold them all.
        """
        missing = {key: name for name in names if (key := key_of_label(name)) not in self.spellings}
        if self.count + len(missing) > MAX_LABELS:
            raise TooManyLabels
        for name in missing.values():
            self._new.append(_NewLabel(self.new_id(), name, name_key_of(name), next_revision()))
        self.spellings |= missing
        self.count += len(missing)

    def savepoint(self) -> int:
        """Return what `undo` takes to unmake the labels that are made from now on."""
        return len(self._new)

    def undo(self, savepoint: int) -> None:
        """Unmake the labels that were made since a savepoint."""
        for label in self._new[savepoint:]:
            del self.spellings[key_of_label(label.name)]
            self.count -= 1
        del self._new[savepoint:]

    def store(self, unit: UnitOfWork) -> None:
        """Store the labels that were made."""
        if self._new:
            arrays = zip(NEW_LABELS, map(list, zip(*self._new, strict=True)), strict=True)
            unit.store(MAKE_LABELS, **dict(arrays))
