"""Query plans of listings: Postgres seeks directly to the page, for this user alone, and reads no further."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from backend.database.engine import Engine
from backend.database.session import SessionFactory
from backend.models.list import ListsQuery
from backend.models.move import TaskMove
from backend.models.task import TaskUpdate
from backend.models.task_query import TaskQuery, TaskSort
from backend.models.values import cursor as cursors
from backend.services.lists.service import ListService
from backend.services.tasks.listing import ListingService
from backend.services.tasks.moving import MAX_MOVED
from backend.services.tasks.service import TaskService
from tests.fixtures.postgres import plans
from tests.fixtures.postgres.plans import Node, listing_by, nodes, place_at
from tests.fixtures.postgres.statements import send

pytestmark = pytest.mark.usefixtures("planned")

USER = "a user with much to do"
TASKS = 20_000
LIMIT = 50
FILL = """
INSERT INTO users (id, revision, task_count) SELECT 'user ' || number, 1, 100 FROM generate_series(1, 200) AS number;
INSERT INTO users (id, revision, task_count) VALUES (%s, 1, %s);
INSERT INTO lists (user_id, id, name, revision, archived_at)
SELECT id, ('00000000-0000-7000-8000-00000000000' || number)::uuid, 'List ' || number, 1,
       CASE number WHEN 3 THEN now() END
FROM users, generate_series(1, 3) AS number;
INSERT INTO tasks (user_id, id, title, completed, completed_at, created_at, updated_at, revision,
    open_status, due_at, due_key, priority, position, list_id)
SELECT CASE number %% 2 WHEN 0 THEN %s ELSE 'user ' || (number / 2 %% 200 + 1) END, gen_random_uuid(),
       'Title ' || md5(number::text), number %% 6 = 0, CASE number %% 6 WHEN 0 THEN moment END, moment, moment, 1,
       CASE WHEN number %% 6 <> 0 AND number %% 10 = 4 THEN 'in_progress'
            WHEN number %% 6 <> 0 AND number %% 40 = 8 THEN 'cancelled' ELSE 'todo' END,
       due, coalesce(due, 'infinity'), number / 2 %% 10 + 1, 'b' || lpad((number %% 997)::text, 3, '0') || '1',
       ('00000000-0000-7000-8000-00000000000' || CASE number / 2 %% 100 WHEN 0 THEN 1 WHEN 1 THEN 3 ELSE
           CASE WHEN number / 2 %% 100 BETWEEN 2 AND 40 THEN 2 END END)::uuid
FROM generate_series(1, 2 * %s) AS number, LATERAL (SELECT now() - number %% 9973 * interval '1 minute') AS at (moment),
    LATERAL (SELECT CASE WHEN number %% 4 = 2 THEN moment + interval '3 days' END) AS until (due)
