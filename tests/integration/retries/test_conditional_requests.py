"""If-Match and If-None-Match: an edit finds the task in the state its client knows, or changes nothing."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx
import pytest

from backend.config import Settings
from tests.fixtures.calls.api import API, new_user, serve
from tests.fixtures.calls.feed import living
from tests.fixtures.calls.task_files import counts_of, lines_of, report_of, send
from tests.fixtures.calls.tasks import (
    MISSING_ID,
    REQUESTS,
    Task,
    create,
    error_of,
    everything_of,
    path_of,
    read,
    revision_of,
    task_of,
)

AT_ONCE = 50
MANY_TAGS = ", ".join(f'"{number}"' for number in range(100_000, 101_000))  # all headers together may have 16 KiB

Lines = list[tuple[str, str]]


@dataclass(frozen=True)
class Change:
    """A request that changes a task."""

    method: str
    suffix: str = ""
    body: dict[str, object] | None = None

    def send(self, client: httpx.Client, task: Task, *tags: str) -> httpx.Response:
        """Send it, with an If-Match header for each of these values."""
        return self.send_to(client, path_of(task), *tags)

    def send_to(self, client: httpx.Client, path: str, *tags: str) -> httpx.Response:
        """Send it to a path."""
        lines: Lines = [("If-Match", tag) for tag in tags]
        return client.request(self.method, path + self.suffix, json=self.body, headers=lines)


CHANGES = {
    "put": Change("PUT", "", {"title": "mine"}),
    "patch": Change("PATCH", "", {"title": "mine"}),
    "complete": Change("PATCH", "/complete", {"completed": True}),
    "toggle": Change("PATCH", "/complete"),
    "delete": Change("DELETE"),
    "remove": Change("DELETE", "?permanent=true"),
    "restore": Change("POST", "/restore"),
}


@pytest.fixture(params=list(CHANGES.values()), ids=list(CHANGES))
def change(request: pytest.FixtureRequest) -> Change:
    """Every kind of change, one after another."""
    found: Change = request.param
    return found


def tag_of(task: Task) -> str:
    """Return a task's revision as its entity tag."""
    return f'"{task["revision"]}"'


def current_of(response: httpx.Response, *codes: str) -> Task:
    """Return the task in a 412 response with these codes in its details, after checking that its ETag matches."""
    error = error_of(response, 412, "PRECONDITION_FAILED")
    assert [detail["code"] for detail in error["details"]] == [*codes]
    assert response.json().keys() == {"error", "detail", "data"}
    task: Task = response.json()["data"]
    assert response.headers["ETag"] == tag_of(task)
    return task


@pytest.mark.requirement("FR-112")
def test_every_answer_that_holds_one_task_is_tagged_with_its_revision(client: httpx.Client) -> None:
    task = create(client)
    path = path_of(task)
    tags = []
    for method, address, body in [
        ("GET", path, None),
        ("HEAD", path, None),
        ("PUT", path, {"title": "b"}),
        ("PATCH", path, {"title": "c"}),
        ("PATCH", f"{path}/complete", None),
        ("POST", f"{path}/restore", None),
        ("GET", path, None),
    ]:
        tags.append(client.request(method, address, json=body).headers["ETag"])

    assert tags == ['"1"', '"1"', '"2"', '"3"', '"4"', '"4"', '"4"']


@pytest.mark.requirement("FR-113")
def test_a_change_is_made_when_one_of_the_tags_is_the_tasks(client: httpx.Client, change: Change) -> None:
    for matching in [
        ["{tag}"],
        ["*"],
        ['"0",, W/{tag} ,"x"\t, {tag}'],
        ['"x"', "{tag}", 'W/"y"'],
        [MANY_TAGS, "{tag}"],
    ]:
        task = create(client)
        before = revision_of(client)
        tags = [tag.format(tag=tag_of(task)) for tag in matching]

        response = change.send(client, task, *tags)

        assert response.is_success, (tags, response.text)
        assert revision_of(client) == before + (change is not CHANGES["restore"])


@pytest.mark.requirement("FR-113", "FR-114")
def test_a_change_is_not_made_when_none_of_the_tags_is_the_tasks(client: httpx.Client, change: Change) -> None:
    task = task_of(client.put(path_of(create(client)), json={"title": "theirs"}))
    before = everything_of(client)
    for stale in [
        ['"1"'],
        ['W/"2"'],
        ['"02"'],
        ['"a"', '""', '"2-gzip"', '"*"'],
        ['"1", W/"2"', '"3", "99999999999999999999"'],
        [MANY_TAGS],
    ]:
        response = change.send(client, task, *stale)

        assert current_of(response, *(["weak_tag"] if stale == ['W/"2"'] else [])) == task, stale
        assert everything_of(client) == before
        assert read(client, task) == task


