"""Query plans of labels: of a user with many tasks, only those that carry labels are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from backend.database.engine import Engine
from backend.database.session import SessionFactory
from backend.models.label import LabelPut, LabelUpdate
from backend.services.labels.service import LabelService
from tests.fixtures.postgres import plans
from tests.fixtures.postgres.plans import nodes

pytestmark = pytest.mark.usefixtures("planned")

USER = "a user with few labels"
TASKS, LABELLED = 20_000, 200
# One labelled task in 100 is in the trash.
FILL = """
INSERT INTO users (id, revision, task_count) VALUES (%s, 1, %s);
INSERT INTO labels (user_id, id, name, name_key, revision)
SELECT id, gen_random_uuid(), 'Label ' || number, 'label ' || number, 1 FROM users, generate_series(0, 3) AS number;
INSERT INTO tasks (user_id, id, title, revision, deleted_at, labels)
SELECT %s, gen_random_uuid(), 'Task ' || number, number, CASE number %% 10000 WHEN 0 THEN now() END,
       CASE number %% 100 WHEN 0 THEN ARRAY['Label ' || number / 100 %% 2, 'Label 2'] ELSE '{}' END
FROM generate_series(1, %s) AS number
"""


@pytest.fixture(scope="module", params=["ANALYZE tasks, labels", "SELECT 1"], ids=["analyzed", "new"])
def engine(server_url: str, request: pytest.FixtureRequest) -> Iterator[Engine]:
    """An engine for a database in which a user has labels on 200 of 20,000 tasks; Postgres may not know them yet."""
    with plans.filled(server_url, FILL, (USER, TASKS, USER, TASKS), request.param) as engine:
        yield engine


def assert_reads_labelled_tasks_alone(engine: Engine, call: Callable[[], object]) -> None:
    """Check which index a call finds its tasks in, and that it reads no others."""
    tasks = [node for plan in plans.plans(engine, call) for node in nodes(plan) if "tasks" in str(node.get("Alias"))]
    assert {node.get("Index Name") for node in tasks} >= {"ix_tasks_user_id_in_trash_labelled"}
    assert max(node["Actual Rows"] + node.get("Rows Removed by Filter", 0) for node in tasks) <= LABELLED


@pytest.mark.requirement("FR-416")
def test_labels_are_counted_on_labelled_tasks_alone(engine: Engine) -> None:
    labels = LabelService(SessionFactory(engine), USER)

    assert_reads_labelled_tasks_alone(engine, labels.list)
    listed = str(labels.list().json)
    assert [listed.count(f'"task_count":{number},') for number in (98, 100, 198, 0)] == [1, 1, 1, 1]


@pytest.mark.requirement("FR-416")
def test_a_change_of_a_label_reads_labelled_tasks_alone(engine: Engine, planned: str) -> None:
    labels = LabelService(SessionFactory(engine), USER)
    name = {"custom": "label 2", "generic": "label 3"}[planned]

    assert_reads_labelled_tasks_alone(engine, lambda: labels.put(name, LabelPut(color="#123456")))
    assert_reads_labelled_tasks_alone(engine, lambda: labels.update(name, LabelUpdate(name="another")))
    assert_reads_labelled_tasks_alone(engine, lambda: labels.delete("another"))