"""
LISTS = [f"00000000-0000-7000-8000-00000000000{number}" for number in (1, 2, 3)]  # few tasks, many, few but archived


@pytest.fixture(scope="module", params=["VACUUM ANALYZE users, lists, tasks", "SELECT 1"], ids=["analyzed", "new"])
def engine(server_url: str, request: pytest.FixtureRequest) -> Iterator[Engine]:
    """An engine for a database in which a user among others has 20,000 tasks; Postgres may know nothing of them yet."""
    with plans.filled(server_url, FILL, (USER, TASKS, USER, TASKS), request.param) as engine:
        yield engine


def plan(engine: Engine, query: TaskQuery, known: tuple[str, ...] | None = ()) -> Node:
    """Return the plan for a page: of exactly the text that the service sends, including the guard."""
    (found,) = plans.plans(engine, lambda: ListingService(SessionFactory(engine), USER).list(query, known))
    return found


def reads(found: Node) -> list[Node]:
    """Return the nodes of a plan that read tasks."""
    return [node for node in nodes(found) if node.get("Relation Name") == "tasks"]


def assert_goes_straight_there(found: Node, sort: TaskSort, *, is_after: bool) -> None:
    """Check that the plan seeks in the index of this sort, and reads no more than the page."""
    (read,) = reads(found)
    assert read["Node Type"] == "Index Scan"
    is_due = sort.column == "due_key"
    assert read["Index Name"] == f"ix_tasks_user_id_in_trash_{'completed_' if is_due else ''}{sort.column}_id"
    assert read["Scan Direction"] == ("Backward" if sort.is_reversed else "Forward")
    condition = read["Index Cond"]
    assert re.search(rf"user_id = ('{USER}'|\$\d)", condition)
    assert "in_trash = false" in condition
    assert ("completed = false" in condition) is is_due
    assert (f"ROW({sort.column}, id) {'<' if sort.is_reversed else '>'} ROW(" in condition) is is_after
    assert read["Actual Rows"] == LIMIT + 1
    assert read.get("Rows Removed by Filter", 0) == 0
    (limit,) = [node for node in nodes(found) if node["Node Type"] == "Limit"]
    assert read in list(nodes(limit))
    assert not [node["Node Type"] for node in nodes(limit) if "Sort" in node["Node Type"]]
    # Postgres may sort the page itself again, but nothing more.
    assert {node["Actual Rows"] for node in nodes(found) if "Sort" in node["Node Type"]} <= {LIMIT + 1}


@pytest.mark.requirement("FR-135", "FR-286", "FR-289")
@pytest.mark.parametrize("sort", [sort for sort in TaskSort if sort.column != "position"])
def test_each_page_starts_at_its_cursor_in_the_index_of_its_sort(engine: Engine, sort: TaskSort) -> None:
    assert_goes_straight_there(plan(engine, listing_by(sort, limit=LIMIT)), sort, is_after=False)
    # Open tasks have equal sort keys, so that ids decide; of the dues, those that no open task has.
    for offset in (10, TASKS // 2) if sort.column == "due_key" else (10, TASKS // 2, TASKS * 3 // 4):
        query = listing_by(sort, limit=LIMIT, cursor=place_at(engine, USER, sort, offset))
        assert_goes_straight_there(plan(engine, query), sort, is_after=True)


# Workers that cost nothing: Postgres takes them wherever it may, also in the plans that the connection keeps.
FREE_WORKERS = (
    "DISCARD PLANS; SET LOCAL parallel_setup_cost = 0; SET LOCAL parallel_tuple_cost = 0; "
    "SET LOCAL min_parallel_table_scan_size = 0; SET LOCAL min_parallel_index_scan_size = 0; "
)


@pytest.mark.requirement("FR-135")
@pytest.mark.parametrize("query", [{}, {"q": "title"}, {"sort": "due"}, {"ids": LISTS[0]}, {"completed": "false"}])
def test_no_plan_reads_the_state_beside_the_page_and_so_answers_them_in_another_order(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, query: dict[str, str]
) -> None:
    monkeypatch.setattr(plans.mode, "sql", plans.mode.sql + FREE_WORKERS)
    found = plan(engine, TaskQuery.model_validate({**query, "include_total": "true"}))
    send(engine, "DISCARD PLANS", {})

    # Below it, workers may count. They cannot read the page, which has a limit.
    assert (found["Node Type"], found["Parallel Aware"]) == ("Append", False)


SORTS_OF_ALL = [sort for sort in TaskSort if sort.column != "position"]


def rows_read(found: Node) -> float:
    """Count the tasks that a plan reads, with those it reads past."""
    return sum(float(read["Actual Rows"] + read.get("Rows Removed by Filter", 0)) for read in reads(found))


@pytest.mark.requirement("FR-384")
@pytest.mark.parametrize("limit", [LIMIT, 1000])
@pytest.mark.parametrize("sort", SORTS_OF_ALL)
@pytest.mark.parametrize(
    "query", [{}, {"completed": "false"}, {"completed": "true"}, {"status": "todo"}, {"status": "done,in_progress"}]
)
def test_no_page_reads_all_tasks(engine: Engine, sort: TaskSort, query: dict[str, str], limit: int) -> None:
    found = plan(engine, TaskQuery.model_validate({**query, "sort": sort.value, "limit": str(limit)}))

    assert {read["Index Name"].endswith(f"_{sort.column}_id") for read in reads(found)} == {True}
    assert limit < rows_read(found) <= 10 * (limit + 1)  # a sixth of the tasks is done, spread evenly


@pytest.mark.requirement("FR-286")
@pytest.mark.parametrize("sort", [TaskSort.DUE, TaskSort.DUE_REVERSED])
def test_by_due_done_tasks_and_others_are_each_read_from_their_part_of_the_index(
    engine: Engine, sort: TaskSort
) -> None:
    query: TaskQuery | None = TaskQuery(sort=sort, limit=LIMIT)
    listing = ListingService(SessionFactory(engine), USER)
    while query is not None:
        found = reads(plan(engine, query))
        assert len(found) == 2
        for read in found:
            assert read["Index Name"] == "ix_tasks_user_id_in_trash_completed_due_key_id"
            assert "completed = " in read["Index Cond"]
            assert read["Actual Rows"] <= LIMIT + 1
            assert read.get("Rows Removed by Filter", 0) == 0
            assert ("ROW(due_key, id)" in read["Index Cond"]) is (query.cursor is not None)
        first_page = query.cursor is None
        cursor = listing.list(query.model_copy(update={"limit": 700})).next_cursor
        query = query.model_copy(update={"cursor": cursor}) if first_page else None


@pytest.mark.requirement("FR-135")
def test_what_is_open_has_an_index_of_its_own(engine: Engine) -> None:
    (read,) = reads(plan(engine, TaskQuery.model_validate({"completed": "false", "limit": str(LIMIT)})))

    assert read["Index Name"] == "ix_tasks_user_id_in_trash_completed_created_at_id"
    assert read["Actual Rows"] == LIMIT + 1
    assert "Filter" not in read


@pytest.mark.requirement("FR-275")
@pytest.mark.parametrize("status", ["in_progress", "cancelled"])
def test_a_column_of_a_board_has_an_index_of_its_own(engine: Engine, status: str) -> None:
    (read,) = reads(plan(engine, TaskQuery.model_validate({"status": status, "limit": str(LIMIT)})))

    assert read["Index Name"] == "ix_tasks_user_id_in_trash_open_status_created_at_id"
    assert f"open_status = '{status}'" in read["Index Cond"]
    assert read["Actual Rows"] == LIMIT + 1
    assert read.get("Rows Removed by Filter", 0) == 0


@pytest.mark.requirement("FR-275")
@pytest.mark.parametrize(("words", "read_past"), [("done", 0), ("todo,in_progress,cancelled", 0), ("todo", LIMIT)])
def test_other_statuses_are_read_from_the_index_of_completed(engine: Engine, words: str, read_past: int) -> None:
    (read,) = reads(plan(engine, TaskQuery.model_validate({"status": words, "limit": str(LIMIT)})))

    assert read["Index Name"] == "ix_tasks_user_id_in_trash_completed_created_at_id"
    assert read["Actual Rows"] == LIMIT + 1
    assert read.get("Rows Removed by Filter", 0) <= read_past


@pytest.mark.requirement("FR-274")
@pytest.mark.parametrize("counts", [{"include_total": "true"}, {"include_counts": "true"}])
@pytest.mark.parametrize("limit", [LIMIT, 10 * LIMIT])
def test_tasks_are_counted_once_for_a_page(engine: Engine, counts: dict[str, str], limit: int) -> None:
    found = reads(plan(engine, TaskQuery.model_validate({"limit": str(limit), **counts})))

    assert len(found) == 2
    assert [read["Actual Loops"] for read in found] == [1, 1]


def number_of(engine: Engine, sql: str) -> int:
    """Count the user's tasks that fulfil a condition."""
    ((count,),) = send(engine, f"SELECT count(*) FROM tasks WHERE user_id = %s AND {sql}", (USER,))  # noqa: S608 - ours
    return int(count)


