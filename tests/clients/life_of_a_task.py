"""The whole life of a task, with the client that openapi-python-client generates from the contract: ADDRESS TOKEN."""

from __future__ import annotations

import sys
from http import HTTPStatus
from uuid import UUID

from generated_client import AuthenticatedClient
from generated_client.api.account import export_account, get_account
from generated_client.api.changes import list_changes
from generated_client.api.tasks import (
    batch_tasks,
    complete_task,
    create_task,
    delete_task,
    get_task,
    list_tasks,
    patch_task,
    restore_task,
    update_task,
)
from generated_client.models import (
    Batch,
    BatchAnswer,
    ChangesAnswer,
    CompleteOperation,
    CreateOperation,
    CurrentTaskAnswer,
    DeletedTask,
    DeleteOperation,
    ErrorAnswer,
    FailedResult,
    RestoreOperation,
    StatusWord,
    TaskAnswer,
    TaskCompletion,
    TaskCreate,
    TaskListAnswer,
    TaskPublic,
    TaskResult,
    TaskSort,
    TaskUpdate,
    UpdateOperation,
)
from generated_client.types import UNSET, File, Unset

NO_ID = UUID(int=0)


def create(client: AuthenticatedClient, title: str) -> TaskPublic:
    """Create a task."""
    answer = create_task.sync(client=client, body=TaskCreate(title=title))
    assert isinstance(answer, TaskAnswer), answer
    return answer.data


def read_all(client: AuthenticatedClient, sort: TaskSort) -> list[TaskPublic]:
    """Read a listing page by page."""
    found: list[TaskPublic] = []
    cursor: str | None = None
    while not found or cursor is not None:
        page = list_tasks.sync(client=client, sort=sort, limit=2, cursor=cursor or UNSET, include_total=True)
        assert isinstance(page, TaskListAnswer), page
        assert page.page.total == 3
        found += page.data
        cursor = page.page.next_cursor
    return found


def rename(client: AuthenticatedClient, task: TaskPublic, title: str) -> TaskPublic:
    """Repeat an edit on the current version after another client was faster."""
    answer = update_task.sync(task.id, client=client, body=TaskUpdate(title=title), if_match=f'"{task.revision}"')
    if isinstance(answer, CurrentTaskAnswer):  # 412
        return rename(client, answer.data, title)
    assert isinstance(answer, TaskAnswer), answer
    return answer.data


def edit(client: AuthenticatedClient, milk: TaskPublic) -> None:
    """Edit a task, complete it and reopen it."""
    patched = patch_task.sync(milk.id, client=client, body=TaskUpdate(description="Two litres"))
    assert isinstance(patched, TaskAnswer)
    renamed = rename(client, milk, "Oat milk")
    assert (renamed.title, renamed.description, renamed.deleted_at) == ("Oat milk", "Two litres", UNSET)
    toggled = complete_task.sync(milk.id, client=client)
    assert isinstance(toggled, TaskAnswer)
    assert toggled.data.completed
    reopened = complete_task.sync(milk.id, client=client, body=TaskCompletion(completed=False))
    assert isinstance(reopened, TaskAnswer)
    assert reopened.data.completed_at is None
    assert get_task.sync(milk.id, client=client) == reopened


def work_in_batch(client: AuthenticatedClient, bread: TaskPublic, eggs: TaskPublic) -> None:
    """Run several operations at once, one of which fails."""
    update = UpdateOperation(op="update", id=bread.id, data=TaskUpdate(title="Rye bread"), if_match=bread.revision)
    operations: list[CompleteOperation | CreateOperation | DeleteOperation | RestoreOperation | UpdateOperation] = [
        CreateOperation(op="create", data=TaskCreate(title="Butter")),
        update,
        update,
        DeleteOperation(op="delete", id=eggs.id),
    ]
    answer = batch_tasks.sync(client=client, body=Batch(operations=operations, atomic=False))
    assert isinstance(answer, BatchAnswer)
    created, updated, failed, deleted = answer.data
    assert isinstance(created, TaskResult)
    assert isinstance(updated, TaskResult)
    assert updated.data.title == "Rye bread"
    assert isinstance(failed, FailedResult)
    assert failed.error.code == "PRECONDITION_FAILED"
    assert failed.data == updated.data
    assert deleted.status == HTTPStatus.NO_CONTENT


