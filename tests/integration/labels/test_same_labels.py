"""Names of the same label: in calls, in listings, and among labels that a release before has made."""

from __future__ import annotations

import json

import httpx
import pytest

from backend.models.values.label_names import key_of_label, name_key_of
from tests.fixtures.calls.api import new_user
from tests.fixtures.calls.labels import counts, label_of, label_path, listed, put, rename
from tests.fixtures.calls.listing import titles
from tests.fixtures.calls.task_files import LINES
from tests.fixtures.calls.tasks import create, error_of, path_of, read, revision_of, task_of
from tests.fixtures.postgres.database import execute

ISTANBUL = "\u0130stanbul"
# As a service of the release before makes labels.
MAKE = """
INSERT INTO labels (user_id, id, name, name_key, revision)
SELECT %s, gen_random_uuid(), name, key, 1 FROM unnest(%s::text[], %s::text[]) AS made (name, key)
ON CONFLICT DO NOTHING
"""
RENAME = "UPDATE labels SET name = %s, name_key = %s WHERE user_id = %s AND name = %s"
KEYS = "SELECT name, match_key FROM labels WHERE user_id = %s"


def make_before(url: str, user_id: str, *names: str) -> None:
    """Make labels as a service of the release before does; a name whose key there is already is left out."""
    execute(url, MAKE, user_id, list(names), [name_key_of(name) for name in names])


@pytest.mark.requirement("FR-414")
@pytest.mark.parametrize("other", ["istanbul", "ISTANBUL", "\u0131stanbul", "\uff29stanbul", "istan\u200bbul"])
def test_all_ways_in_take_another_spelling_for_the_same_label(client: httpx.Client, other: str) -> None:
    put(client, ISTANBUL)
    task = create(client, "a", labels=[other, ISTANBUL])

    assert task["labels"] == [ISTANBUL]
    assert put(client, other, 200, color="#123456")["name"] == ISTANBUL
    for name in ("labels", "labels_any"):
        assert titles(client, **{name: other}) == ["a"]
        assert titles(client, **{name: f"{other},{ISTANBUL}"}) == ["a"]
    put(client, "home")
    error_of(client.patch(label_path("home"), json={"name": other}), 409, "CONFLICT")
    assert rename(client, other, other)["name"] == other
    assert read(client, task)["labels"] == [other]
    assert client.delete(label_path(ISTANBUL)).status_code == 204
    assert counts(client) == {"home": 0}


@pytest.mark.requirement("FR-414")
def test_labels_of_the_release_before_are_found_by_the_new_rule(
    client: httpx.Client, user_id: str, database_url: str
) -> None:
    create(client)
    make_before(database_url, user_id, ISTANBUL, "to  do")

    assert create(client, "b", labels=["istanbul", "to do"])["labels"] == [ISTANBUL, "to  do"]
    # That release also renames, and knows nothing of the key.
    execute(database_url, RENAME, "\u0130zmir", name_key_of("\u0130zmir"), user_id, ISTANBUL)
    assert create(client, labels=["izmir", "istanbul"])["labels"] == ["\u0130zmir", "istanbul"]


@pytest.mark.requirement("FR-414")
def test_labels_that_were_different_before_are_each_found_by_their_own_name(
    client: httpx.Client, user_id: str, database_url: str
) -> None:
    create(client)
    make_before(database_url, user_id, ISTANBUL, "istanbul")
    for name in (ISTANBUL, "istanbul"):
        assert create(client, name, labels=[name])["labels"] == [name]
        assert put(client, name, 200, color="#123456")["name"] == name
        for filtered in ("labels", "labels_any"):
            assert titles(client, **{filtered: name}) == [name]
    assert create(client, "third", labels=["ISTANBUL"])["labels"] == ["istanbul"]
    assert titles(client, labels=f"{ISTANBUL},istanbul") == []
    assert titles(client, labels="ISTANBUL", sort="title") == ["istanbul", "third"]
    before = revision_of(client)

    for name, new in ((ISTANBUL, "ISTANBUL"), ("istanbul", ISTANBUL), (ISTANBUL, "istanbul")):
        error_of(client.patch(label_path(name), json={"name": new}), 409, "CONFLICT")
    assert revision_of(client) == before
    assert client.delete(label_path("istanbul")).status_code == 204
    assert counts(client) == {ISTANBUL: 1}
    assert label_of(client.patch(label_path("istanbul"), json={"name": "Ankara"}))["name"] == "Ankara"
    assert counts(client) == {"Ankara": 1}


