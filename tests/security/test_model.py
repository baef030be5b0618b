"""Random sequences of calls by two users, each answer compared with that of a model in plain Python."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from hypothesis import Phase, given, note, settings
from hypothesis import strategies as st

from backend.utils.auth import issue_token
from tests.fixtures.api import API, new_user
from tests.fixtures.model import CURSOR_REFUSED, Account, Answer, Json, Made, query_refused
from tests.fixtures.tokens import SECRET

CHOSEN_ID = "5db8b1aa-6f2c-4b7e-9a55-0d4c2f1e8a33"
ODD_IDS = (
    CHOSEN_ID.upper(),
    "00000000-0000-7000-8000-000000000000",
    CHOSEN_ID.replace("-", ""),
    f"urn:uuid:{CHOSEN_ID}",
)
WRONG_CURSOR = {"cursor": "nonsense"}
WRONG_QUERIES = (
    WRONG_CURSOR,
    {"limit": 0},
    {"limit": 1001},
    {"limit": "1_0"},
    {"limit": ""},
    {"limit": -1, "page": 2},
    {"page": 2},
)
REQUEST_ID = "the-same"  # for every call, so that refusals can be compared to the last byte
NOTHING = object()  # no body at all, unlike null


def _mostly(usual: st.SearchStrategy[Any], other: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Take the other one time of six; one_of() would count a strategy once, however often it is named."""
    return st.integers(0, 5).flatmap(lambda number: other if number == 5 else usual)


class Long(str):
    """The same character many times; a failing sequence of calls is printed without all of them."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"{self[0]!r} * {len(self)}"


TITLES = st.sampled_from(["Milk", " Milk\u2003", "Bread", "\x1f", "\u200b", Long("M" * 500), Long("\U0001f95b" * 500)])
DESCRIPTIONS = st.sampled_from([None, None, "", "Two", "e\u0301", "\xe9\n ", Long("\U0001f95b" * 10_000)])
OTHER_FIELDS = {"description": DESCRIPTIONS, "completed": st.booleans()}
FIELDS = {"title": TITLES, **OTHER_FIELDS}
NO_TEXTS: list[Any] = [None, 0, 1, 1.5, True, [], {}, "\0", "\0Milk\0", "a\ud800", "\udfff", Long("M" * 10_001)]
DOUBTFUL_TEXTS = st.sampled_from(["", "true", " \u3000\x85", Long("M" * 501), Long("\U0001f95b" * 501)])
DOUBTFUL = st.sampled_from(NO_TEXTS) | DOUBTFUL_TEXTS | st.text(max_size=3)
DOUBTFUL_FIELDS = {name: DOUBTFUL | values for name, values in FIELDS.items()}
UNKNOWN_FIELDS = {name: st.just("x") for name in ("user_id", "revision", "created_at", "deleted_at", "Title", "")}
NO_OBJECTS: st.SearchStrategy[Any] = st.sampled_from([None, [], "Milk", 1, True])
DOUBTFUL_EDITS = st.fixed_dictionaries({}, optional={**DOUBTFUL_FIELDS, **UNKNOWN_FIELDS}) | NO_OBJECTS
GOOD_EDITS = st.fixed_dictionaries({}, optional=FIELDS)
GOOD_TASKS = st.fixed_dictionaries({"title": TITLES}, optional=OTHER_FIELDS)
DOUBTFUL_TASKS = st.fixed_dictionaries({"id": DOUBTFUL}, optional=FIELDS) | DOUBTFUL_EDITS
COMPLETIONS = st.sampled_from([NOTHING, {"completed": True}, {"completed": False}])
USER = st.integers(0, 1)
READING = st.sampled_from(["GET", "HEAD"])
EDITING = st.sampled_from(["PUT", "PATCH"])
JSON_TYPE = st.sampled_from(["application/json", "application/merge-patch+json"])


class TwoUsers:
    """Two users who call the service in turn, and often name each other's tasks, or tasks that are not there."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client
        self.accounts = [Account(new_user()), Account(new_user())]
        self.tokens = [issue_token(SECRET, account.user_id, ttl_seconds=600) for account in self.accounts]
        self.ids: list[str] = []
        self.cursors: list[str | None] = [None]
        self.last_of_page: dict[str | None, Json | None] = {None: None}
        self.refusals: dict[int, bytes] = {}
        for user in (0, 1):
            self.create(user, {"title": "Milk", "id": CHOSEN_ID})
            self.create(user, {"title": "Milk", "completed": True})

    def create(self, user: int, fields: Any) -> None:
        response = self._send(user, "POST", "/api/tasks", fields)
        self._compare(response, self.accounts[user].create(fields, _made(response)))
        if response.is_success:
            self.ids.append(response.json()["data"]["id"])

    def create_again(self, user: int, task: int, fields: Json) -> None:
        self.create(user, {**fields, "id": self._id(task)})

    def edit(self, user: int, task: int, fields: Any, method: str, content_type: str) -> None:
        task_id = self._id(task)
        response = self._send(user, method, f"/api/tasks/{task_id}", fields, **{"Content-Type": content_type})
        self._compare(response, self.accounts[user].edit(task_id, fields, _made(response)))

    def complete(self, user: int, task: int, fields: Any) -> None:
        task_id, account = self._id(task), self.accounts[user]
        response = self._send(user, "PATCH", f"/api/tasks/{task_id}/complete", fields)
        made = _made(response)
        expected = account.toggle(task_id, made) if fields is NOTHING else account.complete(task_id, fields, made)
        self._compare(response, expected)

    def delete(self, user: int, task: int) -> None:
        task_id = self._id(task)
        self._compare(self._send(user, "DELETE", f"/api/tasks/{task_id}"), self.accounts[user].delete(task_id))

    def read(self, user: int, task: int, method: str) -> None:
        task_id = self._id(task)
        self._compare(self._read(user, f"/api/tasks/{task_id}", method), self.accounts[user].read(task_id))

    def list_page(self, user: int, limit: int, page: int, method: str) -> None:
        cursor = self.cursors[page % len(self.cursors)]
        response = self._read(user, "/api/tasks", method, limit=limit, **({"cursor": cursor} if cursor else {}))
        made = _made(response)
        self._compare(response, self.accounts[user].list(limit, self.last_of_page[cursor], made))
        if made.cursor:
            self.cursors.append(made.cursor)
            self.last_of_page[made.cursor] = response.json()["data"][-1]

    def list_wrongly(self, user: int, query: Json, method: str) -> None:
        expected = CURSOR_REFUSED if query == WRONG_CURSOR else query_refused(*query)
        self._compare(self._read(user, "/api/tasks", method, **query), expected)

    def show_account(self, user: int, method: str) -> None:
        self._compare(self._read(user, "/api/me", method), self.accounts[user].show())

    def erase_account(self, user: int) -> None:
        self._compare(self._send(user, "DELETE", "/api/me"), self.accounts[user].erase())

    def _id(self, task: int) -> str:
        """Name a task that anybody has or had, the newest first; or something odd."""
        return ODD_IDS[task % len(ODD_IDS)] if task < 0 else self.ids[-1 - task % len(self.ids)]

    def _send(self, user: int, method: str, path: str, body: Any = NOTHING, **headers: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.tokens[user]}", "X-Request-Id": REQUEST_ID, **headers}
        if body is NOTHING:
            return self.client.request(method, path, headers=headers)
        # json= of the client could not send lone surrogates
        return self.client.request(
            method, path, content=json.dumps(body), headers={"Content-Type": "application/json", **headers}
        )

    def _read(self, user: int, path: str, method: str, **query: Any) -> httpx.Response:
        """Read; and with HEAD, too, which has to answer the same without a body."""
        path = f"{path}?{httpx.QueryParams(query)}" if query else path
        response = self._send(user, "GET", path)
        if method == "HEAD":
            head = self._send(user, "HEAD", path)
            assert (head.status_code, head.content) == (response.status_code, b"")
            assert _constant(head.headers) == _constant(response.headers)
        return response

    def _compare(self, response: httpx.Response, expected: Answer) -> None:
        assert response.status_code == expected.status, response.text
        sent = {name: response.headers[name] for name in ("ETag", "Location") if name in response.headers}
        assert sent == expected.headers
        if expected.code:
            error = response.json()["error"]
            assert (error["code"], error["request_id"]) == (expected.code, REQUEST_ID)
            assert {detail["field"] for detail in error["details"]} == expected.fields
            if not expected.fields:  # a missing task is like any other, whoever may have it
                assert response.content == self.refusals.setdefault(expected.status, response.content)
        elif expected.body is not None:
            assert response.json() == expected.body
        else:
            assert response.content == b""


