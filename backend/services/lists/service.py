"""Everything that users may do with one of their lists, and with all tasks that are in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Executable
from uuid_utils.compat import uuid7

from backend.database.retry import reads, repeatable
from backend.database.session import Sessions
from backend.errors import ListChanged, ListNotFound, PreconditionRequired, TooManyLists
from backend.models.base import Document
from backend.models.export import ImportedList
from backend.models.list import MAX_LISTS, ListCreate, ListsQuery, ListUpdate, TasksOfDeleted
from backend.models.move import Move
from backend.models.task_file import Fate
from backend.models.values.etags import Revisions
from backend.services.lists import queries, rules
from backend.services.lists.rules import Row
from backend.services.unit_of_work import UnitOfWork, unit_of_work
from backend.utils.positions import Place, last_positions
from backend.utils.postgres_json import to_json


@dataclass(frozen=True, slots=True)
class ListDocument(Document):
    """One list as JSON text, with its revision and id, and whether it was just made."""

    id: UUID
    is_new: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Lists:
    """Lists as the text of a JSON array, None if the client has them; `tag` changes with every write."""

    json: str | None
    tag: str


@dataclass(slots=True)
class _Loaded:
    """How many lists a user has, and the one that a change names, if there is one.

    If they were asked for, `tasks` has the numbers of the list's tasks: the living ones, those that went to the trash
    along with it, and all.
    """

    unit: UnitOfWork
    count: int
    list: Row | None
    tasks: tuple[int, ...] = ()
    named: dict[UUID, Row] = field(default_factory=dict)

    @classmethod
    def load(cls, unit: UnitOfWork, list_id: UUID, *others: UUID, with_tasks: bool = False) -> _Loaded:
        """Lock the user's row, and read the list with this id, and others."""
        rows = queries.NAMED_WITH_TASKS if with_tasks else queries.NAMED
        (count,), found = unit.load_all(rows, list_ids=[list_id, *others])
        end = len(Row._fields)
        named = {row[0]: Row(*row[:end]) for row in found}
        tasks = tuple(found[0][end:]) if with_tasks and found else ()
        return cls(unit, count, named.get(list_id), tasks, named)

    def find(self, expected: Revisions | None, *, in_trash_too: bool = False) -> Row:
        """Return the list; raises ListNotFound, or ListChanged when its revision is not expected."""
        if self.list is None or (self.list.deleted_at is not None and not in_trash_too):
            raise ListNotFound
        if expected is not None and self.list.revision not in expected:
            raise _changed_since(self.list)
        return self.list

    def add(self, new: Row) -> Row:
        """Add a new list; raises TooManyLists."""
        if self.count >= MAX_LISTS:
            raise TooManyLists
        new = new._replace(revision=self.unit.next_revision(), position=self.unit.give_position(new.position))
        self.unit.store(queries.INSERT, **{f"wanted_{name}": value for name, value in new._asdict().items()})
        return new

    def keep(self, wanted: Row, changing: Executable | None = None, number: int = 0) -> Row:
        """Store a list as the rules have made it, and change this number of its tasks; nothing if it is the same."""
        if wanted == self.list:
            return wanted
        wanted = rules.changed(wanted, self.unit.next_revision(), self.unit.now)
        if self.list is None or wanted.position != self.list.position:
            wanted = wanted._replace(position=self.unit.give_position(wanted.position))
        values = {f"wanted_{name}": getattr(wanted, name) for name in queries.CHANGING}
        self.unit.store(queries.UPDATE, list=wanted.id, **values)
        self._change_tasks(wanted, changing, number)
        return wanted

    def move(self, found: Row, side: str, near: Place) -> Row:
        """Put a list on this side of a place, which takes a round trip to read where others are; raises NoRoom."""
        others = [Place(*row) for row in self.unit.read(queries.OTHERS, list=found.id)]
        positions = rules.moved(found, side, near, others)
        self.unit.note_positions(*positions.values())
        wanted = found._replace(position=positions.pop(found.id, found.position))
        kept = self.keep(wanted)
        if positions:
            placed = {"placed_lists": [*positions], "placed_positions": [*positions.values()]}
            self.unit.store(queries.PLACE, list_revision=kept.revision, **placed)
            self.unit.next_revision(len(positions))
        return kept

    def remove(self, removed: Row, changing: Executable, number: int) -> None:
        """Remove a list for good, and change this number of its tasks."""
        revision = self.unit.next_revision()
        self._change_tasks(removed._replace(revision=revision), changing, number, is_followed=False)
        self.unit.store(queries.REMOVE, list=removed.id)
        self.unit.bury("list", removed.id, revision)

    def _change_tasks(self, of: Row, statement: Executable | None, number: int, *, is_followed: bool = True) -> None:
        """Change tasks of the list, each with its own revision after the list's; `is_followed`: by tokens for it."""
        if statement is None or not number:
            return
        params: dict[str, Any] = {"list": of.id, "list_revision": of.revision}
        if statement is queries.RESTORE_TASKS:
            params["trashed_at"] = self.list and self.list.deleted_at
        if statement in queries.TAKING_OUT:
            params["last_positions"] = last_positions(self.unit.now, self.unit.last_position)
            self.unit.note_positions(f"{params['last_positions']}{number:010}1")
        if statement is queries.FREE_TASKS and is_followed:
            self.unit.store(queries.SAY_FREED, **params)
        self.unit.store(statement, **params)
        self.unit.next_revision(number)


