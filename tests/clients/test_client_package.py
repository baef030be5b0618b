"""The Python client, with and without async, against the running service and against faults on the way to it."""

from __future__ import annotations

import email.utils
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from task_api_client import (
    Conflict,
    NoAnswer,
    NotFound,
    PreconditionFailed,
    RateLimited,
    Task,
    TaskApiError,
    Unauthorized,
)

from tests.fixtures.calls.api import API
from tests.fixtures.http.client_package import FORMS, first, open_client, token_of, waits_noted
from tests.fixtures.http.faulty_http import LOST, FaultyProxy, faulty_proxy

TRIES = 5
MANY = 20

pytestmark = pytest.mark.parametrize("form", FORMS)


@pytest.fixture(autouse=True)
def _no_proxy_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def tasks(api: API, user_id: str, form: type) -> Iterator[Any]:
    """A client of the service."""
    with open_client(form, api.base_url, token_of(user_id)) as client:
        yield client


@pytest.fixture
def way(api: API) -> Iterator[FaultyProxy]:
    """A way to the service on which things go wrong."""
    with faulty_proxy(api.base_url) as proxy:
        yield proxy


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def faulty(way: FaultyProxy, user_id: str, form: type, waits: list[float]) -> Iterator[Any]:
    """A client on that way, for which waiting takes no time."""
    timing = waits_noted(waits, form, [0.0])
    with open_client(form, way.address, token_of(user_id), timing=timing) as client:
        yield client


@pytest.mark.requirement("FR-581")
def test_it_lives_with_tasks(tasks: Any) -> None:
    milk = tasks.create("Buy milk", due_date=date(2026, 12, 1), labels=["home"])
    assert isinstance(milk, Task)
    assert (milk.title, milk.due_date, milk.labels, milk.extra) == ("Buy milk", date(2026, 12, 1), ["home"], {})
    assert tasks.get(milk.id) == milk
    bread, tea = tasks.batch(
        [
            {"op": "create", "data": {"title": "Buy bread"}},
            {"op": "create", "data": {"title": "Buy tea", "parent_id": milk.id}},
        ]
    )
    assert [task.title for task in tasks.subtasks(milk.id).tasks] == ["Buy tea"]
    assert (bread.status, tasks.move(bread.data.id, after=milk.id).position > milk.position) == (201, True)
    assert tasks.toggle(tea.data.id).completed
    assert tasks.complete(milk.id).status == "done"
    assert not tasks.complete(milk.id, False, cascade=False).completed
    assert tasks.counts(parent_id="none").todo == 2
    tasks.remove(milk.id)
    assert {task.id for task in tasks.list(deleted=True).tasks} == {milk.id, tea.data.id}
    assert tasks.restore(milk.id).title == "Buy milk"
    assert tasks.undo(milk.id, if_match="*").deleted_at is not None
    assert tasks.undo(milk.id).deleted_at is None
    (last,) = tasks.activity(kind="task", limit=1).events
    assert last.before is not None
    assert last.before["deleted_at"] is not None
    assert last.request_id is not None
    assert tasks.undo_request(last.request_id) == 2
    assert tasks.undo(milk.id).title == "Buy milk"
    made = tasks.activity_of(milk.id, verb="created", limit=1)
    assert ([event.verb for event in made.events], made.has_more) == (["created"], False)
    assert [task.title for task in tasks.all(sort="title", status=["todo", "done"])] == [
        "Buy bread",
        "Buy milk",
        "Buy tea",
    ]
    tasks.remove(milk.id, permanent=True)
    assert tasks.request("GET", "/api/me")["id"] == milk.user_id