def read_changes(client: AuthenticatedClient, since: str | Unset = UNSET) -> ChangesAnswer:
    """Read all changes since this sync token, or everything."""
    changes = list_changes.sync(client=client, since=since)
    assert isinstance(changes, ChangesAnswer)
    return changes


def follow(client: AuthenticatedClient, since: str, eggs: TaskPublic) -> None:
    """Read what has changed."""
    changes = read_changes(client, since)
    *others, deleted = changes.data
    edited = [change for change in others if isinstance(change, TaskPublic)]
    assert len(edited) == len(others)
    assert [change.title for change in edited] == ["Oat milk", "Butter", "Rye bread"]
    assert deleted == DeletedTask(id=eggs.id, deleted=True, revision=edited[-1].revision + 1)
    assert read_changes(client, changes.page.next_since).data == []


def delete(client: AuthenticatedClient, eggs: TaskPublic) -> None:
    """Find a task in the trash, restore it, and delete it permanently."""
    trash = list_tasks.sync(client=client, deleted=True)
    assert isinstance(trash, TaskListAnswer)
    assert [task.id for task in trash.data] == [eggs.id]
    assert trash.data[0].deleted_at
    open_ = list_tasks.sync(client=client, status=[StatusWord.TODO, StatusWord.IN_PROGRESS], sort=TaskSort.TITLE)
    assert isinstance(open_, TaskListAnswer)
    assert [task.title for task in open_.data] == ["Butter", "Oat milk", "Rye bread"]
    restored = restore_task.sync(eggs.id, client=client)
    assert isinstance(restored, TaskAnswer)
    assert delete_task.sync_detailed(eggs.id, client=client, permanent=True).status_code == HTTPStatus.NO_CONTENT
    gone = get_task.sync_detailed(eggs.id, client=client)
    assert isinstance(gone.parsed, ErrorAnswer)
    assert (gone.status_code, gone.parsed.error.code) == (HTTPStatus.NOT_FOUND, "NOT_FOUND")


def fail(client: AuthenticatedClient, address: str) -> None:
    """Cause several kinds of errors."""
    blank = create_task.sync(client=client, body=TaskCreate(title=" "))
    assert isinstance(blank, ErrorAnswer)
    assert [detail.field for detail in blank.error.details] == ["title"]
    conflict = create_task.sync(client=client, body=TaskCreate(title="Twice", id=NO_ID))
    again = create_task.sync_detailed(client=client, body=TaskCreate(title="Thrice", id=NO_ID))
    assert isinstance(conflict, TaskAnswer)
    assert (again.status_code, type(again.parsed)) == (HTTPStatus.CONFLICT, ErrorAnswer)
    with AuthenticatedClient(address, "no token of ours") as stranger:
        refused = get_account.sync(client=stranger)
    assert isinstance(refused, ErrorAnswer)
    assert refused.error.code == "UNAUTHORIZED"


def main(address: str, token: str) -> None:
    """Run the whole life of a task."""
    with AuthenticatedClient(address, token, raise_on_unexpected_status=True) as client:
        milk, bread, eggs = (create(client, title) for title in ("Milk", "Bread", "Eggs"))
        assert [task.title for task in read_all(client, TaskSort.TITLE_REVERSED)] == ["Milk", "Eggs", "Bread"]
        since = read_changes(client).page.next_since
        edit(client, milk)
        work_in_batch(client, bread, eggs)
        follow(client, since, eggs)
        delete(client, eggs)
        fail(client, address)
        exported = export_account.sync(client=client)
        assert isinstance(exported, File)
        assert exported.payload.read().splitlines()[-1].startswith(b'{"type":"end"')


main(*sys.argv[1:])
sys.stdout.write("done\n")
