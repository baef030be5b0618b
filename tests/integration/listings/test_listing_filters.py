"""Filters of the listing: what they select, alone and together, and what they refuse."""

from __future__ import annotations

import itertools
import random
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.fixtures.calls.listing import store_tasks, titles
from tests.fixtures.calls.moments import MOMENTS
from tests.fixtures.calls.tasks import Task, create, error_of, path_of

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(seconds: int) -> str:
    """Return a time as text."""
    return (START + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def time_of(name: str, task: Task) -> datetime:
    """Parse a time of a task."""
    return datetime.fromisoformat(task[name])


IDS = [str(uuid.UUID(int=number)) for number in range(1, 9)]
FILTERS: dict[str, tuple[str, Callable[[Task], bool]]] = {
    "completed": ("false", lambda task: not task["completed"]),
    "created_after": (at(1), lambda task: time_of("created_at", task) > START + timedelta(seconds=1)),
    "created_before": (at(6), lambda task: time_of("created_at", task) < START + timedelta(seconds=6)),
    "updated_after": (at(2), lambda task: time_of("updated_at", task) > START + timedelta(seconds=2)),
    "updated_before": (at(7), lambda task: time_of("updated_at", task) < START + timedelta(seconds=7)),
    "ids": (",".join(IDS), lambda task: task["id"] in IDS),
    "q": ("milk", lambda task: "milk" in task["title"]),
}


@pytest.mark.requirement("FR-128", "FR-129", "FR-132")
def test_filters_in_any_combination_let_through_what_fits_all_of_them(
    client: httpx.Client, user_id: str, database_url: str
) -> None:
    chance = random.Random(5)  # noqa: S311 - the same each time
    tasks = [
        {"id": id_, "title": chance.choice(["milk", "bread"]), "created_at": at(chance.randrange(8)),
         "updated_at": at(chance.randrange(8)), "completed_at": chance.choice([None, None, at(9)])}
        for id_ in [*IDS, *(str(uuid.uuid4()) for _ in range(40))]
    ]  # fmt: skip
    store_tasks(database_url, user_id, tasks)
    every = client.get("/api/tasks").json()["data"]
    sizes = set()
    for count in (0, 1, 2, 7):
        for names in itertools.combinations(FILTERS, count):
            query = {name: FILTERS[name][0] for name in names}
            answer = client.get("/api/tasks", params={**query, "include_total": "true"}).json()

            assert answer["data"] == [task for task in every if all(FILTERS[name][1](task) for name in names)], names
            assert answer["page"]["total"] == len(answer["data"])
            sizes.add(len(answer["data"]))
    assert len(sizes) > 10


@pytest.mark.requirement("FR-128")
def test_after_and_before_exclude_the_moment_itself(client: httpx.Client) -> None:
    task = create(client, "this")
    for name in ("created", "updated"):
        moment = datetime.fromisoformat(task[f"{name}_at"])
        just_before = (moment - timedelta(microseconds=1)).isoformat()
        just_after = (moment + timedelta(microseconds=1)).isoformat()

        assert titles(client, **{f"{name}_after": moment.isoformat()}) == []
        assert titles(client, **{f"{name}_before": moment.isoformat()}) == []
        assert titles(client, **{f"{name}_after": just_before, f"{name}_before": just_after}) == ["this"]


@pytest.mark.requirement("FR-128")
@pytest.mark.parametrize(
    "moment",
    ["2000-01-01T00:00:00Z", "2000-01-01t00:00:00z", "2000-01-01T00:00:00.1Z", "2000-01-01T00:00:00.123456-00:00",
     "2000-01-01T23:59:59+15:59", "2000-01-01T00:00:00-15:59", "0001-01-01T00:00:00Z", "2000-02-29T12:00:00+05:30"],
)  # fmt: skip
def test_a_moment_may_be_told_in_any_zone(client: httpx.Client, moment: str) -> None:
    create(client, "this")

    assert titles(client, created_after=moment) == ["this"]
    assert titles(client, created_before=moment) == []


@pytest.mark.requirement("FR-128")
def test_zones_are_understood(client: httpx.Client, user_id: str, database_url: str) -> None:
    store_tasks(database_url, user_id, [{"created_at": "2026-06-01T10:00:00+00:00"}])

    for moment, count in {"2026-06-01T11:59:59+02:00": 1, "2026-06-01T12:00:00+02:00": 0}.items():
        assert len(titles(client, created_after=moment)) == count
    for moment, count in {"2026-06-01T04:30:00-05:30": 0, "2026-06-01T04:30:00.000001-05:30": 1}.items():
        assert len(titles(client, created_before=moment)) == count


NO_MOMENTS = [
    "2026-01-01", "2026-01-01T00:00:00", "2026-01-01 00:00", "2026-01-01T00Z", "1767225600", "1.5", "now",
    "infinity", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:60Z", "2026-02-30T00:00:00Z",
    "2026-13-01T00:00:00Z", "0000-01-01T00:00:00Z", "10000-01-01T00:00:00Z", "-001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "2026-01-01T00:00:00+16:00", "2026-01-01T00:00:00-23:59",
    "2026-01-01T00:00:00+020", "2026-01-01T00:00:00+2", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00.1234567891Z",
    "2026-01-01T00:00.5Z", "2026-01-01T00:00:00,5Z", "2026-01-01  00:00Z", "2026-01-01T00:00Z[UTC]",
    "2026-W01-1T00:00:00Z", "20260101T000000Z", "2026-01-01T00:00:00Z ", "\x00",
    "2026-01-01T00:00:00Z\n", "\uff12026-01-01T00:00:00Z", "2026-01-01T00:00:00+02:60", "P1D", "null",
]  # fmt: skip


@pytest.mark.requirement("FR-128")
@pytest.mark.parametrize("name", ["created_after", "created_before", "updated_after", "updated_before"])
def test_what_is_no_moment_is_refused(client: httpx.Client, name: str) -> None:
    for value in NO_MOMENTS:
        error = error_of(client.get("/api/tasks", params={name: value}), 422, "VALIDATION_ERROR")

        assert [(detail["field"], detail["code"]) for detail in error["details"]] == [
            (f"query.{name}", "moment_format")
        ], value


@pytest.mark.requirement("FR-128")
@pytest.mark.parametrize("time", ["T00:00:00", "+00:00"])
def test_a_plus_that_became_a_blank_is_explained(client: httpx.Client, time: str) -> None:
    address = f"/api/tasks?created_after=2026-01-01{time}"

    (detail,) = error_of(client.get(f"{address}+02:00"), 422, "VALIDATION_ERROR")["details"]
    assert "%2B" in detail["message"]
    assert client.get(f"{address}%2B02:00").status_code == 200


@pytest.mark.requirement("FR-374")
@pytest.mark.parametrize("name", ["created_after", "created_before", "updated_after", "due_before", "due_after"])
def test_times_as_other_languages_write_them_are_read_in_parameters(client: httpx.Client, name: str) -> None:
    for written in MOMENTS:
        assert client.get("/api/tasks", params={name: written}).status_code == 200, written


@pytest.mark.requirement("FR-374")
def test_decimals_beyond_microseconds_are_cut_off_in_a_filter(
    client: httpx.Client, user_id: str, database_url: str
) -> None:
    store_tasks(database_url, user_id, [{"created_at": "2026-06-01T10:00:00.000001+00:00"}])

    for decimals, count in {"000000999": 1, "000001999": 0}.items():
        assert len(titles(client, created_after=f"2026-06-01T10:00:00.{decimals}Z")) == count


@pytest.mark.requirement("FR-128")
def test_ids_name_the_tasks_to_list(client: httpx.Client, stranger: httpx.Client) -> None:
    tasks = [create(client, str(number)) for number in range(4)]
    theirs = create(stranger, "theirs")
    client.delete(path_of(tasks[3]))
    ids = [tasks[0]["id"], tasks[2]["id"].upper(), tasks[3]["id"], theirs["id"], str(uuid.uuid4()), tasks[0]["id"]]

    assert titles(client, ids=",".join(ids)) == ["2", "0"]
    assert titles(client, ids=",".join(ids + ids * 15 + ids[:4])) == ["2", "0"]


@pytest.mark.requirement("FR-128")
@pytest.mark.parametrize(
    "ids",
    [",", f"{IDS[0]},", f",{IDS[0]}", f"{IDS[0]}, {IDS[1]}", f"{IDS[0]};{IDS[1]}", "1", f"{{{IDS[0]}}}",
     IDS[0].replace("-", ""), f"urn:uuid:{IDS[0]}", ",".join(IDS[:1] * 101), f"{IDS[0]}\x00", f"{IDS[0]},x"],
)  # fmt: skip
def test_what_are_no_ids_is_refused(client: httpx.Client, ids: str) -> None:
    error = error_of(client.get("/api/tasks", params={"ids": ids}), 422, "VALIDATION_ERROR")

    assert [detail["field"] for detail in error["details"]] == ["query.ids"]


@pytest.mark.requirement("FR-128", "FR-130", "FR-132", "FR-136")
@pytest.mark.parametrize("name", ["completed", "deleted", "include_total", "sort"])
@pytest.mark.parametrize("value", ["1", "yes", "True", "TRUE", "null", "title ", "--title", "title,created_at", "id"])
def test_another_word_than_those_known_is_refused(client: httpx.Client, name: str, value: str) -> None:
    error = error_of(client.get("/api/tasks", params={name: value}), 422, "VALIDATION_ERROR")

    assert [detail["field"] for detail in error["details"]] == [f"query.{name}"]


@pytest.mark.requirement("FR-136")
def test_deleted_tasks_are_listed_apart_with_the_time(client: httpx.Client) -> None:
    kept, gone = create(client, "kept"), create(client, "gone")
    client.delete(path_of(gone))

    (in_trash,) = client.get("/api/tasks?deleted=true").json()["data"]
    assert in_trash.keys() == gone.keys() | {"deleted_at"}
    assert in_trash["title"] == "gone"
    assert in_trash["deleted_at"] == in_trash["updated_at"]
    assert client.get("/api/tasks").json()["data"] == client.get("/api/tasks?deleted=false").json()["data"] == [kept]
    assert titles(client, deleted="true", q="gone", completed="false", ids=gone["id"]) == ["gone"]
    assert titles(client, deleted="true", q="kept") == []
