"""What all resources promise alike. What only tasks, lists, labels or tokens promise is in their own folders."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator

import httpx
import pytest

from backend.config import Settings
from backend.services.registry import RESOURCES
from tests.fixtures.calls.access_tokens import READ, WRITE, make_token, with_token
from tests.fixtures.calls.api import API, serve
from tests.fixtures.calls.exports import stored_of
from tests.fixtures.calls.feed import purge, sync_token
from tests.fixtures.calls.keys import assert_replays, new_key
from tests.fixtures.calls.resources import KINDS, Kind, Row
from tests.fixtures.calls.tasks import error_of, revision_of

FEED = "/api/changes"
ONLY_NEW = {"If-None-Match": "*"}
each = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
each_that_changes = pytest.mark.parametrize("kind", [kind for kind in KINDS.values() if kind.edit], ids=str)
each_with_trash = pytest.mark.parametrize("kind", [kind for kind in KINDS.values() if kind.has_trash], ids=str)
each_with_a_bound = pytest.mark.parametrize("kind", [kind for kind in KINDS.values() if kind.most], ids=str)


@pytest.fixture(scope="module")
def strict(settings: Settings) -> Iterator[API]:
    """A service that requires If-Match."""
    with serve(settings.model_copy(update={"require_if_match": True})) as running:
        yield running


def codes_of(response: httpx.Response, status: int, code: str) -> list[tuple[str, str]]:
    """Return the fields and codes in the details of an error."""
    return [(detail["field"], detail["code"]) for detail in error_of(response, status, code)["details"]]


def feed(client: httpx.Client, kind: Kind, since: int) -> list[Row]:
    """Read the changes of a kind after a revision."""
    response = client.get(FEED, params={"types": kind.name, "since": sync_token(since)})
    assert response.status_code == 200, response.text
    changes: list[Row] = response.json()["data"]
    return changes


def test_each_resource_is_asked() -> None:
    assert {kind.resource for kind in KINDS.values()} == {*RESOURCES}


@pytest.mark.requirement("FR-023", "FR-041", "FR-211", "FR-295", "FR-296", "FR-332", "FR-333")
@each
def test_what_is_made_is_found_and_listed(client: httpx.Client, kind: Kind) -> None:
    assert kind.listed(client) == []

    answer = kind.sent(client, kind.new)

    made = kind.row_of(answer, 201)
    shown = {name: value for name, value in made.items() if name != "token"}
    assert kind.listed(client) == [shown]
    assert revision_of(client) == (kind.first if kind.resource.is_counted else 0)
    if kind.is_tagged:
        assert answer.headers["Location"] == kind.path(made)
        assert client.get(kind.path(made)).text == answer.text


@pytest.mark.requirement("FR-030", "FR-295", "FR-333", "FR-334")
@pytest.mark.parametrize("text", ['a "quoted" \\ text', "\u00fc\U0001f3e0", "a\u200db", "\u2028b"])
@each_that_changes
def test_the_answer_of_a_change_is_written_as_the_row_is_read(client: httpx.Client, kind: Kind, text: str) -> None:
    made = kind.make(client, **{kind.text: text})
    assert made[kind.text] == text.strip()

    changed = client.patch(kind.path(made), json=kind.edit)

    written = json.dumps(changed.json()["data"], ensure_ascii=False, separators=(",", ":"))
    assert changed.text == f'{{"data":{written}}}'
    assert client.get(kind.page).text.startswith(f'{{"data":[{written}]')
    if kind.is_tagged:
        assert client.get(kind.path(made)).text == changed.text


@pytest.mark.requirement("FR-119", "FR-120", "FR-022", "FR-332")
@each_with_trash
def test_a_create_under_an_own_id_may_be_sent_again(client: httpx.Client, stranger: httpx.Client, kind: Kind) -> None:
    body = {**kind.new, "id": str(uuid.uuid4())}
    made = kind.row_of(kind.sent(client, body), 201)

    assert kind.row_of(kind.sent(client, body)) == made
    changed = kind.change(client, made)
    assert kind.row_of(kind.sent(client, body)) == changed
    assert codes_of(kind.sent(client, {**body, **kind.edit}), 409, "CONFLICT") == []
    assert kind.row_of(kind.sent(stranger, body), 201)["id"] == made["id"]
    kind.delete(client, made)
    for headers in ({}, ONLY_NEW):
        for again in (body, {**body, **kind.edit}):
            assert codes_of(kind.sent(client, again, headers), 409, "CONFLICT") == [("id", "in_trash")]
    assert revision_of(client) == 3


@pytest.mark.requirement("FR-117", "FR-332")
@each_with_trash
def test_a_create_that_must_be_new_answers_what_is_there(client: httpx.Client, kind: Kind) -> None:
    body = {**kind.new, "id": str(uuid.uuid4())}
    made = kind.row_of(kind.sent(client, body, ONLY_NEW), 201)
    now = kind.change(client, made)

    for again in (body, {**body, **kind.edit}):
        response = kind.sent(client, again, ONLY_NEW)
        error_of(response, 412, "PRECONDITION_FAILED")
        assert (response.json()["data"], response.headers["ETag"]) == (now, '"2"')
        assert "Location" not in response.headers
    for other in ('"1"', 'W/"1"', "secret", "*, *"):
        ((field, _),) = codes_of(kind.sent(client, body, {"If-None-Match": other}), 400, "BAD_REQUEST")
        assert field == "header.If-None-Match"
    assert revision_of(client) == 2
    assert kind.row_of(kind.sent(client, kind.new, ONLY_NEW), 201)["revision"] == 3


@pytest.mark.requirement("FR-122", "FR-296", "FR-332")
@each_that_changes
def test_a_create_with_a_key_is_done_once(client: httpx.Client, kind: Kind) -> None:
    assert_replays(client, kind.sent(client, kind.new, new_key()))

    assert len(kind.listed(client)) == 1
    assert revision_of(client) == kind.first


@pytest.mark.requirement("FR-122", "FR-336")
@each_with_trash
def test_a_restore_with_a_key_is_done_once(client: httpx.Client, kind: Kind) -> None:
    made = kind.make(client)
    kind.delete(client, made)
    first = client.post(f"{kind.path(made)}/restore", headers=new_key())
    kind.delete(client, made)

    assert_replays(client, first)

    assert kind.listed(client) == []
    assert kind.row_of(first)["revision"] == 3


@pytest.mark.requirement("FR-036", "FR-297", "FR-334")
@each_that_changes
def test_an_edit_changes_what_it_names_and_once(client: httpx.Client, kind: Kind) -> None:
    made = kind.make(client)

    changed = kind.change(client, made)

    assert changed == {**made, **kind.edit, "revision": kind.first + 1, "updated_at": changed["updated_at"]}
    assert changed["updated_at"] > made["updated_at"] == made["created_at"]
    for same in (kind.edit, {}):
        assert kind.change(client, changed, same) == changed
    assert kind.listed(client) == [changed]
    assert revision_of(client) == kind.first + 1


@pytest.mark.requirement("FR-116", "FR-295", "FR-333")
@each_that_changes
def test_a_known_page_is_not_sent_again(client: httpx.Client, kind: Kind) -> None:
    assert client.get(kind.page, headers=ONLY_NEW).status_code == 304
    made = kind.make(client)
    tag = client.get(kind.page).headers["ETag"]
    addresses = [kind.page, *([kind.path(made)] if kind.is_tagged else [])]

    for address in addresses:
        own = client.get(address).headers["ETag"]
        for known in (own, f'"other", W/{own}', "*"):
            answer = client.get(address, headers={"If-None-Match": known})
            assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", own)
    kind.change(client, made)
    for address in addresses:
        assert client.get(address, headers={"If-None-Match": tag}).status_code == 200


@pytest.mark.requirement("FR-113", "FR-114", "FR-336")
@each_with_trash
def test_a_change_is_made_only_to_the_row_that_the_client_knows(client: httpx.Client, kind: Kind) -> None:
    made = kind.make(client)
    now = kind.change(client, made)
    for method, rest, body in kind.calls():
        path = kind.path(made) + rest
        stale = client.request(method, path, json=body, headers={"If-Match": '"1"'})
        error_of(stale, 412, "PRECONDITION_FAILED")
        assert (stale.json()["data"], stale.headers["ETag"]) == (now, '"2"')
        wrong = client.request(method, path, json=body, headers={"If-Match": "2"})
        assert codes_of(wrong, 400, "BAD_REQUEST") == [("header.If-Match", "entity_tag_invalid")]
    assert kind.listed(client) == [now]

    for tag in ('"2"', '"7", "3"', "*"):
        answer = client.patch(kind.path(made), json={kind.text: tag}, headers={"If-Match": tag})
        assert kind.row_of(answer)[kind.text] == tag


@pytest.mark.requirement("FR-118", "FR-336")
@each_with_trash
def test_where_tags_are_required_nothing_changes_without(strict: API, user_id: str, kind: Kind) -> None:
    with strict.client(user_id) as client:
        made = kind.make(client)
        for method, rest, body in kind.calls():
            error_of(client.request(method, kind.path(made) + rest, json=body), 428, "PRECONDITION_REQUIRED")
        assert kind.listed(client) == [made]
        assert client.delete(kind.path(made), headers={"If-Match": '"1"'}).status_code == 204


@pytest.mark.requirement("FR-136", "FR-335")
@each_with_trash
def test_what_was_deleted_comes_back_as_it_was(client: httpx.Client, kind: Kind) -> None:
    made = kind.make(client)
    kind.delete(client, made)

    assert kind.listed(client) == []
    (trashed,) = kind.listed(client, deleted="true")
    deleted_at = trashed.pop("deleted_at")
    assert trashed == {**made, "revision": 2, "updated_at": deleted_at}
    back = kind.restore(client, made)
    assert back == {**made, "revision": 3, "updated_at": back["updated_at"]}
    assert kind.listed(client, deleted="true") == []
    assert kind.restore(client, made) == back
    assert kind.listed(client) == [back]
    assert revision_of(client) == 3


@pytest.mark.requirement("FR-137", "FR-335")
@pytest.mark.parametrize("is_in_trash", [False, True], ids=["living", "in the trash"])
@each_with_trash
def test_what_was_removed_for_good_is_gone(client: httpx.Client, kind: Kind, *, is_in_trash: bool) -> None:
    kept, made = kind.make(client), kind.make(client)
    if is_in_trash:
        kind.delete(client, made)
    before = revision_of(client)

    kind.delete(client, made, permanent="true")

    assert kind.listed(client) == [kept]
    assert kind.listed(client, deleted="true") == []
    error_of(client.post(f"{kind.path(made)}/restore"), 404, "NOT_FOUND")
    error_of(client.delete(f"{kind.path(made)}?permanent=true"), 404, "NOT_FOUND")
    assert revision_of(client) == before + 1
    gone = {"id": made["id"], "deleted": True, "revision": before + 1}
    assert feed(client, kind, before) == [{"type": kind.name, "data": gone}]
    assert kind.make(client, id=made["id"])["id"] == made["id"]


@pytest.mark.requirement("FR-012", "FR-136", "FR-298", "FR-300", "FR-214", "FR-337")
@each
def test_what_is_missing_deleted_or_anothers_is_the_same(
    client: httpx.Client, stranger: httpx.Client, user_id: str, database_url: str, kind: Kind
) -> None:
    mine, gone = kind.make(client, **{kind.text: "mine"}), kind.make(stranger, **{kind.text: "gone"})
    kind.delete(stranger, gone)
    before = stored_of(database_url, user_id)
    stranger.headers["X-Request-Id"] = "the-same"
    for method, rest, body in [*kind.calls(), *([("GET", "", None)] if kind.is_tagged else [])]:
        paths = [kind.path(mine), *kind.paths_of_none(mine)]
        if not rest:
            paths.append(kind.path(gone))
        answers = [stranger.request(method, path + rest, json=body) for path in paths]
        error_of(answers[0], 404, "NOT_FOUND")
        assert {(answer.status_code, answer.content) for answer in answers} == {(404, answers[0].content)}
    assert stored_of(database_url, user_id) == before


@pytest.mark.requirement("FR-213", "FR-300", "FR-337")
@each
def test_personal_access_tokens_need_the_scope(api: API, client: httpx.Client, kind: Kind) -> None:
    made = kind.make(client)
    reading, writing = (make_token(client, scope)["token"] for scope in (READ, WRITE))
    before = [row["id"] for row in kind.listed(client)]
    with with_token(api, reading) as reader, with_token(api, writing) as writer:
        assert reader.get(kind.page).status_code == (200 if kind.is_for_tokens else 403)
        error_of(writer.get(kind.page), 403, "FORBIDDEN")
        error_of(kind.sent(reader, kind.new), 403, "FORBIDDEN")
        for method, rest, body in kind.calls():
            error_of(reader.request(method, kind.path(made) + rest, json=body), 403, "FORBIDDEN")
        assert [row["id"] for row in kind.listed(client)] == before
        assert writer.delete(kind.path(made)).status_code == (204 if kind.is_for_tokens else 403)


@pytest.mark.requirement("FR-217", "FR-296", "FR-332")
@each_with_a_bound
def test_a_user_has_so_many_and_room_again_when_one_goes(
    client: httpx.Client, stranger: httpx.Client, user_id: str, database_url: str, kind: Kind
) -> None:
    assert kind.most
    number, code = kind.most
    first = kind.make(client)
    kind.fill(database_url, user_id, number)

    error = error_of(kind.sent(client, {**kind.new, kind.text: "one more"}), 409, "CONFLICT")
    assert [detail["code"] for detail in error["details"]] == [code]
    kind.make(stranger)
    assert len(kind.listed(client)) == number
    if kind.is_named:
        kind.row_of(kind.sent(client, kind.new))  # it is there
    kind.delete(client, first, **({"permanent": "true"} if kind.has_trash else {}))
    kind.make(client, **{kind.text: "one more"})


@pytest.mark.requirement("FR-137", "FR-335", "FR-343")
@each_with_trash
def test_the_purge_forgets_what_was_long_in_the_trash(
    api: API, client: httpx.Client, user_id: str, database_url: str, kind: Kind
) -> None:
    made, kept = kind.make(client), kind.make(client)
    kind.delete(client, made)

    assert purge(api, database_url, user_id)

    assert kind.listed(client, deleted="true") == []
    assert kind.listed(client) == [kept]
    error_of(client.post(f"{kind.path(made)}/restore"), 404, "NOT_FOUND")
    error_of(client.get(FEED, params={"types": kind.name, "since": sync_token(2)}), 410, "GONE")


@pytest.mark.requirement("FR-299", "FR-343")
@each_that_changes
def test_the_feed_reports_each_change(client: httpx.Client, kind: Kind) -> None:
    def reported(row: Row, since: int) -> bool:
        whole = {name: value for name, value in row.items() if name != "task_count"}
        return feed(client, kind, since) == [{"type": kind.name, "data": whole}]

    made = kind.make(client)
    assert reported(made, 0)
    changed = kind.change(client, made)
    assert reported(changed, kind.first)
    kind.delete(client, made)
    gone = {"id": made["id"], "deleted": True, "revision": kind.first + 2}
    assert feed(client, kind, kind.first + 1) == [{"type": kind.name, "data": gone}]
    if kind.has_trash:
        assert reported(kind.restore(client, made), kind.first + 2)
