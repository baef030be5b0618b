"""Everything that users may do with one of their labels, on all tasks that carry it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Executable
from uuid_utils.compat import uuid7

from backend.database.retry import reads, repeatable
from backend.database.session import Sessions
from backend.errors import LabelExists, LabelNotFound, PreconditionRequired, TooManyLabels
from backend.models.base import Document
from backend.models.export import ImportedLabel
from backend.models.label import LabelPublic, LabelPut, LabelUpdate
from backend.models.task_file import Fate
from backend.models.values.label_names import MAX_LABELS, key_of_label, name_key_of
from backend.services.labels import queries as label_queries
from backend.services.labels import rules
from backend.services.labels.rules import Row
from backend.services.unit_of_work import UnitOfWork, unit_of_work
from backend.utils.postgres_json import to_json


@dataclass(frozen=True, slots=True)
class LabelDocument(Document):
    """One label as JSON text, with its revision, and whether it was just made."""

    is_new: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class LabelList:
    """All labels as the text of a JSON array, None if the client has them; `tag` changes with every write."""

    json: str | None
    tag: str


@dataclass(slots=True)
class _Loaded:
    """How many labels a user has, and those that a change names.

    With each label come the numbers of its tasks: the living ones, and all. Labels that were two before may have the
    same key: each is looked up by its `name_key` first.
    """

    unit: UnitOfWork
    count: int
    labels: list[tuple[Row, int, int]]

    @classmethod
    def load(cls, unit: UnitOfWork, *names: str) -> _Loaded:
        """Lock the user's row, and read the labels with these names."""
        keys = sorted({key_of_label(name) for name in names})
        (count,), found = unit.load_all(label_queries.NAMED, label_keys=keys)
        labels = [(Row(*row), *numbers) for *row, numbers in found]
        return cls(unit, count, sorted(labels, key=lambda label: label[0].name))

    def look_up(self, name: str) -> tuple[Row, int, int] | None:
        """Return a label with the numbers of its tasks, or None."""
        same = [label for label in self.labels if key_of_label(label[0].name) == key_of_label(name)]
        return next((label for label in same if label[0].name_key == name_key_of(name)), same[0] if same else None)

    def find(self, name: str) -> tuple[Row, int, int]:
        """Return a label with the numbers of its tasks; raises LabelNotFound."""
        found = self.look_up(name)
        if found is None:
            raise LabelNotFound
        return found

    def change(self, label: Row, data: LabelPut, living: int, carrying: int) -> LabelDocument:
        """Do what a request says to a label and to the tasks that carry it; counts nothing if nothing differs."""
        wanted = rules.edited(label, data)
        if wanted.name != label.name and self._has_another(wanted):
            raise LabelExists
        if wanted != label:
            wanted = rules.changed(wanted, self.unit.next_revision(), self.unit.now)
            self.unit.store(label_queries.UPDATE, label=label.id, **_values(wanted))
            if wanted.name != label.name:
                self._change_tasks(label_queries.RENAME_ON_TASKS, label.name, carrying, wanted.revision)
        return self.document(wanted, living)

    def _has_another(self, label: Row) -> bool:
        key = key_of_label(label.name)
        return any(other.id != label.id and key_of_label(other.name) == key for other, *_ in self.labels)

    def make(self, name: str, data: LabelPut, label_id: UUID) -> LabelDocument:
        """Make a label; raises TooManyLabels."""
        if self.count >= MAX_LABELS:
            raise TooManyLabels
        label = rules.new_label(label_id, name, data, self.unit.next_revision(), self.unit.now)
        self.unit.store(label_queries.INSERT, **_values(label))
        return self.document(label, 0, is_new=True)

    def remove(self, label: Row, carrying: int) -> None:
        """Remove a label, and take it off the tasks that carry it."""
        revision = self.unit.next_revision()
        self.unit.store(label_queries.REMOVE, label=label.id)
        self.unit.bury("label", label.id, revision)
        self._change_tasks(label_queries.TAKE_OFF_TASKS, label.name, carrying, revision)

    def _change_tasks(self, statement: Executable, name: str, carrying: int, revision: int) -> None:
        """Change the tasks that carry a label, each with its own revision after the label's."""
        if carrying:
            self.unit.store(statement, label_before=name, label_revision=revision)
            self.unit.next_revision(carrying)

    def document(self, label: Row, task_count: int, *, is_new: bool = False) -> LabelDocument:
        """Return a label as the answer of a change, byte for byte as the list has it."""
        values = {**label._asdict(), "task_count": task_count}
        return LabelDocument(to_json({name: values[name] for name in LabelPublic.model_fields}), label.revision, is_new)