@pytest.mark.requirement("FR-286")
@pytest.mark.parametrize(
    ("query", "near"),
    [
        ({"overdue": "true"}, "NOT completed AND due_key < now() + interval '16 hours'"),
        (
            {"overdue": "true", "timezone": "Pacific/Auckland"},
            "NOT completed AND due_key < now() + interval '16 hours'",
        ),
        ({"due_before": "DAY", "completed": "false"}, "NOT completed AND due_key < now() - interval '1 day'"),
        ({"due_after": "DAY", "completed": "false"}, "NOT completed AND due_key > now() - interval '4 days'"),
        ({"due_before": "TIME", "completed": "true"}, "completed AND due_key < now() - interval '1 day'"),
        ({"due_after": "TIME", "completed": "true"}, "completed AND due_key > now() - interval '4 days'"),
        ({"has_due": "true", "completed": "false"}, "NOT completed AND due_key < 'infinity'"),
        ({"has_due": "false", "completed": "false"}, "NOT completed AND due_key = 'infinity'"),
    ],
)
def test_filters_about_dues_read_only_what_is_near(engine: Engine, query: dict[str, str], near: str) -> None:
    place = datetime.now(UTC) - timedelta(days=2)
    places = {"DAY": place.date().isoformat(), "TIME": place.isoformat()}
    said = {name: places.get(value, value) for name, value in query.items()}
    found = plan(engine, TaskQuery.model_validate({**said, "sort": "due"}))

    (read,) = reads(found)
    assert read["Index Name"] == "ix_tasks_user_id_in_trash_completed_due_key_id"
    assert "due_key" in read["Index Cond"]
    assert 0 < read["Actual Rows"] + read.get("Rows Removed by Filter", 0) <= number_of(engine, near)
    if "has_due" in query:
        assert read.get("Rows Removed by Filter", 0) == 0