@dataclass(frozen=True, slots=True)
class ListService:
    """One user's lists. A read is one round trip to the database, a change is two, however many tasks go along.

    A change joins `unit`, if there is one. `expected` holds the revisions that a list may have; None means any. Others
    raise ListChanged.
    """

    sessions: Sessions
    user_id: str
    unit: UnitOfWork | None = None
    new_id: Callable[[], UUID] = uuid7

    @reads
    def list(self, query: ListsQuery, known: tuple[str, ...] | None = ()) -> Lists:
        """List the active lists, the archived ones or those in the trash, in the order of their positions.

        `known` holds the tags that the client already has; None means any tag. With one of them, nothing is read.
        """
        params: dict[str, Any] = {"principal": self.user_id, "known": None if known is None else [*known]}
        if not query.deleted:
            params["archived"] = query.archived
        with self.sessions(self.user_id) as session:
            rows = session.exec(queries.LISTS[query.deleted, query.include_counts], params=params)
        tag, json = rows[0] if rows else ("0", "[]")
        return Lists(json, tag)

    @reads
    def get(self, list_id: UUID) -> ListDocument:
        """Read one list that is not in the trash; raises ListNotFound."""
        with self.sessions(self.user_id) as session:
            rows = session.exec(queries.GET, params={"principal": self.user_id, "list": list_id})
        if not rows:
            raise ListNotFound
        ((revision, json),) = rows
        return ListDocument(json, revision, list_id)

    def create(self, data: ListCreate, *, only_new: bool = False) -> ListDocument:
        """Make a list under the given id or a new one, or return it if the same request has made it before.

        Raises ListConflict when the id names another list or one in the trash, ListChanged when it names a list and
        must not (`only_new`), TooManyLists when the account is full.
        """
        return self._create(data.id or self.new_id(), data, only_new=only_new)

    @repeatable
    def _create(self, list_id: UUID, data: ListCreate, *, only_new: bool) -> ListDocument:
        with self._loaded(list_id) as loaded:
            if loaded.list is None:
                return _document(loaded.add(rules.new_list(list_id, data, loaded.unit.now)), is_new=True)
            rules.refuse_in_trash(loaded.list)
            if only_new:
                raise _changed_since(loaded.list)
            rules.refuse_other(loaded.list, data)
            return _document(loaded.list, is_new=data.id is None)

    @repeatable
    def bring(self, data: ImportedList, *, only_adds: bool) -> Fate:
        """Make a list be as a file says, under its id: new, edited, out of the trash with its tasks, or left alone.

        Raises TooManyLists, and PreconditionRequired for a list that would change and must not (`only_adds`).
        """
        with self._loaded(data.id, with_tasks=True) as loaded:
            now, found = loaded.unit.now, loaded.list
            if found is None:
                loaded.add(rules.new_list(data.id, data, now))
                return Fate.CREATED
            wanted = rules.edited(rules.restored(found), data, now)
            if wanted == found:
                return Fate.UNCHANGED
            if only_adds:
                raise PreconditionRequired
            if found.deleted_at is None:
                loaded.keep(wanted)
                return Fate.UPDATED
            loaded.keep(wanted, queries.RESTORE_TASKS, loaded.tasks[1])
            return Fate.RESTORED

    @repeatable
    def update(self, list_id: UUID, data: ListUpdate, expected: Revisions | None = None) -> ListDocument:
        """Change only the fields that were sent; raises ListNotFound, and ValidationFailed for another list."""
        rules.refuse_another(data, list_id)
        with self._loaded(list_id) as loaded:
            return _document(loaded.keep(rules.edited(loaded.find(expected), data, loaded.unit.now)))

    @repeatable
    def move(self, list_id: UUID, to: Move, expected: Revisions | None = None) -> ListDocument:
        """Put the list where the request says, in three round trips; other lists stay as they are.

        Raises ListNotFound, ValidationFailed for another list that is unknown, and NoRoom.
        """
        named = [to.beside] if to.beside else []
        with self._loaded(list_id, *named) as loaded:
            found = loaded.find(expected)
            near = rules.place_beside(to, loaded.named.get(to.beside) if to.beside else None)
            return _document(found if to.beside == list_id else loaded.move(found, to.side, near))

    @repeatable
    def delete(self, list_id: UUID, expected: Revisions | None = None, *, tasks: str = TasksOfDeleted.TRASH) -> None:
        """Move the list to the trash along with its living tasks, or take all tasks out of it; raises ListNotFound."""
        with self._loaded(list_id, with_tasks=True) as loaded:
            wanted = rules.trashed(loaded.find(expected), loaded.unit.now)
            living, _, everything = loaded.tasks
            if tasks == TasksOfDeleted.TRASH:
                loaded.keep(wanted, queries.TRASH_TASKS, living)
            else:
                loaded.keep(wanted, queries.FREE_TASKS, everything)

    @repeatable
    def remove(self, list_id: UUID, expected: Revisions | None = None, *, tasks: str = TasksOfDeleted.TRASH) -> None:
        """Remove the list for good, living or in the trash, and take all tasks out of it.

        The living ones go to the trash or to the inbox. Raises ListNotFound.
        """
        with self._loaded(list_id, with_tasks=True) as loaded:
            found = loaded.find(expected, in_trash_too=True)
            changing = queries.TRASH_AND_FREE_TASKS if tasks == TasksOfDeleted.TRASH else queries.FREE_TASKS
            loaded.remove(found, changing, loaded.tasks[2])

    @repeatable
    def restore(self, list_id: UUID, expected: Revisions | None = None) -> ListDocument:
        """Restore the list with the tasks that went to the trash along with it; raises ListNotFound."""
        with self._loaded(list_id, with_tasks=True) as loaded:
            wanted = rules.restored(loaded.find(expected, in_trash_too=True))
            return _document(loaded.keep(wanted, queries.RESTORE_TASKS, loaded.tasks[1]))

    @contextmanager
    def _loaded(self, list_id: UUID, *others: UUID, with_tasks: bool = False) -> Iterator[_Loaded]:
        with unit_of_work(self.sessions, self.user_id, joined=self.unit) as unit:
            yield _Loaded.load(unit, list_id, *others, with_tasks=with_tasks)


def _document(found: Row, *, is_new: bool = False) -> ListDocument:
    return ListDocument(list_json(found), found.revision, found.id, is_new)


def _changed_since(found: Row) -> ListChanged:
    return ListChanged(list_json(found), found.revision)


def list_json(found: Row) -> str:
    """Write a list as JSON, byte for byte as Postgres writes it for reads."""
    names = queries.PUBLIC if found.deleted_at is None else queries.PUBLIC_IN_TRASH
    return to_json({name: getattr(found, name) for name in names})
