"""*bare*: the cost of FastAPI with one switch to a thread that does nothing."""

from __future__ import annotations

import json

from fastapi import FastAPI, Response

from tests.benchmarks import data

_TASK: dict[str, object] = {
    "id": str(data.task(1, 1)),
    "user_id": data.user(1),
    "title": f"{data.TITLE} 1",
    "description": data.DESCRIPTION,
    "completed": False,
    "completed_at": None,
    "created_at": "2025-01-01T00:00:01+00:00",
    "updated_at": "2025-01-01T00:00:01+00:00",
    "revision": 1,
    "status": "todo",
    **dict.fromkeys(("due_date", "due_at", "start_date", "start_at", "timezone", "priority")),
    "labels": [],
    "list_id": None,
    "position": "p17356896010000000000011",
    "parent_id": None,
}
ANSWER = json.dumps({"data": _TASK}, separators=(",", ":"))  # the contenders' response for one of the tasks


def create_app() -> FastAPI:
    """Build the application: every task has the same response."""
    app = FastAPI()

    @app.get("/health/ready")
    @app.get("/api/tasks/{task_id}")
    def get_task() -> Response:
        return Response(ANSWER, headers={"ETag": '"1"'}, media_type="application/json")

    return app
