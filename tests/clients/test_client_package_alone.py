"""What only one of both forms of the Python client does, and that their calls, names and values are the same."""

from __future__ import annotations

import asyncio
import dataclasses
import inspect
import sys
import threading
import typing
from datetime import date, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import task_api_client
from task_api_client import AsyncClient, Client, Task, TaskApiError, async_client, inputs, values
from task_api_client import client as client_module
from task_api_client._core.reading import read

from backend import __version__
from tests.fixtures.calls.api import API
from tests.fixtures.documents.contract import contract, operations
from tests.fixtures.http.client_package import token_of
from tests.fixtures.node.clients import MAY_BE_ABSENT, enumerations, run
from tests.fixtures.running.waiting import until

MANY = 20
SOURCES = Path(client_module.__file__).parent
SCHEMAS = contract()["components"]["schemas"]
GROUPS = ["Client", "Lists", "Labels", "Tokens", "Account", "Auth"]
# What answers, by the names of the contract.
VALUES: dict[type[Any], tuple[str, ...]] = {
    values.Task: ("TaskPublic",),
    values.List: ("ListPublic",),
    values.Label: ("LabelPublic", "LabelInFeed"),
    values.PageInfo: ("PageInfo",),
    values.StatusCounts: ("StatusCounts",),
    values.SubtaskCounts: ("SubtaskCounts",),
    values.Account: ("Account",),
    values.AccessToken: ("NewAccessToken", "AccessTokenPublic"),
    values.ImportReport: ("ImportReport",),
    values.FileProblem: ("RowError", "RowWarning"),
    values.Detail: ("ErrorDetail",),
    values.Problem: ("ErrorBody",),
    values.Result: ("FailedResult", "TaskResult", "OperationResult"),
}
INPUTS = {
    "NewTask": "TaskCreate",
    "TaskChanges": "TaskUpdate",
    "TaskPlace": "TaskMove",
    "Completion": "TaskCompletion",
    "ListChanges": "ListUpdate",
    "Place": "Move",
    "LabelChanges": "LabelUpdate",
    "CreateOperation": "CreateOperation",
    "UpdateOperation": "UpdateOperation",
    "CompleteOperation": "CompleteOperation",
    "DeleteOperation": "DeleteOperation",
    "RestoreOperation": "RestoreOperation",
}
QUERIES = {"TaskQuery": "list_tasks", "SubtaskQuery": "list_subtasks", "ListQuery": "list_lists"}
WORDS = {"Status", "StatusWord", "Priority", "PriorityWord", "ChangeType", "FileFormat", "Scope", "SortOrder"}


@pytest.fixture(autouse=True)
def _no_proxy_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def public(kind: type) -> dict[str, Any]:
    return {name: member for name, member in vars(kind).items() if not name.startswith("_") and callable(member)}


@pytest.mark.requirement("FR-581")
@pytest.mark.parametrize("group", GROUPS)
def test_both_forms_have_the_same_calls_with_the_same_parameters(group: str) -> None:
    plain = public(getattr(client_module, group))
    awaited = public(getattr(async_client, f"Async{group}"))
    awaited["close"] = awaited.pop("aclose", None)
    plain.setdefault("close", None)

    assert plain.keys() == awaited.keys()
    for name in plain.keys() - {"close", "subscribe"}:
        assert inspect.signature(plain[name]) == inspect.signature(awaited[name]), name
        assert inspect.getdoc(plain[name]) == inspect.getdoc(awaited[name])
        assert inspect.getdoc(plain[name])


def _json_kind(schema: dict[str, Any]) -> tuple[Any, bool]:
    """Return the Python type of a schema, and whether it may be null."""
    choices = schema.get("anyOf", [schema])
    is_null = {"type": "null"} in choices
    (schema,) = [choice for choice in choices if choice != {"type": "null"}][:1]
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        kinds = {contract_name: kind for kind, names in VALUES.items() for contract_name in names}
        return kinds.get(name, str), is_null
    if schema["type"] == "array":
        return list[_json_kind(schema["items"])[0]], is_null  # type: ignore[misc]
    formats = {"date": date, "date-time": datetime}
    plain = {"string": str, "integer": int, "boolean": bool}
    return formats.get(schema.get("format", "")) or plain[schema["type"]], is_null


