"""Random sequences of calls by two users; each response is compared with that of a model in plain Python."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import httpx
import pytest
from hypothesis import Phase, given, note, settings
from hypothesis import strategies as st

from backend.identity.jwt import issue_token
from tests.fixtures.calls.api import API, new_user
from tests.fixtures.identity.tokens import SECRET
from tests.fixtures.rules.account import CURSOR_REFUSED, Answer, Made, query_refused
from tests.fixtures.rules.batches import AccountWithBatches, as_result
from tests.fixtures.rules.calls import CALL, CHOSEN_ID, LIST_IDS, NOTHING, ODD_IDS, WRONG_CURSOR, Nth, Said
from tests.fixtures.rules.listings import Json, View

REQUEST_ID = "the-same"  # the same for every call, so that refusals can be compared byte by byte
HEADERS = ("ETag", "Location", "Idempotency-Replayed")
SILENT = Said()
MAX_DETAILS = 20  # that an error shows


class TwoUsers:
    """Two users who take turns to call the service, and often name each other's tasks or missing tasks."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client
        self.accounts = [AccountWithBatches(new_user()), AccountWithBatches(new_user())]
        self.tokens = [issue_token(SECRET, account.user_id, ttl_seconds=600) for account in self.accounts]
        self.ids: list[str] = []
        self.list_ids = [*LIST_IDS]
        self.asked: dict[str, Json] = {}  # the body that created a task or list
        self.tags = ["*"]
        self.pages: list[tuple[str, View, Json]] = []  # cursors, with their listing and the last task of their page
        self.keyed: list[Callable[[], None]] = []  # calls with an Idempotency-Key
        self.refusals: dict[tuple[int, str, str], bytes] = {}
        for user in (0, 1):
            self.create_list(user, {"name": "Home", "id": LIST_IDS[user]}, SILENT)
            self.create_list(user, {"name": "Home", "id": LIST_IDS[2], "archived": True}, SILENT)
            self.create(user, {"title": "Milk"}, SILENT)
            for place in (user, 2, user, user):
                self.create(user, {"title": "Milk", "completed": place == 2, "list_id": LIST_IDS[place]}, SILENT)
            self.delete(user, 0, SILENT)
            self.create(user, {"title": "Milk", "id": CHOSEN_ID, "list_id": LIST_IDS[user]}, SILENT)
            self.create(user, {"title": "Oats", "parent_id": CHOSEN_ID}, SILENT)
            self.create(user, {"title": "Soy", "parent_id": Nth("0")}, SILENT)
            self.complete(user, 2, {"completed": True}, SILENT)
            self.edit(user, 4, {"title": "Bread"}, ("PATCH", "application/json"), SILENT)
            self.delete_list(user, user, False, False, SILENT)
            self.restore_list(user, user, SILENT)

    def create(self, user: int, fields: Any, said: Said) -> None:
        fields = self._resolved(fields)
        self._remember(said, self.create, user, fields)
        headers = {"Idempotency-Key": said.key, "If-None-Match": "*" if said.only_new else None}
        response = self._send(user, "POST", "/api/tasks", fields, headers)
        expected = self.accounts[user].create(fields, _made(response), only_new=said.only_new, key=said.key)
        self._compare(response, expected)
        if response.status_code == httpx.codes.CREATED:
            self.ids.append(response.json()["data"]["id"])
            self.asked[self.ids[-1]] = fields

    def create_again(self, user: int, task: int, fields: Json | None, said: Said) -> None:
        """Create a task under an id that is or was taken: with the original body, or other fields."""
        task_id = self._id(task)
        self.create(user, {**(fields or self.asked.get(task_id, {"title": "Milk"})), "id": task_id}, said)

    def edit(self, user: int, task: int, fields: Any, how: tuple[str, str], said: Said) -> None:
        task_id, expected = self._id_and_tags(user, task, said)
        fields = self._resolved(fields)
        method, content_type = how
        headers = {"Content-Type": content_type, "If-Match": expected}
        response = self._send(user, method, f"/api/tasks/{task_id}", fields, headers)
        self._compare(response, self.accounts[user].edit(task_id, fields, _made(response), expected))

    def complete(self, user: int, task: int | str, fields: Any, said: Said) -> None:
        (task_id, expected), account = self._id_and_tags(user, task, said), self.accounts[user]
        self._remember(replace(said, tags=expected), self.complete, user, task_id, fields)
        headers = {"If-Match": expected, "Idempotency-Key": said.key}
        response = self._send(user, "PATCH", f"/api/tasks/{task_id}/complete", fields, headers)
        made = _made(response)
        if fields is NOTHING:
            self._compare(response, account.toggle(task_id, made, expected, said.key))
        else:
            self._compare(response, account.complete(task_id, fields, made, expected, said.key))

    def delete(self, user: int, task: int, said: Said) -> None:
        task_id, expected = self._id_and_tags(user, task, said)
        response = self._send(user, "DELETE", f"/api/tasks/{task_id}", headers={"If-Match": expected})
        moment = ""
        if response.is_success:  # success does not say when
            (deleted,) = self._send(user, "GET", f"/api/tasks?deleted=true&ids={task_id}").json()["data"]
            moment = deleted["deleted_at"]
        self._compare(response, self.accounts[user].delete(task_id, moment, expected))

    def remove(self, user: int, task: int, said: Said) -> None:
        task_id, expected = self._id_and_tags(user, task, said)
        response = self._send(user, "DELETE", f"/api/tasks/{task_id}?permanent=true", headers={"If-Match": expected})
        self._compare(response, self.accounts[user].remove(task_id, expected))

    def restore(self, user: int, task: int | str, said: Said) -> None:
        task_id, expected = self._id_and_tags(user, task, said)
        self._remember(replace(said, tags=expected), self.restore, user, task_id)
        headers = {"If-Match": expected, "Idempotency-Key": said.key}
        response = self._send(user, "POST", f"/api/tasks/{task_id}/restore", headers=headers)
        self._compare(response, self.accounts[user].restore(task_id, _made(response), expected, said.key))

    def move(self, user: int, task: int | str, to: tuple[str, int | str], body: Json, said: Said) -> None:
        task_id, expected = self._id_and_tags(user, task, said)
        side, beside, body = to[0], self._id(to[1]), self._resolved(body)
        self._remember(replace(said, tags=expected), self.move, user, task_id, (side, beside), body)
        body = {**body, side: beside} if side else body
        headers = {"If-Match": expected, "Idempotency-Key": said.key}
        response = self._send(user, "POST", f"/api/tasks/{task_id}/move", body, headers)
        self._compare(response, self.accounts[user].move(task_id, body, _made(response), expected, said.key))

    def move_list(self, user: int, number: int | str, side: str, other: int | str, said: Said) -> None:
        list_id, expected = self._list_and_tags(user, number, said)
        beside = self._list(other)
        self._remember(replace(said, tags=expected), self.move_list, user, list_id, side, beside)
        body = {side: beside} if side else {}
        headers = {"If-Match": expected, "Idempotency-Key": said.key}
        response = self._send(user, "POST", f"/api/lists/{list_id}/move", body, headers)
        self._compare(response, self.accounts[user].move_list(list_id, body, _made(response), expected, said.key))

    def read(self, user: int, task: int, method: str, said: Said) -> None:
        task_id, known = self._id_and_tags(user, task, said)
        response = self._read(user, f"/api/tasks/{task_id}", method, known)
        self._compare(response, self.accounts[user].read(task_id, known))

    def create_list(self, user: int, fields: Any, said: Said) -> None:
        self._remember(said, self.create_list, user, fields)
        response = self._send(user, "POST", "/api/lists", fields, {"Idempotency-Key": said.key})
        self._compare(response, self.accounts[user].create_list(fields, _made(response), said.key))
        if response.status_code == httpx.codes.CREATED:
            list_id = response.json()["data"]["id"]
            self.asked[list_id] = fields
            self.list_ids += [list_id] if list_id not in self.list_ids else []

    def create_list_again(self, user: int, number: int, said: Said) -> None:
        """Create a list with the body of an earlier one: also that of the other user, or of one that is gone."""
        list_id = self._list(number)
        self.create_list(user, {**self.asked.get(list_id, {"name": "Home"}), "id": list_id}, said)

    def edit_list(self, user: int, number: int, fields: Any, content_type: str, said: Said) -> None:
        list_id, expected = self._list_and_tags(user, number, said)
        headers = {"Content-Type": content_type, "If-Match": expected}
        response = self._send(user, "PATCH", f"/api/lists/{list_id}", fields, headers)
        self._compare(response, self.accounts[user].edit_list(list_id, fields, _made(response), expected))

    def delete_list(self, user: int, number: int, to_inbox: bool, permanent: bool, said: Said) -> None:  # noqa: FBT001 - drawn
        list_id, expected = self._list_and_tags(user, number, said)
        account = self.accounts[user]
        inside = account.in_list(list_id)
        asked = {"tasks": "inbox" if to_inbox else "trash", "permanent": str(permanent).lower()}
        path = f"/api/lists/{list_id}?{httpx.QueryParams(asked)}"
        response = self._send(user, "DELETE", path, headers={"If-Match": expected})
        moment = self._time_of_deletion(user, None if permanent else list_id, inside) if response.is_success else ""
        delete = account.remove_list if permanent else account.delete_list
        self._compare(response, delete(list_id, moment, expected, to_inbox=to_inbox))
        self._compare_all_tasks(user)

    def _time_of_deletion(self, user: int, list_id: str | None, inside: list[str]) -> str:
        """Read what success does not say: when a list, or the last tasks in it, went elsewhere."""
        if list_id:
            in_trash = self._send(user, "GET", "/api/lists?deleted=true").json()["data"]
            return str(next(found["deleted_at"] for found in in_trash if found["id"] == list_id.lower()))
        times = ""
        for place in ("false", "true") if inside else ():
            path = f"/api/tasks?{httpx.QueryParams(deleted=place, ids=','.join(inside))}"
            times = max([times, *(task["updated_at"] for task in self._send(user, "GET", path).json()["data"])])
        return times

    def restore_list(self, user: int, number: int | str, said: Said) -> None:
        list_id, expected = self._list_and_tags(user, number, said)
        self._remember(replace(said, tags=expected), self.restore_list, user, list_id)
        headers = {"If-Match": expected, "Idempotency-Key": said.key}
        response = self._send(user, "POST", f"/api/lists/{list_id}/restore", headers=headers)
        self._compare(response, self.accounts[user].restore_list(list_id, _made(response), expected, said.key))
        self._compare_all_tasks(user)

    def _compare_all_tasks(self, user: int) -> None:
        for view in (View(deleted=True), View(), View(in_archived=False)):
            self.list_page(user, 1000, view, 0, "GET")

    def read_list(self, user: int, number: int, method: str, said: Said) -> None:
        list_id, known = self._list_and_tags(user, number, said)
        response = self._read(user, f"/api/lists/{list_id}", method, known)
        self._compare(response, self.accounts[user].read_list(list_id, known))

    def list_lists(self, user: int, shape: dict[str, bool], tag: int | None, method: str) -> None:
        known = None if tag is None else self.tags[-1 - tag % len(self.tags)]
        asked = {"include_counts" if name == "counts" else name: str(value).lower() for name, value in shape.items()}
        response = self._read(user, f"/api/lists?{httpx.QueryParams(asked)}", method, known)
        made = _made(response)
        self._compare(response, self.accounts[user].list_lists(made, known, **shape))
        self.tags += [made.tag] if response.is_success else []

    def batch(self, user: int, drawn: list[tuple[str, int | None, Json | None, str | None]], atomic: bool) -> None:  # noqa: FBT001 - drawn
        account, operations = self.accounts[user], [self._operation(user, *each) for each in drawn]
        response = self._send(user, "POST", "/api/tasks/batch", {"operations": operations, "atomic": atomic})
        refused = account.batch_refused(operations) if atomic else None
        if refused:
            self._compare(response, refused)
            return
        assert response.status_code == httpx.codes.OK, response.text
        results = response.json()["data"]
        moment = self._time_of_batch(user, operations, results)
        made = [Made(id=result.get("data", {}).get("id", ""), moment=moment) for result in results]
        answers = account.batch_each(operations, made)
        assert [_plain(result) for result in results] == [as_result(*each) for each in enumerate(answers)]
        for operation, result in zip(operations, results, strict=True):
            if result["status"] == httpx.codes.CREATED:
                self.ids.append(result["data"]["id"])
                self.asked[self.ids[-1]] = operation["data"]

    def _operation(self, user: int, name: str, task: int | None, data: Json | None, tags: str | None) -> Json:
        data = self._resolved(data)
        if name == "create":
            return {"op": name, "data": data if task is None else {**(data or {}), "id": self._id(task)}}
        task_id, account = self._id(task or 0), self.accounts[user]
        found = account.tasks.get(task_id) or account.trash.get(task_id)
        expected = Said(tags).expected(found["revision"]) if found else None
        said = {"data": data, "if_match": expected}
        return {"op": name, "id": task_id, **{key: value for key, value in said.items() if value is not None}}

    def _time_of_batch(self, user: int, operations: list[Json], results: list[Json]) -> str:
        """Return the time of all changes of a batch: none of what it answers or has deleted is later."""
        times = [result["data"]["updated_at"] for result in results if "data" in result]
        deleted = {operation["id"] for operation in operations if operation["op"] == "delete"}
        if deleted:
            path = f"/api/tasks?{httpx.QueryParams(deleted='true', ids=','.join(deleted))}"
            times += [task["updated_at"] for task in self._send(user, "GET", path).json()["data"]]
        return max(times, default="")

    def send_again(self, number: int) -> None:
        """Repeat one of the last requests that had an Idempotency-Key."""
        if number <= len(self.keyed):
            self.keyed[-number]()

    def _remember(self, said: Said, call: Callable[..., None], *arguments: Any) -> None:
        if said.key:
            self.keyed.append(partial(call, *arguments, said))

    def list_page(self, user: int, limit: int, view: View | None, page: int, method: str) -> None:
        """Request the first page, or the page after an earlier one: in its own listing or a given one."""
        cursor, its_view, last = self.pages[-page] if 0 < page <= len(self.pages) else (None, view or View(), None)
        view = view if page % 2 and view else its_view
        unfilled = {"q": "", "ids": "", **({} if cursor else {"cursor": ""})} if limit == 2 else {}  # count as absent
        query: Json = {**unfilled, "limit": limit, **view.query, **({"cursor": cursor} if cursor else {})}
        response = self._read(user, f"/api/tasks?{httpx.QueryParams(query)}", method)
        if view.list_id is None and view.sort.endswith("position"):
            self._compare(response, query_refused("sort"))
            return
        if view != its_view:
            self._compare(response, CURSOR_REFUSED)
            return
        made = _made(response)
        self._compare(response, self.accounts[user].list(view, limit, last, made))
        self.tags.append(made.tag)
        if made.cursor:
            self.pages.append((made.cursor, view, response.json()["data"][-1]))

    def list_known(self, user: int, tag: int, method: str) -> None:
        """Request a listing with a tag that either user received for some listing."""
        known = self.tags[-1 - tag % len(self.tags)]
        response = self._read(user, "/api/tasks", method, known)
        self._compare(response, self.accounts[user].list(View(), 1000, None, _made(response), known))

    def list_wrongly(self, user: int, query: Json, method: str) -> None:
        expected = CURSOR_REFUSED if query == WRONG_CURSOR else query_refused(*query)
        self._compare(self._read(user, f"/api/tasks?{httpx.QueryParams(query)}", method), expected)

    def show_account(self, user: int, method: str) -> None:
        self._compare(self._read(user, "/api/me", method), self.accounts[user].show())

    def update_account(self, user: int, fields: Json) -> None:
        response = self._send(user, "PATCH", "/api/me", fields)
        made = Made(moment=response.json()["data"]["created_at"]) if response.is_success else Made()
        self._compare(response, self.accounts[user].update(fields, made))

    def erase_account(self, user: int, named: int | str | None) -> None:
        """Erase an account, confirming with its own id, the other's, another text, or nothing."""
        confirmed = self.accounts[named].user_id if isinstance(named, int) else named
        path = "/api/me" if confirmed is None else f"/api/me?{httpx.QueryParams(confirm=confirmed)}"
        self._compare(self._send(user, "DELETE", path), self.accounts[user].erase(confirmed))

    def _id(self, task: int | str) -> str:
        """Pick the id of an existing or deleted task, newest first, or something odd."""
        if isinstance(task, str):
            return task
        return ODD_IDS[task % len(ODD_IDS)] if task < 0 else self.ids[-1 - task % len(self.ids)]

    def _resolved(self, fields: Any) -> Any:
        """Put the id of a task in place of its number."""
        if isinstance(fields, dict) and isinstance(fields.get("parent_id"), Nth):
            return {**fields, "parent_id": self._id(int(fields["parent_id"]))}
        return fields

    def _list(self, number: int | str) -> str:
        """Pick the id of a list that is, was or may be made, or something odd."""
        if isinstance(number, str):
            return number
        return ODD_IDS[number % len(ODD_IDS)] if number < 0 else self.list_ids[number % len(self.list_ids)]

    def _list_and_tags(self, user: int, number: int | str, said: Said) -> tuple[str, str | None]:
        list_id, account = self._list(number), self.accounts[user]
        found = account.lists.get(list_id.lower()) or account.lists_in_trash.get(list_id.lower())
        return list_id, said.expected(found["revision"] if found else 1)

    def _id_and_tags(self, user: int, task: int | str, said: Said) -> tuple[str, str | None]:
        task_id, account = self._id(task), self.accounts[user]
        found = account.tasks.get(task_id.lower()) or account.trash.get(task_id.lower())
        return task_id, said.expected(found["revision"] if found else 1)

    def _send(
        self, user: int, method: str, path: str, body: Any = NOTHING, headers: dict[str, str | None] | None = None
    ) -> httpx.Response:
        sent = {"Authorization": f"Bearer {self.tokens[user]}", "X-Request-Id": REQUEST_ID}
        sent |= {name: value for name, value in (headers or {}).items() if value is not None}
        if body is NOTHING:
            return self.client.request(method, path, headers=sent)
        # The client's json= could not send lone surrogates.
        return self.client.request(
            method, path, content=json.dumps(body), headers={"Content-Type": "application/json", **sent}
        )

    def _read(self, user: int, path: str, method: str, known: str | None = None) -> httpx.Response:
        """Send a GET, and also a HEAD, which must return the same without a body."""
        headers = {"If-None-Match": known}
        response = self._send(user, "GET", path, headers=headers)
        if method == "HEAD":
            head = self._send(user, "HEAD", path, headers=headers)
            assert (head.status_code, head.content) == (response.status_code, b"")
            assert _constant(head.headers) == _constant(response.headers)
        return response

    def _compare(self, response: httpx.Response, expected: Answer) -> None:
        assert response.status_code == expected.status, response.text
        assert {name: response.headers[name] for name in HEADERS if name in response.headers} == expected.headers
        body: Any = response.json() if response.content else None
        if expected.code:
            error = body.pop("error")
            assert body.pop("detail") == error["message"]
            assert (error["code"], error["request_id"]) == (expected.code, REQUEST_ID)
            named = {detail["field"] for detail in error["details"] if detail["code"] != "weak_tag"}
            assert named <= expected.fields
            assert len(named) == min(len(expected.fields), MAX_DETAILS)
            if not expected.fields and not body:  # what is missing looks the same whether another user has it or not
                case = (expected.status, expected.code, response.request.url.path.split("/")[2])
                assert response.content == self.refusals.setdefault(case, response.content)
            body = body or None  # the content beside the error
        assert body == expected.body