@pytest.mark.requirement("FR-113", "FR-136")
def test_a_task_in_the_trash_is_shown_as_such(client: httpx.Client) -> None:
    task = create(client)
    assert client.delete(path_of(task)).status_code == 204
    for change in (CHANGES["restore"], CHANGES["remove"]):
        shown = current_of(change.send(client, task, tag_of(task)))

        assert shown == {**task, "revision": 2, "updated_at": shown["updated_at"], "deleted_at": shown["deleted_at"]}
        assert shown["deleted_at"] >= task["created_at"]
        assert revision_of(client) == 2

    restored = task_of(CHANGES["restore"].send(client, task, tag_of(shown)))
    assert restored == {**task, "revision": 3, "updated_at": restored["updated_at"]}


@pytest.mark.requirement("FR-113", "FR-036")
def test_a_change_that_changes_nothing_still_needs_the_tag(client: httpx.Client) -> None:
    task = create(client)
    for change in (Change("PUT", "", {"title": "Buy milk"}), Change("PATCH", "", {}), Change("POST", "/restore")):
        assert task_of(change.send(client, task, '"1"')) == task
        assert current_of(change.send(client, task, '"2"')) == task
    assert revision_of(client) == 1


@pytest.mark.requirement("FR-114")
def test_a_missing_task_is_the_same_404_with_the_header(client: httpx.Client, change: Change) -> None:
    client.headers["X-Request-Id"] = "the-same"
    gone = create(client)
    assert client.delete(f"{path_of(gone)}?permanent=true").status_code == 204
    for task_id in (MISSING_ID, gone["id"], "not-an-id"):
        without = change.send_to(client, f"/api/tasks/{task_id}")
        assert without.status_code == 404
        for tag in ('"1"', 'W/"1"', "*", '"x"'):
            answer = change.send_to(client, f"/api/tasks/{task_id}", tag)
            assert (answer.status_code, answer.content) == (404, without.content)
            assert "ETag" not in answer.headers
    assert revision_of(client) == 2


@pytest.mark.requirement("FR-114")
def test_a_header_that_is_not_well_formed_is_named(client: httpx.Client, change: Change) -> None:
    task = create(client)
    before = everything_of(client)
    for lines in [["1"], ["secret"], ['"1'], ['"1" "2"'], ["*", "*"], ['"1"', "*"], ['"1"', "secret"], ['w/"1"']]:
        for path in (path_of(task), f"/api/tasks/{MISSING_ID}"):
            response = change.send_to(client, path, *lines)

            (detail,) = error_of(response, 400, "BAD_REQUEST")["details"]
            assert (detail["field"], detail["code"]) == ("header.If-Match", "entity_tag_invalid")
            assert "secret" not in response.text
    assert everything_of(client) == before


@pytest.mark.requirement("FR-113", "FR-052")
def test_what_is_wrong_with_the_request_comes_before_the_precondition(client: httpx.Client) -> None:
    task = create(client)
    for path in (path_of(task), f"/api/tasks/{MISSING_ID}"):
        for change in (
            Change("PUT", "", {"title": ""}),
            Change("PATCH", "", {"unknown": 1}),
            Change("PATCH", "/complete", {}),
            Change("DELETE", "?permanent=yes"),
            Change("POST", "/restore?x=1"),
        ):
            error_of(change.send_to(client, path, '"9"'), 422, "VALIDATION_ERROR")
    assert read(client, task) == task


@pytest.mark.requirement("FR-115")
@pytest.mark.parametrize("name", ["put", "toggle", "delete", "remove", "restore"])
def test_of_many_changes_at_once_that_name_the_same_tag_one_is_made(client: httpx.Client, name: str) -> None:
    task = create(client)
    if name == "restore":
        assert client.delete(path_of(task)).status_code == 204
    revision = revision_of(client)

    def send(number: int) -> httpx.Response:
        change = Change("PUT", "", {"title": str(number)}) if name == "put" else CHANGES[name]
        return change.send(client, task, f'"{revision}"')

    with ThreadPoolExecutor(AT_ONCE) as threads:
        answers = list(threads.map(send, range(AT_ONCE)))

    (made,) = (answer for answer in answers if answer.is_success)
    others = [answer for answer in answers if answer is not made]
    assert {answer.status_code for answer in others} == {404 if name in {"delete", "remove"} else 412}
    assert revision_of(client) == revision + 1
    for answer in others:
        if answer.status_code == 412:
            assert current_of(answer) == task_of(made) == read(client, task)