@pytest.mark.requirement("FR-289")
@pytest.mark.parametrize("sort", ["priority", "-priority"])
@pytest.mark.parametrize("words", ["high", "medium", "low", "none", "medium,high", "medium,low,none"])
def test_priorities_are_read_from_their_index_in_its_order(engine: Engine, sort: str, words: str) -> None:
    query = {"priority": words, "sort": sort, "limit": str(LIMIT)}
    (read,) = reads(plan(engine, TaskQuery.model_validate(query)))

    assert read["Index Name"] == "ix_tasks_user_id_in_trash_priority_id"
    assert "priority >=" in read["Index Cond"]
    assert "priority <=" in read["Index Cond"]
    assert read["Actual Rows"] == LIMIT + 1
    assert read.get("Rows Removed by Filter", 0) == 0


@pytest.mark.requirement("FR-289")
def test_other_priorities_are_read_past_only_between_those_that_are_listed(engine: Engine) -> None:
    query = TaskQuery.model_validate({"priority": "low,high", "sort": "priority", "limit": "1000"})
    cursor = place_at(engine, USER, query.sorting, TASKS // 10 * 4 - LIMIT)  # the last page of those that are high
    (key, task_id) = cursors.decode(cursor, TaskQuery(sort="priority").listing_id, int)
    own = cursors.encode(query.listing_id, key, task_id)
    (read,) = reads(plan(engine, query.model_copy(update={"cursor": own})))

    assert read["Index Name"] == "ix_tasks_user_id_in_trash_priority_id"
    assert "priority <=" in read["Index Cond"]
    # Postgres 15 reads all tasks of the two that are left and sorts them; later ones end with the page.
    assert 1001 <= read["Actual Rows"] <= number_of(engine, "priority NOT IN (5, 10)")
    assert read.get("Rows Removed by Filter", 0) <= number_of(engine, "priority = 5")


@pytest.mark.requirement("FR-289")
@pytest.mark.parametrize("words", ["medium", "high", "medium,low,none", "low,high"])
def test_another_order_reads_past_other_priorities_or_all_tasks_of_these(engine: Engine, words: str) -> None:
    (read,) = reads(plan(engine, TaskQuery.model_validate({"priority": words, "limit": str(LIMIT)})))

    columns = {
        "ix_tasks_user_id_in_trash_created_at_id": "created_at <= now()",
        "ix_tasks_user_id_in_trash_priority_id": {
            "medium": "priority = 5",
            "high": "priority < 5",
            "medium,low,none": "priority > 4",
            "low,high": "priority <> 5 AND priority < 10",
        }[words],
    }
    assert read["Actual Rows"] + read.get("Rows Removed by Filter", 0) <= number_of(engine, columns[read["Index Name"]])


@pytest.mark.requirement("FR-340", "FR-349")
@pytest.mark.parametrize("sort", ["created_at", "-created_at", "position", "-position"])
@pytest.mark.parametrize(("place", "offset"), [(LISTS[0], 100), (LISTS[1], 7000), ("inbox", 10), ("inbox", 11_000)])
def test_a_page_of_one_list_reads_only_its_own_tasks(engine: Engine, place: str, offset: int, sort: str) -> None:
    first = TaskQuery.model_validate({"list_id": place, "sort": sort, "limit": str(LIMIT)})
    next_one = first.model_copy(update={"cursor": place_at(engine, USER, first.sorting, offset, place)})

    for query in (first, next_one):
        (read,) = reads(plan(engine, query))
        assert read["Index Name"] == f"ix_tasks_user_id_in_trash_list_id_{first.sorting.column}_id"
        assert read["Scan Direction"] == ("Backward" if sort.startswith("-") else "Forward")
        assert re.search("list_id IS NULL" if place == "inbox" else rf"list_id = ('{place}'|\$\d)", read["Index Cond"])
        assert (f"ROW({first.sorting.column}, id)" in read["Index Cond"].replace('"', "")) is (query is next_one)
        assert read["Actual Rows"] == LIMIT + 1
        assert read.get("Rows Removed by Filter", 0) == 0


@pytest.mark.requirement("FR-340", "FR-356")
@pytest.mark.parametrize("sort", ["created_at", "-created_at", "position", "-position"])
@pytest.mark.parametrize("place", LISTS[:2])
def test_a_page_for_a_token_of_one_list_reads_only_its_own_tasks(engine: Engine, place: str, sort: str) -> None:
    sessions = SessionFactory(engine).limited_to(UUID(place))
    named = {"list_id": place} if "position" in sort else {}
    first = TaskQuery.model_validate({"sort": sort, "limit": str(LIMIT), **named})
    next_one = first.model_copy(update={"cursor": place_at(engine, USER, first.sorting, 100, place)})
    if not named:
        next_one = first.model_copy(update={"cursor": ListingService(sessions, USER).list(first).next_cursor})

    for query in (first, next_one):
        (found,) = plans.plans(engine, lambda query=query: ListingService(sessions, USER).list(query))  # type: ignore[misc]
        (read,) = reads(found)
        assert read["Index Name"] == f"ix_tasks_user_id_in_trash_list_id_{first.sorting.column}_id"
        assert "list_id = " in read["Index Cond"]
        assert read["Actual Rows"] == LIMIT + 1
        assert read.get("Rows Removed by Filter", 0) == 0


@pytest.mark.requirement("FR-356")
@pytest.mark.parametrize("sort", ["title", "-updated_at", "due", "priority"])
def test_another_order_for_a_token_of_one_list_reads_no_other_list(engine: Engine, sort: str) -> None:
    sessions = SessionFactory(engine).limited_to(UUID(LISTS[0]))
    query = TaskQuery.model_validate({"sort": sort, "limit": str(LIMIT)})

    (found,) = plans.plans(engine, lambda: ListingService(sessions, USER).list(query))

    assert rows_read(found) <= number_of(engine, f"list_id = '{LISTS[0]}'")


@pytest.mark.requirement("FR-356")
def test_what_a_token_of_one_list_names_is_looked_up(engine: Engine) -> None:
    sessions = SessionFactory(engine).limited_to(UUID(LISTS[1]))
    tasks = TaskService(sessions, USER, 10**9)
    (task, _) = ends_of_positions(engine, LISTS[1], "min", number=1)
    edit = TaskUpdate(title="Other")

    for call in (lambda: tasks.get(task), lambda: tasks.update(task, edit)):
        for found in plans.plans(engine, call):
            for read in reads(found):
                assert read.get("Index Name", "pk_tasks") == "pk_tasks"  # the change itself names none
                assert read["Actual Rows"] + read.get("Rows Removed by Filter", 0) <= 1


def ends_of_positions(engine: Engine, place: str, end: str, number: int) -> list[UUID]:
    """Return the first (min) or last (max) tasks of two positions that at least this number of tasks has."""
    inside = "list_id IS NULL" if place == "inbox" else f"list_id = '{place}'"
    sql = (
        f"SELECT {end}(id::text) FROM tasks WHERE user_id = %s AND {inside} GROUP BY position HAVING count(*) >= %s"  # noqa: S608 - ours
        " ORDER BY position OFFSET %s LIMIT 1"
    )
    return [UUID(str(send(engine, sql, (USER, number, offset))[0][0])) for offset in (10, 300)]


@pytest.mark.requirement("FR-347", "FR-349")
@pytest.mark.parametrize("side", ["after", "before"])
@pytest.mark.parametrize("place", [LISTS[1], "inbox"])
def test_a_move_reads_one_neighbour_from_the_index(engine: Engine, place: str, side: str) -> None:
    task, other = ends_of_positions(engine, place, "max" if side == "after" else "min", number=1)
    tasks = TaskService(SessionFactory(engine), USER, 10**9)

    found = plans.plans(engine, lambda: tasks.move(task, TaskMove.model_validate({side: str(other)})))

    neighbours = [read for plan in found for read in reads(plan) if read.get("Index Name", "").endswith("position_id")]
    assert len(neighbours) == 1
    assert sum(read["Actual Rows"] for read in neighbours) == 1
    assert sum(read.get("Rows Removed by Filter", 0) for read in neighbours) <= 1  # the moved task itself
    assert not [node for plan in found for node in nodes(plan) if "Sort" in node["Node Type"]]


@pytest.mark.requirement("FR-408")
@pytest.mark.parametrize("side", ["after", "before"])
@pytest.mark.parametrize("place", [LISTS[1], "inbox"])
def test_a_move_between_equal_positions_reads_its_neighbours_from_the_index(
    engine: Engine, place: str, side: str
) -> None:
    task, other = ends_of_positions(engine, place, "max" if side == "before" else "min", number=2)
    tasks = TaskService(SessionFactory(engine), USER, 10**9)

    found = plans.plans(engine, lambda: tasks.move(task, TaskMove.model_validate({side: str(other)})))

    neighbours = [read for plan in found for read in reads(plan) if read.get("Index Name", "").endswith("position_id")]
    assert len(neighbours) == 3  # the nearest, and those on both sides; all are explained with the last limit
    assert {read["Actual Rows"] for read in neighbours} == {MAX_MOVED + 1}
    assert all(read.get("Rows Removed by Filter", 0) <= 1 for read in neighbours)  # the moved task itself
    assert not [node for plan in found for node in nodes(plan) if "Sort" in node["Node Type"]]


@pytest.mark.requirement("FR-340")
@pytest.mark.parametrize(("in_archived", "other"), [("false", f"list_id = '{LISTS[2]}'"), ("true", "true")])
def test_tasks_of_archived_lists_are_read_past_in_order(engine: Engine, in_archived: str, other: str) -> None:
    (read,) = reads(plan(engine, TaskQuery.model_validate({"in_archived": in_archived, "limit": str(LIMIT)})))

    assert read["Index Name"] == "ix_tasks_user_id_in_trash_created_at_id"
    assert read["Actual Rows"] == LIMIT + 1
    assert read.get("Rows Removed by Filter", 0) <= number_of(engine, other)


@pytest.mark.requirement("FR-385")
def test_the_tasks_of_all_lists_are_counted_once_and_from_an_index(engine: Engine) -> None:
    lists = ListService(SessionFactory(engine), USER)

    (found,) = plans.plans(engine, lambda: lists.list(ListsQuery(include_counts=True)))

    (read,) = (each for each in nodes(found) if each.get("Relation Name", "").startswith("tasks"))
    assert (read["Node Type"], read["Actual Loops"]) == ("Index Only Scan", 1)
    assert read["Index Name"] == "ix_tasks_user_id_in_trash_list_id_position_id"


@pytest.mark.requirement("FR-135", "FR-128")
def test_times_and_ids_are_looked_up(engine: Engine) -> None:
    ids = ",".join(str(UUID(int=number)) for number in range(100))
    for query in ({"created_after": "2100-01-01T00:00:00Z"}, {"created_before": "2000-01-01T00:00:00Z"}, {"ids": ids}):
        (read,) = reads(plan(engine, TaskQuery.model_validate(query)))

        assert "Index" in read["Node Type"] or "Bitmap" in read["Node Type"], query
        assert read["Actual Rows"] == 0
        assert read.get("Rows Removed by Filter", 0) == 0


@pytest.mark.requirement("FR-116")
@pytest.mark.parametrize("query", [{}, {"include_total": "true"}, {"q": "title", "sort": "title"}])
def test_tasks_are_not_read_for_a_client_that_has_the_listing(engine: Engine, query: dict[str, str]) -> None:
    wanted = TaskQuery.model_validate(query)
    tag = ListingService(SessionFactory(engine), USER).list(wanted).tag

    for known in ((tag,), ("another", tag), None):
        assert {read["Actual Loops"] for read in reads(plan(engine, wanted, known))} <= {0}  # or it is not even planned
    assert {read["Actual Loops"] for read in reads(plan(engine, wanted, ("another",)))} == {1}
