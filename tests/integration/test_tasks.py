"""The task endpoints, over HTTP."""

from __future__ import annotations

import uuid

import httpx
import pytest


@pytest.mark.requirement("FR-020", "FR-023", "FR-030")
def test_a_created_task_is_answered_located_and_tagged(client: httpx.Client, user_id: str) -> None:
    response = client.post("/api/tasks", json={"title": "Buy milk", "description": "Two litres"})

    assert response.status_code == 201
    task = response.json()["data"]
    assert {**task, "id": "", "created_at": "", "updated_at": ""} == {
        "id": "",
        "user_id": user_id,
        "title": "Buy milk",
        "description": "Two litres",
        "completed": False,
        "completed_at": None,
        "created_at": "",
        "updated_at": "",
        "revision": 1,
    }
    assert response.headers["ETag"] == '"1"'
    again = client.get(response.headers["Location"])
    assert again.status_code == 200
    assert again.json() == response.json()
    assert again.headers["ETag"] == '"1"'


@pytest.mark.requirement("FR-033")
def test_ids_made_by_the_service_are_uuids_of_version_7(client: httpx.Client) -> None:
    task = client.post("/api/tasks", json={"title": "a"}).json()["data"]

    assert uuid.UUID(task["id"]).version == 7