@pytest.mark.requirement("FR-588")
@pytest.mark.parametrize("kind", VALUES, ids=lambda kind: kind.__name__)
def test_a_value_is_what_the_contract_says(kind: type[Any]) -> None:
    hints = typing.get_type_hints(kind)
    fields = {each.name: each for each in dataclasses.fields(kind) if each.name != "extra"}
    shown = [SCHEMAS[name] for name in VALUES[kind]]

    properties = {name: schema for each in shown for name, schema in each["properties"].items()}
    assert fields.keys() == properties.keys()
    for name, schema in properties.items():
        expected, is_null = _json_kind(schema)
        may_be_absent = any(name not in each["required"] for each in shown)
        assert hints[name] == (expected | None if is_null or may_be_absent else expected), name
        assert (fields[name].default is dataclasses.MISSING) != may_be_absent, name
    assert {name for each in VALUES[kind] for name in MAY_BE_ABSENT.get(each, ())} <= fields.keys()


@pytest.mark.requirement("FR-588")
@pytest.mark.parametrize(("name", "schema"), INPUTS.items())
def test_an_input_takes_what_the_contract_takes(name: str, schema: str) -> None:
    taken = getattr(inputs, name)

    assert taken.__annotations__.keys() == SCHEMAS[schema]["properties"].keys()
    required = taken.__required_keys__
    assert required == set(SCHEMAS[schema].get("required", ())) or name == "Completion"


@pytest.mark.requirement("FR-588")
def test_queries_and_words_are_those_of_the_contract() -> None:
    for name, operation in QUERIES.items():
        asked = {each["name"] for each in operations()[operation].document["parameters"] if each["in"] == "query"}
        assert getattr(inputs, name).__annotations__.keys() == asked
    for name in WORDS:
        assert list(typing.get_args(getattr(inputs, name))) == enumerations()[name]
    assert list(typing.get_args(inputs.Sort)) == enumerations()["TaskSort"]


@pytest.mark.requirement("FR-588")
def test_what_a_later_service_adds_is_kept() -> None:
    account = read(values.Account, {"id": "a", "revision": 1, "created_at": None, "timezone": None, "moon": "full"})

    assert account.extra == {"moon": "full"}


@pytest.mark.requirement("FR-588")
@pytest.mark.parametrize("fraction", ["", ".8", ".80956", ".123456"])
def test_moments_are_read_whatever_their_fraction(fraction: str) -> None:
    for zone in ("Z", "+00:00"):
        text = f"2026-11-26T05:37:01{fraction}{zone}"
        read_moment = read(values.Account, {"id": "a", "revision": 1, "created_at": text, "timezone": None})
        assert read_moment.created_at == datetime.fromisoformat(text)


@pytest.mark.requirement("FR-588")
@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ('tasks.list(status="todo").tasks[0].title.upper()', None),
        ('tasks.create("Buy milk", due_date=date.today()).due_at', None),
        ('tasks.list(statsu="todo")', 'Unexpected keyword argument "statsu"'),
        ('tasks.list(status="open")', "incompatible type"),
        ('tasks.update("1", titel="x")', 'Unexpected keyword argument "titel"'),
        ("tasks.get(1)", "incompatible type"),
        ('tasks.get("1").name', 'has no attribute "name"'),
    ],
)
def test_a_misspelled_name_does_not_pass_a_type_checker(tmp_path: Path, line: str, complaint: str | None) -> None:
    begin = "from datetime import date\nfrom task_api_client import Client\n\ntasks = Client('', '')\n"
    (tmp_path / "use.py").write_text(f"{begin}{line}\n")
    (tmp_path / "mypy.ini").write_text("[mypy]\n")
    options = ("--strict", "--config-file=mypy.ini", "--cache-dir=cache")

    said = run(
        *(sys.executable, "-m", "mypy", *options, "use.py"),
        folder=tmp_path,
        may_fail=True,
        MYPYPATH=str(SOURCES.parent),
    )

    assert (complaint or "Success") in said