@pytest.mark.requirement("FR-581")
def test_it_lives_with_lists_labels_tokens_and_the_account(tasks: Any) -> None:
    home = tasks.lists.create("Home", color="#228b22")
    work = tasks.lists.create("Work")
    assert [each.name for each in tasks.lists.list(include_counts=True)] == ["Home", "Work"]
    tasks.lists.move(work.id, before=home.id)
    assert tasks.lists.update(home.id, name="House", if_match=home).name == "House"
    tasks.lists.remove(home.id, tasks="inbox")
    assert tasks.lists.restore(home.id).deleted_at is None
    assert tasks.lists.get(home.id).name == "House"
    tasks.labels.put("errand", color="#aabbcc")
    assert tasks.labels.update("errand", name="way/home").name == "way/home"
    assert [(each.name, each.task_count) for each in tasks.labels.list()] == [("way/home", 0)]
    tasks.labels.remove("way/home")
    token = tasks.tokens.create("Anna", scopes=["tasks:read"], expires_in_days=1, list_id=home.id)
    assert (token.token[:3], [each.token for each in tasks.tokens.list()]) == ("tk_", [None])
    tasks.tokens.remove(token.id)
    assert tasks.account.update(timezone="Europe/Berlin").timezone == "Europe/Berlin"
    assert tasks.import_file(b"title\nBuy milk\n", kind="csv").created == 1
    assert b"Buy milk" in tasks.export_file(kind="ics")
    assert b"Europe/Berlin" in tasks.account.export()
    tasks.account.erase(confirm=tasks.account.get().id)
    assert tasks.list().tasks == []


@pytest.mark.requirement("FR-582")
def test_errors_say_what_is_wrong(tasks: Any, api: API, form: type) -> None:
    task = tasks.create("Buy milk")
    with pytest.raises(TaskApiError) as wrong:
        tasks.create(" ")
    assert (wrong.value.status, wrong.value.code) == (422, "VALIDATION_ERROR")
    assert [detail.field for detail in wrong.value.details] == ["title"]
    assert wrong.value.request_id
    with pytest.raises(Conflict):
        tasks.create("Buy bread", id=task.id)
    tasks.remove(task.id, permanent=True)
    with pytest.raises(NotFound):
        tasks.remove(task.id)
    with open_client(form, api.base_url, "nonsense") as stranger, pytest.raises(Unauthorized):
        stranger.list()


@pytest.mark.requirement("FR-582")
def test_a_conflict_has_what_is_there_now(tasks: Any) -> None:
    seen, home = tasks.create("Buy milk"), tasks.lists.create("Home")
    tasks.update(seen.id, title="Buy oat milk")
    tasks.lists.update(home.id, name="House")

    with pytest.raises(PreconditionFailed) as conflict:
        tasks.update(seen.id, title="Buy soy milk", if_match=seen)
    assert conflict.value.task is not None
    assert (conflict.value.task.title, conflict.value.list) == ("Buy oat milk", None)
    with pytest.raises(PreconditionFailed) as conflict:
        tasks.lists.update(home.id, name="Hut", if_match=home)
    assert conflict.value.list is not None
    assert (conflict.value.list.name, conflict.value.task) == ("House", None)
    assert tasks.update(seen.id, title="Buy soy milk", if_match="*").title == "Buy soy milk"


@pytest.mark.requirement("FR-583")
@pytest.mark.parametrize("fault", [LOST, 502, 503, 504])
def test_whatever_is_lost_is_done_once(faulty: Any, way: FaultyProxy, fault: int) -> None:
    way.faults = [fault, fault]
    task = faulty.create("Buy milk")
    way.faults = [fault]
    assert faulty.toggle(task.id).completed
    way.faults = [fault]
    edited = faulty.update(task.id, title="Buy tea", if_match=faulty.get(task.id))
    assert [each.title for each in faulty.all()] == [edited.title] == ["Buy tea"]
    way.faults = [fault]
    faulty.remove(task.id, permanent=True)
    assert list(faulty.all()) == []


@pytest.mark.requirement("FR-583")
def test_what_means_something_else_the_second_time_is_not_repeated(faulty: Any, way: FaultyProxy) -> None:
    task = faulty.create("Buy milk")
    way.faults, way.requests = [LOST], []

    with pytest.raises(NoAnswer) as lost:
        faulty.update(task.id, status="cancelled", completed=True)
    assert (lost.value.unsure, len(way.requests)) == (True, 1)
    way.faults = [LOST]
    with pytest.raises(NoAnswer):
        faulty.tokens.create("Anna", scopes=["tasks:read"], expires_in_days=1)


