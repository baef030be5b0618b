"""Sample tasks: plausible, valid, and always the same."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from backend.models.task import Status, TaskCreate
from backend.services.samples.tasks import NAMES, SampleTask, sample_lists, sample_task, sample_token, sample_user
from backend.services.samples.words import DESCRIPTIONS, LABELS, TITLES, WORDS

pytestmark = pytest.mark.requirement("FR-221")


def samples(seed: int = 1, user_id: str = "alice", count: int = 1000) -> list[SampleTask]:
    return [sample_task(seed, user_id, number) for number in range(count)]


def test_a_seed_makes_the_same_tasks_in_every_process_and_another_one_others() -> None:
    assert samples() == samples()
    first = sample_task(1, "alice", 0)
    assert (str(first.id), first.title) == (
        "81cbbb58-860e-5cc0-b447-a7fad7c3c477",
        "Finish the release notes by Friday",
    )
    ids = [task.id for seed in (1, 2) for user_id in ("alice", "bob") for task in samples(seed, user_id)]
    assert len(set(ids)) == len(ids)


def test_each_is_what_a_client_could_have_sent() -> None:
    for task in samples():
        sent = TaskCreate(title=task.title, description=task.description, labels=task.labels)
        assert (sent.title, sent.description, sent.labels) == (task.title, task.description, task.labels)
        assert "{" not in f"{task.title}{task.description}"


def test_their_times_follow_each_other_over_half_a_year() -> None:
    tasks = samples()

    assert all(task.created >= task.updated for task in tasks)
    assert all(task.completed is None or task.completed == task.updated for task in tasks)
    ages = [task.created.days for task in tasks]
    assert min(ages) == 0
    assert 150 < max(ages) < 180


def test_they_are_of_many_kinds() -> None:
    tasks = samples()

    assert len({task.title for task in tasks}) > 300
    assert 0.3 < sum(task.completed is not None for task in tasks) / len(tasks) < 0.7
    assert 0.3 < sum(task.description is None for task in tasks) / len(tasks) < 0.7
    assert 0.3 < sum(task.due is None for task in tasks) / len(tasks) < 0.7
    assert {task.is_due_on_a_day for task in tasks if task.due} == {True, False}
    assert {task.due > timedelta() for task in tasks if task.due} == {True, False}
    assert {len(task.labels) for task in tasks} == {0, 1, 2}
    assert {label for task in tasks for label in task.labels} == {*LABELS}
    assert {task.list_id for task in tasks} == {None, *(sample.id for sample in sample_lists("alice"))}
    assert {task.open_status for task in tasks} == {Status.TODO, Status.IN_PROGRESS, Status.CANCELLED}
    near = [task for task in tasks[:20] if task.due is not None and abs(task.due) < timedelta(hours=48)]
    hours = {(task.due, task.is_due_on_a_day) for task in near if task.completed is None}
    assert {(timedelta(), True), (timedelta(hours=2), False), (timedelta(hours=24), True)} < hours  # today and tomorrow
    assert any(not task.title.isascii() for task in tasks)
    assert any(task.completed is None and task.updated < task.created for task in tasks)


def test_each_list_has_a_colour_and_one_is_shared() -> None:
    lists = sample_lists("alice")

    assert len({sample.color for sample in lists}) == len(lists)
    assert sample_token("alice").list_id in {sample.id for sample in lists}
    assert sample_token("bob").list_id not in {sample.id for sample in lists}


def test_every_word_has_its_place() -> None:
    assert set(re.findall(r"\{(\w+)\}", " ".join(TITLES + DESCRIPTIONS))) == WORDS.keys()


def test_users_have_names_that_are_easy_to_remember() -> None:
    assert [sample_user(number) for number in (1, 2, 10, 11, 12345)] == [
        "alice", "bob", NAMES[-1], "user-0011", "user-12345",
    ]  # fmt: skip
