"""Everything that users may do with one of their lists, and with all tasks that are in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from uuid_utils.compat import uuid7

from backend.database.retry import reads, repeatable
from backend.database.session import Sessions
from backend.errors import PreconditionRequired
from backend.models.base import RowDocument
from backend.models.list import ImportedList, ListCreate, ListsQuery, ListUpdate, TasksOfDeleted
from backend.models.move import Move
from backend.models.task_file import Fate
from backend.models.values.etags import Revisions
from backend.services.lists import queries, rules
from backend.services.lists.rules import Row
from backend.services.resources.reading import Listed, all_rows, one_row
from backend.services.resources.working_set import WorkingSet
from backend.services.tasks import bulk
from backend.services.unit_of_work import UnitOfWork, unit_of_work
from backend.utils.positions import Place


class _Loaded(WorkingSet[Row]):
    """The lists that a change names.

    If they were asked for, `beside` has three numbers of tasks: how many of a list's tasks live, how many went to the
    trash with it, and how many there are.
    """

    def move(self, found: Row, side: str, near: Place) -> Row:
        """Put a list on this side of a place, which takes a round trip to read where others are; raises NoRoom."""
        others = [Place(*row) for row in self.unit.read(queries.OTHERS, list__id=found.id)]
        positions = rules.moved(found, side, near, others)
        self.unit.note_positions(*positions.values())
        kept = self.keep(found._replace(position=positions.pop(found.id, found.position)))
        if positions:
            placed = {"placed_lists": [*positions], "placed_positions": [*positions.values()]}
            self.unit.store(queries.PLACE, list__revision=kept.revision, **placed)
            self._note_places(others, positions)
        return kept

    def _note_places(self, others: Iterable[Place], positions: Mapping[UUID, str]) -> None:
        """Count and note the new positions of lists that make room."""
        before = {each.id: each for each in others}
        for list_id, position in positions.items():
            revision = self.unit.next_revision()
            self.unit.note("list", list_id, revision, before[list_id], Place(position, list_id))

    def trash(self, found: Row, *, to_inbox: bool) -> None:
        """Move a list to the trash along with its living tasks, or take all tasks out of it."""
        numbers = self.beside[found.id]
        self.keep(rules.trashed(found, self.unit.now))
        if to_inbox:
            bulk.empty_list(self.unit, found.id, numbers["everything"], to_trash=False, is_followed=True)
        else:
            bulk.trash_list(self.unit, found.id, numbers["living"])

    def remove_with_tasks(self, found: Row, *, to_inbox: bool) -> None:
        """Remove a list for good, after all tasks have left it; the tokens for it go, too."""
        everything = self.beside[found.id]["everything"]
        bulk.empty_list(self.unit, found.id, everything, to_trash=not to_inbox, is_followed=False)
        self.remove(found)

    def bring_back(self, found: Row, wanted: Row) -> Row:
        """Keep a list as the rules have made it. Out of the trash, it brings the tasks that went along."""
        kept = self.keep(wanted)
        if found.deleted_at is not None:
            bulk.restore_list(self.unit, found.id, found.deleted_at, self.beside[found.id]["gone_along"])
        return kept


@dataclass(frozen=True, slots=True)
class ListService:
    """One user's lists. A read is one round trip to the database, a change is two, however many tasks go along.

    A change joins `unit`, if there is one. `expected` holds the revisions that a list may have, and None means any. A
    list with another revision raises ListChanged.
    """

    sessions: Sessions
    user_id: str
    unit: UnitOfWork | None = None
    new_id: Callable[[], UUID] = uuid7

    @reads
    def list(self, query: ListsQuery, known: tuple[str, ...] | None = ()) -> Listed:
        """List the active lists, the archived ones or those in the trash, in the order of their positions.

        `known` holds the tags that the client already has, and None means any tag. If the data still has such a tag, no
        list is read.
        """
        params = {} if query.deleted else {"archived": query.archived}
        statement = queries.LISTINGS[query.deleted, query.include_counts]
        return all_rows(self.sessions, self.user_id, statement, known, **params)

    @reads
    def get(self, list_id: UUID) -> RowDocument:
        """Read one list that is not in the trash; raises ListNotFound."""
        return one_row(self.sessions, self.user_id, queries.LISTS, list_id)

    def create(self, data: ListCreate, *, only_new: bool = False) -> RowDocument:
        """Make a list under the given id or a new one, or return it if the same request has made it before.

        Raises ListConflict when another list has the id, or one in the trash. Raises ListChanged when any list has it
        and none may (`only_new`), and TooManyLists when the account is full.
        """
        return self._create(data.id or self.new_id(), data, only_new=only_new)

    @repeatable
    def _create(self, list_id: UUID, data: ListCreate, *, only_new: bool) -> RowDocument:
        with self._loaded(list_id) as lists:
            return lists.create(rules.new_list(list_id, data, lists.unit.now), only_new=only_new)

    @repeatable
    def bring(self, data: ImportedList, *, only_adds: bool) -> Fate:
        """Make a list be as a file says, under its id: new, edited, out of the trash with its tasks, or left alone.

        Raises TooManyLists, and PreconditionRequired for a list that would change and must not (`only_adds`).
        """
        with self._loaded(data.id, with_tasks=True) as lists:
            now, found = lists.unit.now, lists.rows.get(data.id)
            if found is None:
                lists.add(rules.new_list(data.id, data, now))
                return Fate.CREATED
            wanted = rules.edited(rules.restored(found), data, now)
            if wanted == found:
                return Fate.UNCHANGED
            if only_adds:
                raise PreconditionRequired
            lists.bring_back(found, wanted)
            return Fate.RESTORED if found.deleted_at else Fate.UPDATED

    @repeatable
    def update(self, list_id: UUID, data: ListUpdate, expected: Revisions | None = None) -> RowDocument:
        """Change only the fields that were sent; raises ListNotFound, and ValidationFailed for another list."""
        rules.refuse_another(data, list_id)
        with self._loaded(list_id) as lists:
            return lists.document(lists.keep(rules.edited(lists.find(list_id, expected), data, lists.unit.now)))

    @repeatable
    def move(self, list_id: UUID, to: Move, expected: Revisions | None = None) -> RowDocument:
        """Put the list where the request says, in three round trips; other lists stay as they are.

        Raises ListNotFound, ValidationFailed for another list that is unknown, and NoRoom.
        """
        named = [to.beside] if to.beside else []
        with self._loaded(list_id, *named) as lists:
            found = lists.find(list_id, expected)
            near = rules.place_beside(to, lists.rows.get(to.beside) if to.beside else None)
            return lists.document(found if to.beside == list_id else lists.move(found, to.side, near))

    @repeatable
    def delete(self, list_id: UUID, expected: Revisions | None = None, *, tasks: str = TasksOfDeleted.TRASH) -> None:
        """Move the list to the trash along with its living tasks, or take all tasks out of it; raises ListNotFound."""
        with self._loaded(list_id, with_tasks=True) as lists:
            lists.trash(lists.find(list_id, expected), to_inbox=tasks == TasksOfDeleted.INBOX)

    @repeatable
    def remove(self, list_id: UUID, expected: Revisions | None = None, *, tasks: str = TasksOfDeleted.TRASH) -> None:
        """Remove the list for good, living or in the trash, and take all tasks out of it.

        The living ones go to the trash or to the inbox. Raises ListNotFound.
        """
        with self._loaded(list_id, with_tasks=True) as lists:
            found = lists.find(list_id, expected, in_trash_too=True)
            lists.remove_with_tasks(found, to_inbox=tasks == TasksOfDeleted.INBOX)

    @repeatable
    def restore(self, list_id: UUID, expected: Revisions | None = None) -> RowDocument:
        """Restore the list with the tasks that went to the trash along with it; raises ListNotFound."""
        with self._loaded(list_id, with_tasks=True) as lists:
            found = lists.find(list_id, expected, in_trash_too=True)
            return lists.document(lists.bring_back(found, rules.restored(found)))

    @contextmanager
    def _loaded(self, *list_ids: UUID, with_tasks: bool = False) -> Iterator[_Loaded]:
        rows = queries.NAMED_WITH_TASKS if with_tasks else queries.NAMED
        with unit_of_work(self.sessions, self.user_id, joined=self.unit) as unit:
            yield _Loaded(queries.LISTS, unit, unit.load(rows, list_ids=[*list_ids]))
