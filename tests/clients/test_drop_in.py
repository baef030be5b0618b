"""The drop-in client in Node.js, against the running service and against faults on the way to it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from backend.config import Settings
from backend.identity.jwt import issue_token
from tests.fixtures.calls.api import API, serve
from tests.fixtures.calls.lists import list_path, make
from tests.fixtures.http.faulty_http import LOST, FaultyProxy, faulty_proxy
from tests.fixtures.identity.tokens import SECRET
from tests.fixtures.node.clients import needs_node
from tests.fixtures.node.drop_in import CLIENT, LIFE, compiled, in_node, token_of

MAX_LINES = 700
TRIES = 5
MANY = 20

pytestmark = needs_node


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder with the compiled use of the client."""
    with compiled() as folder:
        yield folder


@pytest.fixture
def way(api: API) -> Iterator[FaultyProxy]:
    """A way to the service on which things go wrong."""
    with faulty_proxy(api.base_url) as proxy:
        yield proxy


def titles(client: httpx.Client) -> list[str]:
    return [task["title"] for task in client.get("/api/tasks").json()["data"]]


def created(client: httpx.Client, title: str = "Buy milk", **fields: object) -> str:
    return str(client.post("/api/tasks", json={"title": title, **fields}).raise_for_status().json()["data"]["id"])


@pytest.mark.requirement("FR-301")
def test_it_is_one_file_that_needs_no_other() -> None:
    source = CLIENT.read_text(encoding="utf-8")

    assert len(source.splitlines()) <= MAX_LINES
    assert not re.search(r"\bimport[ (]|\brequire\(|\bprocess\.|\bwindow\.|\bdocument\.", source)
    assert re.findall(r"^export (.+)", source, re.MULTILINE) == ["{ TaskApiError, taskApi };"]


@pytest.mark.requirement("FR-301", "FR-302", "FR-305", "FR-565", "FR-566")
def test_it_lives_with_tasks(folder: Path, api: API, user_id: str) -> None:
    assert in_node(folder, "life", api.base_url, token_of(user_id))["got"] == LIFE


@pytest.mark.requirement("FR-303")
def test_an_expired_token_is_renewed_once(folder: Path, way: FaultyProxy, user_id: str) -> None:
    expired = issue_token(SECRET, user_id, ttl_seconds=-60)

    said = in_node(folder, "create", way.address, expired, token_of(user_id))

    assert (said["got"], said["asked"], len(way.requests)) == ("Buy milk", [False, True], 2)


@pytest.mark.requirement("FR-303")
def test_calls_at_the_same_time_share_one_renewal(folder: Path, way: FaultyProxy, user_id: str) -> None:
    expired = issue_token(SECRET, user_id, ttl_seconds=-60)

    said = in_node(folder, "twoAtOnce", way.address, expired, token_of(user_id))

    assert (said["got"], said["asked"]) == ([[], []], [False, True])


@pytest.mark.requirement("FR-303")
@pytest.mark.parametrize("count", [1, 2])
def test_a_token_that_does_not_get_better_is_an_error(folder: Path, way: FaultyProxy, count: int) -> None:
    said = in_node(folder, "listTwice", way.address, *["nonsense"] * count)

    assert [problem["status"] for problem in said["got"]] == [401, 401]
    assert len(way.requests) == 2 * count
    assert said["waits"] == []


@pytest.mark.requirement("FR-303")
def test_it_waits_as_long_as_a_rate_limit_says(folder: Path, user_id: str, settings: Settings) -> None:
    with serve(settings.model_copy(update={"rate_limit": "1/second"})) as slow:
        said = in_node(folder, "twoAtOnce", slow.base_url, token_of(user_id))

    assert said["got"] == [[], []]
    assert said["waits"]
    assert all(1000 <= milliseconds < 2000 for milliseconds in said["waits"])


@pytest.mark.requirement("FR-303")
@pytest.mark.parametrize(("retry_after", "tries"), [("60", TRIES), ("61", 1)])
def test_a_long_wait_is_left_to_the_page(
    folder: Path, way: FaultyProxy, user_id: str, retry_after: str, tries: int
) -> None:
    way.faults, way.retry_after = [429] * MANY, retry_after

    said = in_node(folder, "creation", way.address, token_of(user_id))

    assert (said["got"]["status"], said["got"]["code"], len(way.requests)) == (429, "UNKNOWN", tries)


@pytest.mark.requirement("FR-304")
@pytest.mark.parametrize("fault", [LOST, 502, 503, 504])
def test_a_create_whose_answer_is_lost_makes_one_task(
    folder: Path, way: FaultyProxy, client: httpx.Client, user_id: str, fault: int
) -> None:
    way.faults = [fault, fault]

    said = in_node(folder, "create", way.address, token_of(user_id))

    assert (said["got"], len(way.requests)) == ("Buy milk", 3)
    assert titles(client) == ["Buy milk"]


@pytest.mark.requirement("FR-304")
def test_waits_without_an_answer_grow(folder: Path, way: FaultyProxy, user_id: str) -> None:
    way.faults = [LOST] * MANY

    said = in_node(folder, "creation", way.address, token_of(user_id))

    assert said["got"] == {"status": 0, "code": "NO_ANSWER", "named": True, "id": False}
    assert len(way.requests) == TRIES
    for number, milliseconds in enumerate(said["waits"]):
        assert 250 * 2**number <= milliseconds <= 750 * 2**number


