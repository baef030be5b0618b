"""Changes of many tasks at once do to each what the rule about one task says, and what single calls do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import pytest

from backend.database.engine import Engine
from backend.database.session import SessionFactory
from backend.models.label import LabelUpdate
from backend.models.list import ListCreate
from backend.models.task import TaskCreate, TaskUpdate
from backend.services.labels.service import LabelService
from backend.services.lists.service import ListService
from backend.services.tasks import rules
from backend.services.tasks.rules import Row
from backend.services.tasks.service import TaskService
from backend.utils.positions import last_positions
from tests.fixtures.calls.api import new_user
from tests.fixtures.postgres.database import execute
from tests.fixtures.rules.random_accounts import LABELS, LIST, WITH_LIST, Account

pytestmark = pytest.mark.requirement("FR-498")

SEEDS = range(6)
HOME, WORK, _ = LABELS


class Case(NamedTuple):
    """A bulk change: the call, which tasks it changes, and what the rules make of one, whose parent may be there."""

    call: Callable[[ListService, LabelService, UUID], object]
    changes: Callable[[Row], bool]
    rule: Callable[[Row, datetime, bool], Row]
    is_list_in_trash: bool = False


def in_list(task: Row) -> bool:
    return task.list_id == LIST


def has_label(task: Row) -> bool:
    return HOME in task.labels


def left(task: Row, _: datetime, has_parent: bool) -> Row:  # noqa: FBT001 - as all rules of cases
    return rules.left_list(task, has_parent=has_parent)


CASES = {
    "a list goes to the trash": Case(
        lambda lists, _, list_id: lists.delete(list_id),
        lambda task: in_list(task) and task.deleted_at is None,
        lambda task, now, _: rules.trashed(task, now),
    ),
    "a list goes to the trash, its tasks to the inbox": Case(
        lambda lists, _, list_id: lists.delete(list_id, tasks="inbox"), in_list, left
    ),
    "a list is removed, its tasks go to the trash": Case(
        lambda lists, _, list_id: lists.remove(list_id),
        in_list,
        lambda task, now, has_parent: left(task if task.deleted_at else rules.trashed(task, now), now, has_parent),
    ),
    "a list is removed, its tasks go to the inbox": Case(
        lambda lists, _, list_id: lists.remove(list_id, tasks="inbox"), in_list, left
    ),
    "a list is removed out of the trash": Case(
        lambda lists, _, list_id: lists.remove(list_id), in_list, left, is_list_in_trash=True
    ),
    "a list comes back": Case(
        lambda lists, _, list_id: lists.restore(list_id),
        lambda task: in_list(task) and task.deleted_at == WITH_LIST,
        lambda task, _, has_parent: rules.brought_back(task, has_parent=has_parent),
        is_list_in_trash=True,
    ),
    "a label is renamed": Case(
        lambda _, labels, __: labels.update(HOME, LabelUpdate(name="house")),
        has_label,
        lambda task, _, __: rules.relabelled(task, HOME, "house"),
    ),
    "a label is taken off": Case(
        lambda _, labels, __: labels.delete(HOME), has_label, lambda task, _, __: rules.relabelled(task, HOME, None)
    ),
}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_each_task_is_as_the_rule_about_one_says(engine: Engine, module_url: str, case: Case, seed: int) -> None:
    account = Account(module_url, seed, is_list_in_trash=case.is_list_in_trash)
    before, greatest = account.tasks(), account.last_position()
    changing = [task for task in before.values() if case.changes(task)]

    sessions = SessionFactory(engine)
    case.call(ListService(sessions, account.id), LabelService(sessions, account.id), LIST)

    after = account.tasks()
    changed = [after[task.id] for task in sorted(changing, key=_revision)]
    now = account.time_of_last_change()
    beginning = last_positions(now, greatest)
    places = {task.id: f"{beginning}{place:010}1" for place, task in enumerate(sorted(changing, key=_place), start=1)}
    wanted = dict(before)
    for task, made in zip(sorted(changing, key=_revision), changed, strict=True):
        ruled = case.rule(task, now, task.parent_id in before)
        ruled = ruled._replace(revision=made.revision, updated_at=max(now, task.updated_at))
        wanted[task.id] = ruled._replace(position=ruled.position or places[task.id])
    assert after == wanted
    revisions = [task.revision for task in changed]
    assert revisions == [*range(revisions[0], revisions[0] + len(changing))]
    assert revisions[0] > max(task.revision for task in before.values())
    assert account.last_position() >= max([greatest, *(task.position for task in changed if task.list_id is None)])


def _place(task: Row) -> tuple[str, UUID]:
    return task.place


def _revision(task: Row) -> int:
    return task.revision


def test_the_tasks_of_a_list_go_to_the_trash_as_each_would(engine: Engine, module_url: str) -> None:
    for seed in SEEDS:
        at_once, one_by_one = (Account(module_url, seed) for _ in range(2))
        tasks = TaskService(SessionFactory(engine), one_by_one.id, 1000)

        ListService(SessionFactory(engine), at_once.id).delete(LIST)
        for task in _roots(one_by_one, lambda task: in_list(task) and task.deleted_at is None):
            tasks.delete(task.id)

        assert _told(at_once) == _told(one_by_one)


def test_they_go_to_the_inbox_as_each_would(engine: Engine, module_url: str) -> None:
    for seed in SEEDS:
        at_once, one_by_one = (Account(module_url, seed) for _ in range(2))
        tasks = TaskService(SessionFactory(engine), one_by_one.id, 1000)
        before = at_once.tasks()

        ListService(SessionFactory(engine), at_once.id).delete(LIST, tasks="inbox")
        for task in _roots(one_by_one, lambda task: in_list(task) and task.deleted_at is None):
            tasks.update(task.id, TaskUpdate(list_id=None))

        # A task in the trash that is below no living one cannot be edited: it goes when it comes back.
        for task in _roots(one_by_one, lambda task: in_list(task) and task.deleted_at is not None):
            for each in (at_once, one_by_one):
                execute(
                    module_url,
                    "DELETE FROM tasks WHERE user_id = %s AND id = ANY(%s::uuid[])",
                    each.id,
                    _below(before, task),
                )
        assert _told(at_once) == _told(one_by_one)


def test_they_come_back_as_each_would(engine: Engine, module_url: str) -> None:
    for seed in SEEDS:
        at_once, one_by_one = (Account(module_url, seed, is_list_in_trash=True) for _ in range(2))
        tasks = TaskService(SessionFactory(engine), one_by_one.id, 1000)

        ListService(SessionFactory(engine), at_once.id).restore(LIST)
        execute(module_url, "UPDATE lists SET deleted_at = NULL WHERE user_id = %s", one_by_one.id)
        for task in _roots(one_by_one, lambda task: in_list(task) and task.deleted_at == WITH_LIST):
            tasks.restore(task.id)

        assert _told(at_once) == _told(one_by_one)


@pytest.mark.parametrize("new_label", ["house", None])
def test_they_get_other_labels_as_each_would(engine: Engine, module_url: str, new_label: str | None) -> None:
    for seed in SEEDS:
        at_once, one_by_one = (Account(module_url, seed) for _ in range(2))
        labels, tasks = (
            LabelService(SessionFactory(engine), at_once.id),
            TaskService(SessionFactory(engine), one_by_one.id, 1000),
        )
        if new_label:
            labels.update(HOME, LabelUpdate(name=new_label))
        else:
            labels.delete(HOME)
        for task in one_by_one.tasks().values():
            if has_label(task) and task.deleted_at is None:
                said = [new_label if name == HOME else name for name in task.labels]
                tasks.update(task.id, TaskUpdate(labels=[name for name in said if name]))

        living = {task.id for task in one_by_one.tasks().values() if task.deleted_at is None}
        assert [each for each in _told(at_once) if each["id"] in living] == [
            each for each in _told(one_by_one) if each["id"] in living
        ]


@pytest.mark.parametrize("with_list", [True, False])
def test_what_a_subtask_leaves_in_the_trash_stays_there(engine: Engine, module_url: str, *, with_list: bool) -> None:
    sessions, user_id = SessionFactory(engine), new_user()
    lists, tasks = ListService(sessions, user_id), TaskService(sessions, user_id, 1000)
    lists.create(ListCreate(id=LIST, name="Home"))
    top = tasks.create(TaskCreate(title="Top", list_id=LIST)).id
    first, second = (tasks.create(TaskCreate(title="Below", parent_id=top)).id for _ in range(2))

    # The whole tree goes to the trash, by its list or by its top. One subtask brings back the top, and not the other.
    lists.delete(LIST) if with_list else tasks.delete(top)
    tasks.restore(first)
    lists.restore(LIST) if with_list else tasks.restore(top)

    in_trash = execute(module_url, "SELECT id FROM tasks WHERE user_id = %s AND deleted_at IS NOT NULL", user_id)
    assert in_trash == [(str(second),)]


def _roots(account: Account, changes: Callable[[Row], bool]) -> list[Row]:
    """Return the tasks that change and are below none that does, in the order of their places."""
    tasks = account.tasks()
    changing = {task.id: task for task in tasks.values() if changes(task)}
    return sorted((task for task in changing.values() if task.parent_id not in changing), key=_place)


def _below(tasks: dict[UUID, Row], top: Row) -> list[str]:
    """Return the ids of a task and of all below it."""
    found = [top.id]
    for each in found:
        found += [task.id for task in tasks.values() if task.parent_id == each]
    return [str(each) for each in found]


def _told(account: Account) -> list[dict[str, object]]:
    """Return what clients learn of all tasks, in the order of lists: without times and numbers, which differ."""
    tasks = account.tasks().values()
    own = {"updated_at", "revision", "position", "has_subtasks", "request_hash"}
    found = []
    for task in tasks:
        siblings = sorted(
            (each for each in tasks if (each.list_id, each.parent_id) == (task.list_id, task.parent_id)), key=_place
        )
        said = {name: value for name, value in task._asdict().items() if name not in own}
        living = [each.id for each in siblings if each.deleted_at is None]
        place = living.index(task.id) if task.deleted_at is None else None
        found.append(said | {"deleted_at": task.deleted_at is not None, "place": place})
    return sorted(found, key=lambda said: str(said["id"]))