@pytest.mark.requirement("FR-116")
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_task_that_the_client_has_is_not_sent_again(client: httpx.Client, method: str) -> None:
    task = task_of(client.put(path_of(create(client)), json={"title": "b"}))
    for known in [['"2"'], ['W/"2"'], ["*"], ['"1", "2"'], ['"1"', 'W/"2"'], [MANY_TAGS, '"2"']]:
        response = client.request(method, path_of(task), headers=[("If-None-Match", tag) for tag in known])

        assert (response.status_code, response.content) == (304, b""), known
        assert response.headers["ETag"] == '"2"'
        assert not {"Content-Type", "Content-Length"} & {name.title() for name in response.headers}
    for other in [['"1"'], ['W/"1"', '"3"'], ['"02"'], [MANY_TAGS]]:
        response = client.request(method, path_of(task), headers=[("If-None-Match", tag) for tag in other])
        assert (response.status_code, response.headers["ETag"]) == (200, '"2"')


@pytest.mark.requirement("FR-116", "FR-114")
def test_a_condition_on_reading_is_judged_like_one_on_changing(client: httpx.Client) -> None:
    task = create(client)
    malformed = client.get(path_of(task), headers={"If-None-Match": "1"})
    assert error_of(malformed, 400, "BAD_REQUEST")["details"][0]["field"] == "header.If-None-Match"

    assert client.delete(path_of(task)).status_code == 204
    for path in (path_of(task), f"/api/tasks/{MISSING_ID}"):
        for tag in ("*", '"2"'):
            error_of(client.get(path, headers={"If-None-Match": tag}), 404, "NOT_FOUND")


@pytest.fixture(scope="module")
def strict(settings: Settings) -> Iterator[API]:
    """The service configured to require a precondition for every change."""
    with serve(settings.model_copy(update={"require_if_match": True})) as running:
        yield running


@pytest.mark.requirement("FR-118")
def test_where_it_is_required_nothing_is_changed_without_a_tag(strict: API, change: Change) -> None:
    with strict.client(new_user()) as client:
        task = create(client)  # requires no precondition
        before = everything_of(client)
        for path in (path_of(task), f"/api/tasks/{MISSING_ID}"):
            assert error_of(change.send_to(client, path), 428, "PRECONDITION_REQUIRED")["details"] == []
        assert everything_of(client) == before
        assert read(client, task) == task  # nor does reading

        assert current_of(change.send(client, task, '"2"')) == task
        error_of(change.send_to(client, f"/api/tasks/{MISSING_ID}", "*"), 404, "NOT_FOUND")
        assert change.send(client, task, '"1"').is_success


# Requests that change a task, and need a precondition in strict mode; in a batch, each operation on a task needs one.
ASKING = {
    ("PUT", f"/api/tasks/{MISSING_ID}"),
    ("PATCH", f"/api/tasks/{MISSING_ID}"),
    ("PATCH", f"/api/tasks/{MISSING_ID}/complete"),
    ("POST", f"/api/tasks/{MISSING_ID}/complete"),
    ("DELETE", f"/api/tasks/{MISSING_ID}"),
    ("POST", f"/api/tasks/{MISSING_ID}/restore"),
}


@pytest.mark.requirement("FR-252")
@pytest.mark.parametrize(("method", "path"), REQUESTS, ids=[" ".join(each) for each in REQUESTS])
def test_where_it_is_required_calls_that_change_a_task_ask_and_no_others(strict: API, method: str, path: str) -> None:
    strict.app.state.feed.stream_seconds = 0
    with strict.client(new_user()) as client:
        statuses = {client.request(method, path, headers=lines).status_code for lines in ({}, {"Idempotency-Key": "a"})}
        if (method, path) in ASKING:
            assert statuses == {428}
        else:
            assert 428 not in statuses
            assert max(statuses) < 500


@pytest.mark.requirement("FR-252", "FR-226")
def test_where_it_is_required_an_import_adds_tasks_and_changes_none(strict: API) -> None:
    with strict.client(new_user()) as client:
        same, other, trashed = (create(client, title) for title in ("same", "other", "trashed"))
        assert client.delete(path_of(trashed), headers={"If-Match": "*"}).status_code == 204
        before, new = living(client), str(uuid.uuid4())
        rows = [
            {"id": same["id"], "title": "same"},
            {"id": other["id"], "title": "changed"},
            {"id": trashed["id"], "title": "trashed"},
            {"id": new, "title": "new"},
            {"id": new, "title": "new, and changed"},
            {"title": "without an id"},
        ]
        report = report_of(send(client, lines_of(rows)))

        assert counts_of(report) == {"created": 2, "unchanged": 1, "failed": 3}
        assert [(error["line"], error["field"], error["code"]) for error in report["errors"]] == [
            (line, "id", "precondition_required") for line in (2, 3, 5)
        ]
        after = living(client)
        assert {task_id: after[task_id] for task_id in before} == before
        assert {task["title"] for task in after.values()} == {"same", "other", "new", "without an id"}