def _made(response: httpx.Response) -> Made:
    """Learn what the service chose while it answered."""
    if not response.is_success or not response.content:
        return Made()
    answer = response.json()
    if "page" in answer:
        return Made(cursor=answer["page"]["next_cursor"])
    return Made(id=answer["data"]["id"], moment=answer["data"]["updated_at"])


def _constant(headers: httpx.Headers) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name != "date" and not name.startswith("ratelimit")}


TASK = _mostly(st.integers(0, 5), st.integers(-len(ODD_IDS), 20))
CALLS = {
    "show_account": (USER, READING),
    "create": (USER, _mostly(GOOD_TASKS, DOUBTFUL_TASKS)),
    "create_again": (USER, TASK, GOOD_TASKS),
    "edit": (USER, TASK, _mostly(GOOD_EDITS, DOUBTFUL_EDITS), EDITING, JSON_TYPE),
    "complete": (USER, TASK, _mostly(COMPLETIONS, DOUBTFUL_EDITS)),
    "delete": (USER, TASK),
    "read": (USER, TASK, READING),
    "list_page": (USER, st.sampled_from([1, 2, 3, 1000]), st.integers(0, 9), READING),
    "list_wrongly": (USER, st.sampled_from(WRONG_QUERIES), READING),
    "erase_account": (USER,),
}
NAMES = st.sampled_from(  # each as often as it is named here
    ["show_account", "erase_account"]
    + 2 * ["create_again", "read", "list_wrongly"]
    + 3 * ["delete"]
    + 5 * ["create", "complete", "list_page"]
    + 6 * ["edit"]
)
CALL = NAMES.flatmap(lambda name: st.tuples(st.just(name), *CALLS[name]))


@pytest.mark.requirement("FR-093", "FR-011", "FR-035", "FR-036", "FR-052")
def test_random_calls_of_two_users_are_answered_as_the_model_does(api: API) -> None:
    # Without shrinking: it would take minutes, and the refused answer and the calls before it say enough.
    @settings(derandomize=True, database=None, deadline=None, max_examples=25, phases=[Phase.generate])
    @given(st.integers(10, 120).flatmap(lambda count: st.lists(CALL, min_size=count, max_size=count)))
    def check(calls: list[tuple[Any, ...]]) -> None:
        users = TwoUsers(client)
        for name, *arguments in calls:
            note(f"{name}{tuple(arguments)}")
            getattr(users, name)(*arguments)

    with api.client() as client:
        check()