@pytest.mark.requirement("FR-414")
def test_a_task_that_carries_two_labels_of_before_keeps_both(
    client: httpx.Client, user_id: str, database_url: str
) -> None:
    task = create(client, labels=["home"])
    make_before(database_url, user_id, ISTANBUL, "istanbul")
    both = [ISTANBUL, "istanbul"]
    execute(database_url, "UPDATE tasks SET labels = %s WHERE user_id = %s", both, user_id)
    stored = read(client, task)

    assert task_of(client.patch(path_of(task), json={"title": "another"}))["labels"] == both
    whole = {**stored, "title": "whole", "labels": both[::-1]}
    assert task_of(client.put(path_of(task), json=whole))["labels"] == both[::-1]
    operation = {"op": "update", "id": task["id"], "data": {"title": "batch", "labels": both}}
    assert client.post("/api/tasks/batch", json={"operations": [operation]}).is_success
    client.post(
        "/api/tasks/import", content=json.dumps({"id": task["id"], "title": "file"}), headers={"Content-Type": LINES}
    )
    assert (read(client, task)["title"], read(client, task)["labels"]) == ("file", both)
    assert titles(client, labels=f"{ISTANBUL},istanbul") == titles(client, labels_any="ISTANBUL") == ["file"]
    assert task_of(client.patch(path_of(task), json={"labels": ["ISTANBUL"]}))["labels"] == ["istanbul"]


@pytest.mark.requirement("FR-414")
def test_another_spelling_means_the_first_label_by_name_everywhere(
    client: httpx.Client, user_id: str, database_url: str
) -> None:
    create(client)
    make_before(database_url, user_id, "ai", "A\u0130")
    other = "A\u0131"

    assert create(client, "task", labels=[other])["labels"] == ["A\u0130"]
    assert titles(client, labels=other) == titles(client, labels_any=f"{other},none") == ["task"]
    assert put(client, other, 200)["name"] == "A\u0130"
    assert create(client, "as before", labels=["AI"])["labels"] == ["ai"]
    assert titles(client, labels="AI") == titles(client, labels_any="AI,none") == ["as before"]
    assert put(client, "AI", 200)["name"] == "ai"
    assert titles(client, labels=f"{other},AI") == []


@pytest.mark.requirement("FR-401", "FR-376", "FR-414")
@pytest.mark.parametrize(
    ("name", "address"), [(".", "\uff0e"), ("..", "\uff0e\uff0e"), ("\u200b", "\u200b"), ("\u3164", "\u3164")]
)
def test_a_label_from_before_names_were_refused_can_be_renamed_and_deleted(
    client: httpx.Client, user_id: str, database_url: str, name: str, address: str
) -> None:
    task = create(client, labels=["home"])
    make_before(database_url, user_id, name, "\u2800")
    execute(database_url, "UPDATE tasks SET labels = %s WHERE user_id = %s", [name], user_id)

    assert rename(client, address, "legible")["name"] == "legible"
    assert read(client, task)["labels"] == ["legible"]
    execute(database_url, RENAME, name, name, user_id, "legible")
    execute(database_url, "UPDATE tasks SET labels = %s WHERE user_id = %s", [name], user_id)
    assert client.delete(label_path(address)).status_code == 204
    assert read(client, task)["labels"] == []
    assert {label["name"] for label in listed(client)} == {"\u2800", "home"}


@pytest.mark.requirement("FR-414")
def test_postgres_and_the_service_agree_about_every_character(database_url: str) -> None:
    user_id = new_user()
    execute(database_url, "INSERT INTO users (id) VALUES (%s)", user_id)
    characters = [chr(number) for number in (*range(0x20, 0xD800), *range(0xE000, 0x10000), *range(0xE0000, 0xE0200))]
    make_before(
        database_url, user_id, *(f"a {each} b{each}" for each in characters), *(f"i{each}\u0307" for each in characters)
    )

    stored = execute(database_url, KEYS, user_id)

    assert len(stored) > len(characters)
    assert [name for name, key in stored if key != key_of_label(name)] == []