def _made(response: httpx.Response) -> Made:
    """Extract what the service chose for its response."""
    tag = response.headers.get("ETag", "")
    if not response.is_success or not response.content:
        return Made(tag=tag)
    answer = response.json()
    if "page" in answer:
        return Made(cursor=answer["page"]["next_cursor"], tag=tag)
    if isinstance(answer["data"], list):
        return Made(tag=tag)
    return Made(
        id=answer["data"]["id"], moment=answer["data"]["updated_at"], position=answer["data"].get("position", "")
    )


def _plain(result: Json) -> Json:
    """Return the result of an operation, its error without what is for people."""
    if "error" not in result:
        return result
    fields = frozenset(detail["field"] for detail in result["error"]["details"])
    return {**result, "error": (result["error"]["code"], fields)}


def _constant(headers: httpx.Headers) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name != "date" and not name.startswith("ratelimit")}


@pytest.mark.requirement("FR-093", "FR-011", "FR-035", "FR-036", "FR-052")
@pytest.mark.requirement("FR-112", "FR-113", "FR-114", "FR-116", "FR-117", "FR-119", "FR-120", "FR-122", "FR-123")
@pytest.mark.requirement("FR-126", "FR-130", "FR-131", "FR-136", "FR-137")
@pytest.mark.requirement("FR-359", "FR-360", "FR-361", "FR-362", "FR-363")
@pytest.mark.requirement("FR-332", "FR-333", "FR-334", "FR-335", "FR-336", "FR-338", "FR-339", "FR-340")
def test_random_calls_of_two_users_are_answered_as_the_model_does(api: API) -> None:
    # Without shrinking: it would take minutes, and the mismatched response and the calls before it say enough.
    @settings(derandomize=True, database=None, deadline=None, max_examples=25, phases=[Phase.generate])
    @given(st.integers(10, 120).flatmap(lambda count: st.lists(CALL, min_size=count, max_size=count)))
    def check(calls: list[tuple[Any, ...]]) -> None:
        users = TwoUsers(client)
        for name, *arguments in calls:
            note(f"{name}{tuple(arguments)}")
            getattr(users, name)(*arguments)

    with api.client() as client:
        check()