@dataclass(frozen=True, slots=True)
class LabelService:
    """One user's labels. A read is one round trip to the database, a change is two, however many tasks it concerns.

    A change joins `unit`, if there is one.
    """

    sessions: Sessions
    user_id: str
    unit: UnitOfWork | None = None
    new_id: Callable[[], UUID] = uuid7

    @reads
    def list(self, known: tuple[str, ...] | None = ()) -> LabelList:
        """List all labels, in the order of their names without regard to case.

        `known` holds the tags that the client already has; None means any tag. With one of them, nothing is read.
        """
        params = {"principal": self.user_id, "known": None if known is None else list(known)}
        with self.sessions(self.user_id) as session:
            rows = session.exec(label_queries.LIST, params=params)
        tag, json = rows[0] if rows else ("0", "[]")
        return LabelList(json, tag)

    @repeatable
    def put(self, name: str, data: LabelPut) -> LabelDocument:
        """Make a label, or change the one with this name; raises TooManyLabels, ValidationFailed."""
        with unit_of_work(self.sessions, self.user_id, joined=self.unit) as unit:
            loaded = _Loaded.load(unit, name)
            found = loaded.look_up(name)
            rules.refuse_another(data, name, found[0] if found else None)
            if found is None:
                return loaded.make(name, data, self.new_id())
            label, living, carrying = found
            return loaded.change(label, data, living, carrying)

    @repeatable
    def bring(self, data: ImportedLabel, *, only_adds: bool) -> Fate:
        """Make a label as a file says, under its id if that is free, or change the one with this name.

        To look for the id takes a third round trip. Raises TooManyLabels, and PreconditionRequired for a label that
        would change and must not (`only_adds`).
        """
        with unit_of_work(self.sessions, self.user_id, joined=self.unit) as unit:
            loaded = _Loaded.load(unit, data.name)
            color = LabelPut.model_validate(data.model_dump(include={"color"} & data.model_fields_set))
            found = loaded.look_up(data.name)
            if found is None:
                is_taken = bool(unit.read(label_queries.NAME_OF, label=data.id))
                loaded.make(data.name, color, self.new_id() if is_taken else data.id)
                return Fate.CREATED
            label, living, carrying = found
            if rules.edited(label, color) == label:
                return Fate.UNCHANGED
            if only_adds:
                raise PreconditionRequired
            loaded.change(label, color, living, carrying)
            return Fate.UPDATED

    @repeatable
    def update(self, name: str, data: LabelUpdate) -> LabelDocument:
        """Rename a label on all its tasks, or change its colour; raises LabelNotFound, LabelExists.

        Raises ValidationFailed if a label that is sent back whole is another one.
        """
        with unit_of_work(self.sessions, self.user_id, joined=self.unit) as unit:
            loaded = _Loaded.load(unit, name, data.name or name)
            label, living, carrying = loaded.find(name)
            rules.refuse_another(data, name, label)
            return loaded.change(label, data, living, carrying)

    @repeatable
    def delete(self, name: str) -> None:
        """Take a label off all its tasks, and remove it; raises LabelNotFound."""
        with unit_of_work(self.sessions, self.user_id, joined=self.unit) as unit:
            loaded = _Loaded.load(unit, name)
            label, _, carrying = loaded.find(name)
            loaded.remove(label, carrying)


def _values(label: Row) -> dict[str, Any]:
    return {f"label_{name}": value for name, value in label._asdict().items()}