@pytest.mark.requirement("FR-304")
@pytest.mark.parametrize("name", ["changeBoth", "toggle"])
def test_what_may_mean_something_else_the_second_time_is_not_repeated(
    folder: Path, way: FaultyProxy, client: httpx.Client, user_id: str, name: str
) -> None:
    created(client)
    way.faults = [None, LOST]

    assert in_node(folder, name, way.address, token_of(user_id))["got"]["code"] == "NO_ANSWER"
    assert len(way.requests) == 2


@pytest.mark.requirement("FR-304")
def test_a_deletion_whose_answer_is_lost_has_succeeded(
    folder: Path, way: FaultyProxy, client: httpx.Client, user_id: str
) -> None:
    created(client)
    way.faults = [None, LOST]

    assert in_node(folder, "remove", way.address, token_of(user_id))["got"] == []
    assert [line.split()[0] for line in way.requests] == ["GET", "DELETE", "DELETE", "GET"]


@pytest.mark.requirement("FR-305")
def test_a_safe_edit_whose_answer_is_lost_is_not_taken_for_a_conflict(
    folder: Path, way: FaultyProxy, client: httpx.Client, user_id: str
) -> None:
    created(client)
    way.faults = [None, LOST]

    assert in_node(folder, "change", way.address, token_of(user_id))["got"] == "Buy tea"
    assert len(way.requests) == 3


@pytest.mark.requirement("FR-305", "FR-370")
def test_a_safe_move_whose_answer_is_lost_is_not_taken_for_a_conflict(
    folder: Path, way: FaultyProxy, client: httpx.Client, user_id: str
) -> None:
    for title in ("a", "b", "c"):
        created(client, title)
    way.faults = [None, LOST]

    assert in_node(folder, "move", way.address, token_of(user_id))["got"] == ["b", "c", "a"]
    assert len(way.requests) == 4


@pytest.mark.requirement("FR-306")
@pytest.mark.parametrize("size", [700, 1000, 5000])
def test_a_broken_stream_goes_on_and_misses_nothing(
    folder: Path, way: FaultyProxy, client: httpx.Client, user_id: str, size: int
) -> None:
    names = [f"täsk {number}" for number in range(MANY)] + ["last"]
    for name in names:
        created(client, name)
    way.cut_streams_after = size
    way.faults = [None, 503, LOST, 429]

    got = in_node(folder, "follow", way.address, token_of(user_id))["got"]

    assert got == {"seen": names, "later": ["removed"]}
    assert way.requests.count("GET /api/changes/stream") > 4


@pytest.mark.requirement("FR-306")
def test_a_stream_that_falls_silent_is_left_for_another(
    folder: Path, tmp_path: Path, way: FaultyProxy, client: httpx.Client, user_id: str
) -> None:
    impatient = shutil.copytree(folder, tmp_path / "impatient", symlinks=True)
    source = CLIENT.read_text(encoding="utf-8")
    assert source.count("SILENCE_MS = 45_000;") == 1
    (impatient / "task-api.js").write_text(source.replace("45_000;", "1_000;"), encoding="utf-8")
    names = [f"task {number}" for number in range(MANY)] + ["last"]
    for name in names:
        created(client, name)
    way.cut_streams_after, way.is_silent_after = 3000, True

    got = in_node(impatient, "follow", way.address, token_of(user_id))["got"]

    assert got == {"seen": names, "later": ["removed"]}
    assert way.requests.count("GET /api/changes/stream") > 2


@pytest.mark.requirement("FR-306")
def test_a_stream_that_cannot_go_on_is_an_error(folder: Path, api: API, user_id: str) -> None:
    said = in_node(folder, "followFrom", api.base_url, token_of(user_id))

    assert (said["got"]["status"], said["got"]["code"]) == (410, "GONE")


@pytest.mark.requirement("FR-344")
def test_labels_and_lists_are_followed_too(folder: Path, api: API, client: httpx.Client, user_id: str) -> None:
    home = make(client, "Home")
    created(client, "Buy milk", labels=["errand"], list_id=home["id"])
    gone = make(client, "Groceries")
    client.delete(list_path(gone)).raise_for_status()
    created(client, "last")

    got = in_node(folder, "followAll", api.base_url, token_of(user_id))["got"]

    named = [["list", "Home", None], ["label", "errand", None], ["task", "Buy milk", None]]
    assert got == [*named, ["list", None, gone["id"]], ["task", "last", None]]


@pytest.mark.requirement("FR-344")
def test_a_conflict_over_a_list_shows_the_list(folder: Path, api: API, client: httpx.Client, user_id: str) -> None:
    make(client, "Home")

    got = in_node(folder, "changeList", api.base_url, token_of(user_id))["got"]

    assert got == {"status": 412, "list": "Shop", "task": False}


@pytest.mark.requirement("FR-361")
def test_a_task_is_completed_without_its_subtasks(folder: Path, api: API, user_id: str) -> None:
    said = in_node(folder, "completeAlone", api.base_url, token_of(user_id))

    assert said["got"] == ["done", {"total": 1, "done": 0}, {"total": 1, "done": 1}]