@pytest.mark.requirement("FR-584")
def test_threads_share_a_renewal(api: API, user_id: str) -> None:
    asked: list[bool] = []
    done: list[object] = []

    def get_token(is_fresh: bool) -> str:  # noqa: FBT001 - as the client calls it
        asked.append(is_fresh)
        return token_of(user_id, 600 if is_fresh else -60)

    with Client(api.base_url, get_token) as client:
        threads = [threading.Thread(target=lambda: done.append(client.list())) for _ in range(MANY)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert (len(done), asked) == (MANY, [False, True])


@pytest.mark.requirement("FR-584")
def test_tasks_share_a_renewal_also_in_one_loop_after_another(api: API, user_id: str) -> None:
    asked: list[bool] = []

    async def get_token(is_fresh: bool) -> str:  # noqa: FBT001 - as the client calls it
        asked.append(is_fresh)
        return token_of(user_id, 600 if is_fresh else -60)

    client = AsyncClient(api.base_url, get_token)

    async def read() -> None:
        async with client:
            await asyncio.gather(*(client.list() for _ in range(MANY)))

    asyncio.run(read())
    asyncio.run(read())

    assert asked == [False, True]


@pytest.mark.requirement("FR-587")
def test_a_given_connection_is_used_and_left_open(api: API, user_id: str) -> None:
    async def read() -> None:
        async with httpx.AsyncClient() as given, AsyncClient(api.base_url, token_of(user_id), http_client=given) as own:
            await own.list()
            await own.aclose()
            assert not given.is_closed

    with httpx.Client() as given:
        with Client(api.base_url, token_of(user_id), http_client=given) as client:
            client.list()
        assert not given.is_closed
    asyncio.run(read())


@pytest.mark.requirement("FR-587")
def test_a_forgotten_close_is_a_warning(api: API, user_id: str) -> None:
    client = Client(api.base_url, token_of(user_id))
    client.list()
    driver = client._driver  # noqa: SLF001 - to close what was forgotten

    with pytest.warns(ResourceWarning, match="Close this client"):
        del client
    driver.close()


@pytest.mark.requirement("FR-586")
def test_a_subscription_tells_of_changes_until_it_is_stopped(api: API, user_id: str) -> None:
    told: list[str] = []
    with Client(api.base_url, token_of(user_id)) as client:
        since = client.list().page.since
        with client.subscribe(lambda change: told.append(change.task.title if change.task else ""), since=since):
            client.create("Buy milk")
            until(lambda: told == ["Buy milk"])
        client.create("Buy tea")
        problems: list[Exception] = []
        client.subscribe(print, since="AAAAAAAPQkA9D7biRDI", on_error=problems.append)
        until(lambda: problems)

    assert told == ["Buy milk"]
    assert isinstance(problems[0], TaskApiError)


@pytest.mark.requirement("FR-586")
def test_a_subscription_may_await_what_it_calls(api: API, user_id: str) -> None:
    told: list[Task | None] = []
    problems: list[Exception] = []

    async def follow() -> None:
        heard = asyncio.Event()

        async def hear(change: values.Change) -> None:
            told.append(change.task)
            heard.set()

        async with AsyncClient(api.base_url, token_of(user_id)) as client:
            since = (await client.list()).page.since
            async with client.subscribe(hear, since=since):
                await client.create("Buy milk")
                await heard.wait()
            failed = asyncio.Event()

            def fail(problem: Exception) -> None:
                problems.append(problem)
                failed.set()

            client.subscribe(print, since="AAAAAAAPQkA9D7biRDI", on_error=fail)
            await failed.wait()

    asyncio.run(follow())

    assert [task.title for task in told if task] == ["Buy milk"]
    assert isinstance(problems[0], TaskApiError)


@pytest.mark.requirement("FR-587")
def test_a_call_that_is_cancelled_leaves_the_client_usable(api: API, user_id: str) -> None:
    async def cancel() -> int:
        began = asyncio.Event()

        async def get_token(_is_fresh: bool) -> str:  # noqa: FBT001 - as the client calls it
            if not began.is_set():
                began.set()
                await asyncio.Event().wait()
            return token_of(user_id)

        async with AsyncClient(api.base_url, get_token) as client:
            call = asyncio.create_task(client.list())
            await began.wait()
            call.cancel()
            await asyncio.wait([call])
            return len((await client.list()).tasks)

    assert asyncio.run(cancel()) == 0


@pytest.mark.requirement("FR-589")
def test_its_version_is_that_of_the_service() -> None:
    assert task_api_client.__version__ == __version__
    log = (SOURCES.parents[1] / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## {__version__}" in log