@pytest.mark.requirement("FR-583")
def test_it_waits_longer_each_time_and_not_for_ever(faulty: Any, way: FaultyProxy, waits: list[float]) -> None:
    way.faults, way.retry_after = [503] * MANY, ""

    with pytest.raises(TaskApiError) as problem:
        faulty.list()

    assert (problem.value.status, len(way.requests), waits) == (503, TRIES, [0.5, 1, 2, 4])


@pytest.mark.requirement("FR-583")
@pytest.mark.parametrize(("retry_after", "tries"), [("7", TRIES), ("20", 4), ("61", 1)])
def test_a_rate_limit_says_how_long_to_wait(
    faulty: Any, way: FaultyProxy, waits: list[float], retry_after: str, tries: int
) -> None:
    way.faults, way.retry_after = [429] * MANY, retry_after

    with pytest.raises(RateLimited) as limited:
        faulty.tokens.create("Anna", scopes=["tasks:read"], expires_in_days=1)

    assert (len(way.requests), limited.value.retry_after) == (tries, float(retry_after))
    assert waits == [float(retry_after)] * (tries - 1)


@pytest.mark.requirement("FR-583")
def test_a_rate_limit_may_name_a_date(faulty: Any, way: FaultyProxy, waits: list[float]) -> None:
    moment = datetime.now(UTC) + timedelta(seconds=50)
    way.faults, way.retry_after = [429], email.utils.format_datetime(moment, usegmt=True)

    faulty.list()

    assert 0 < waits[0] <= 50


@pytest.mark.requirement("FR-584")
def test_an_expired_token_is_renewed_once(way: FaultyProxy, user_id: str, form: type) -> None:
    asked = []

    def get_token(is_fresh: bool) -> str:  # noqa: FBT001 - as the client calls it
        asked.append(is_fresh)
        return token_of(user_id, 600 if is_fresh else -60)

    with open_client(form, way.address, get_token) as client:
        assert client.create("Buy milk").title == "Buy milk"
        client.list()

    assert (asked, len(way.requests)) == ([False, True], 3)


@pytest.mark.requirement("FR-584")
@pytest.mark.parametrize("count", [1, 2])
def test_a_token_that_does_not_get_better_is_an_error(way: FaultyProxy, form: type, count: int) -> None:
    token = "nonsense" if count == 1 else lambda _is_fresh: "nonsense"
    with open_client(form, way.address, token) as client, pytest.raises(Unauthorized):
        client.list()

    assert len(way.requests) == count


@pytest.mark.requirement("FR-585")
def test_all_pages_are_gone_through(tasks: Any) -> None:
    tasks.import_file(b"".join(b'{"title": "%d"}\n' % number for number in range(1100)))

    page = tasks.list()
    assert (len(page.tasks), page.page.has_more) == (1000, True)
    assert len({task.id for task in tasks.all()}) == 1100
    assert len(tasks.list(limit=100, cursor=page.page.next_cursor).tasks) == 100


@pytest.mark.requirement("FR-586")
def test_changes_go_on_where_a_stream_was_cut(faulty: Any, way: FaultyProxy) -> None:
    titles = [f"Task {number}" for number in range(MANY)]
    for title in titles:
        faulty.create(title)
    way.cut_streams_after, way.faults = 4000, [LOST, 503]

    seen = first(faulty.changes(), MANY * 2, lambda change: change.task.title == titles[-1])

    assert [change.task.title for change in seen] == titles
    assert sum("stream" in request for request in way.requests) > 3


@pytest.mark.requirement("FR-586")
def test_changes_go_on_another_day_with_all_that_is_followed(tasks: Any) -> None:
    milk = tasks.create("Buy milk", labels=["home"])
    tasks.lists.create("Home")
    seen = first(tasks.changes(types=["task", "label", "list"]), 3)
    assert {change.type for change in seen} == {"task", "label", "list"}
    tasks.remove(milk.id)

    (deletion,) = first(tasks.changes(since=seen[-1].since, types=["task", "label", "list"]), 1)

    assert (deletion.type, deletion.deleted, deletion.task) == ("task", milk.id, None)
    with pytest.raises(TaskApiError) as gone:
        next(tasks.changes(since="AAAAAAAPQkA9D7biRDI"))
    assert gone.value.status == 410
