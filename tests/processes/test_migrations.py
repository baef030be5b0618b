"""Migrations are applied and reverted completely, by one process at a time, even if processes are killed."""

from __future__ import annotations

import hashlib
import re
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
from psycopg2.extensions import connection as PostgresConnection  # noqa: N812 - a class, whatever its name
from sqlalchemy import make_url

from backend.database.migrations import runner as migrations
from backend.database.migrations.runner import Migration
from backend.errors import ConfigurationError
from backend.models.values.label_names import key_of_label, name_key_of
from backend.utils.positions import last_position
from tests.fixtures.postgres.database import execute, scratch_database
from tests.fixtures.postgres.migrating import (
    APPLY,
    CATALOGUE,
    FILES,
    KILL_AFTER_STATEMENTS,
    at_once,
    relations,
    start,
    with_a_role_of_its_own,
    write,
)
from tests.fixtures.running.waiting import PATIENCE_SECONDS, until


@pytest.mark.requirement("FR-061")
def test_migrations_are_applied_listed_and_taken_back(empty_database_url: str) -> None:
    assert migrations.known() == FILES
    assert FILES[:2] == ["0001.create-users", "0002.create-tasks"]
    assert migrations.status(empty_database_url) == [Migration(name, applied=False) for name in FILES]
    assert migrations.apply(empty_database_url) == FILES
    assert migrations.apply(empty_database_url) == []
    assert migrations.status(empty_database_url) == [Migration(name, applied=True) for name in FILES]
    for number, newest in reversed(list(enumerate(FILES))):
        assert migrations.rollback(empty_database_url) == newest
        assert migrations.pending(empty_database_url) == FILES[number:]
    assert migrations.rollback(empty_database_url) is None


@pytest.mark.requirement("FR-061")
def test_asking_for_the_status_creates_nothing(empty_database_url: str) -> None:
    assert migrations.pending(empty_database_url) == FILES
    assert relations(empty_database_url) == set()


@pytest.mark.requirement("FR-070")
def test_rollbacks_leave_nothing_and_applying_again_gives_the_same_schema(empty_database_url: str) -> None:
    migrations.apply(empty_database_url)
    schema = execute(empty_database_url, CATALOGUE)
    assert {row[1] for row in schema if row[:1] == ("relation",)} >= {"users", "tasks"}
    while migrations.rollback(empty_database_url):
        pass
    assert execute(empty_database_url, CATALOGUE) == []
    migrations.apply(empty_database_url)
    assert execute(empty_database_url, CATALOGUE) == schema


@pytest.mark.requirement("FR-062")
@pytest.mark.parametrize("isolation", ["read committed", "serializable"])
def test_eight_processes_at_once_leave_one_schema(empty_database_url: str, isolation: str) -> None:
    name = make_url(empty_database_url).database
    execute(empty_database_url, f"ALTER DATABASE {name} SET default_transaction_isolation = '{isolation}'")
    applied = at_once([start(APPLY, empty_database_url) for _ in range(8)])
    assert sorted(applied) == [[]] * 7 + [FILES]
    assert migrations.pending(empty_database_url) == []


@pytest.mark.requirement("FR-062")
def test_two_databases_of_one_server_at_once_share_the_role(server_url: str, directory: Path) -> None:
    role = with_a_role_of_its_own(directory)
    with scratch_database(server_url) as one, scratch_database(server_url) as other:
        applied = at_once([start(APPLY, url, directory) for url in (one, other, one, other)])
        assert sorted(applied) == [[], [], FILES, FILES]
        assert execute(other, f"SET ROLE {role}; TABLE tasks") == []
    execute(server_url, f"DROP ROLE {role}")


@pytest.mark.requirement("FR-063")
def test_a_run_killed_in_the_middle_of_a_migration_leaves_nothing(empty_database_url: str, directory: Path) -> None:
    write(directory, "1.first", "CREATE TABLE first ();")
    write(directory, "2.second", "CREATE TABLE second (); SELECT pg_sleep(600);")
    process = start(APPLY, empty_database_url, directory)
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()
    sleeping = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"
    until(lambda: execute(empty_database_url, sleeping))
    process.kill()
    process.communicate()
    assert relations(empty_database_url) == set()
    write(directory, "2.second", "CREATE TABLE second ();")
    began = time.monotonic()
    assert migrations.apply(empty_database_url, directory) == ["1.first", "2.second"]
    assert time.monotonic() - began < PATIENCE_SECONDS, "waited for the statement of the killed process"


@pytest.mark.requirement("FR-063")
def test_a_run_killed_after_any_statement_leaves_nothing(empty_database_url: str) -> None:
    process = start(KILL_AFTER_STATEMENTS, empty_database_url)
    _, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert (process.returncode, errors) == (0, "")
    assert migrations.pending(empty_database_url) == []


@pytest.mark.requirement("FR-063")
def test_what_is_recorded_is_what_earlier_releases_read(empty_database_url: str) -> None:
    """They migrated with yoyo, which knows a migration by the hash of its id, and its tables by their version."""
    migrations.apply(empty_database_url)
    migrations.rollback(empty_database_url)

    columns = """
        SELECT string_agg(column_name || ' ' || data_type || coalesce(character_maximum_length::text, ''), ', '
            ORDER BY ordinal_position)
        FROM information_schema.columns WHERE table_name LIKE '\\_yoyo%' GROUP BY table_name ORDER BY table_name
    """
    assert [text.replace("character varying", "text") for (text,) in execute(empty_database_url, columns)] == [
        (
            "id text36, migration_hash text64, migration_id text255, operation text10, username text255, "
            "hostname text255, comment text255, created_at_utc timestamp without time zone"
        ),
        "migration_hash text64, migration_id text255, applied_at_utc timestamp without time zone",
        "version integer, installed_at_utc timestamp without time zone",
    ]
    assert execute(empty_database_url, "SELECT version FROM _yoyo_version") == [(2,)]
    recorded = execute(empty_database_url, "SELECT migration_id, migration_hash FROM _yoyo_migration ORDER BY 1")
    assert recorded == [(id_, hashlib.sha256(id_.encode()).hexdigest()) for id_ in FILES[:-1]]
    logged = execute(empty_database_url, "SELECT migration_id, operation FROM _yoyo_log ORDER BY created_at_utc")
    assert logged == [*((id_, "apply") for id_ in FILES), (FILES[-1], "rollback")]


@pytest.mark.requirement("FR-063")
def test_a_lock_row_that_yoyo_left_behind_is_no_obstacle(empty_database_url: str) -> None:
    execute(
        empty_database_url,
        "CREATE TABLE yoyo_lock (locked int DEFAULT 1 PRIMARY KEY, ctime timestamp, pid int NOT NULL)",
    )
    execute(empty_database_url, "INSERT INTO yoyo_lock VALUES (1, now(), 1)")
    assert migrations.apply(empty_database_url) == FILES


@pytest.mark.requirement("FR-015", "FR-061")
def test_asking_for_the_status_changes_nothing_on_the_connection(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind a transaction pooler, the next user of the server connection would inherit any change."""
    changed: list[str] = []

    class Listening(PostgresConnection):  # type: ignore[misc]  # psycopg2 has no types
        def close(self) -> None:
            self.rollback()
            with self.cursor() as cursor:
                cursor.execute("SELECT name FROM pg_settings WHERE name ~ '^default_|timeout' AND source = 'session'")
                changed.extend(name for (name,) in cursor)
            super().close()

    connect = psycopg2.connect
    monkeypatch.setattr(psycopg2, "connect", lambda **given: connect(**given, connection_factory=Listening))

    assert migrations.pending(empty_database_url) == FILES
    assert changed == []


@pytest.mark.requirement("FR-351")
def test_what_is_there_gets_positions_in_the_order_of_its_creation(empty_database_url: str, tmp_path: Path) -> None:
    before = next(number for number, name in enumerate(FILES) if name.startswith("0017."))
    for name in FILES[:before]:
        (tmp_path / f"{name}.sql").write_text((migrations.MIGRATIONS / f"{name}.sql").read_text())
    migrations.apply(empty_database_url, tmp_path)
    execute(
        empty_database_url,
        """
        INSERT INTO users (id, revision, task_count) VALUES ('a', 2000002, 3);
        INSERT INTO lists (user_id, id, name, revision, created_at)
        SELECT 'a', gen_random_uuid(), 'List ' || number, 2000000 + number, '2026-11-21 09:30:00.123456Z'
        FROM generate_series(1, 2) AS number;
        INSERT INTO tasks (user_id, id, title, revision, created_at)
        SELECT 'a', gen_random_uuid(), 'Task ' || number, 4 - number,
            timestamptz '1970-01-01Z' + 10 ^ number * interval '1 s'
        FROM generate_series(0, 3) AS number
        """,
    )
    migrations.apply(empty_database_url)

    tasks = execute(empty_database_url, "SELECT title, created_at, revision, position FROM tasks ORDER BY position, id")
    assert [title for title, *_ in tasks] == ["Task 0", "Task 1", "Task 2", "Task 3"]
    lists = execute(empty_database_url, "SELECT name, created_at, revision, position FROM lists ORDER BY position, id")
    assert [name for name, *_ in lists] == ["List 1", "List 2"]
    for _, created_at, revision, position in (*tasks, *lists):
        assert position == last_position(created_at, revision)
    row = "VALUES ('a', gen_random_uuid(), 'b', 9) RETURNING position, now()"
    ((position, now),) = execute(empty_database_url, f"INSERT INTO tasks (user_id, id, title, revision) {row}")
    assert position == last_position(now, 0)


def _apply_before(number: str, url: str, folder: Path) -> str:
    """Apply our migrations before this one, with roles of their own; returns the name of the first role.

    Afterwards, this one is the last in the folder.
    """
    role = with_a_role_of_its_own(folder)
    later = [path for path in folder.iterdir() if path.name >= number]
    texts = {path: path.read_text() for path in later if path.name.startswith(number)}
    for path in later:
        path.unlink()
    migrations.apply(url, folder)
    for path, text in texts.items():
        path.write_text(text)
    return role


@pytest.fixture
def login(server_url: str) -> Iterator[str]:
    """A login that may do nothing yet."""
    name = f"login_{uuid.uuid4().hex}"
    execute(server_url, f"CREATE ROLE {name} LOGIN PASSWORD '{name}'")
    yield name
    execute(server_url, f"DROP ROLE {name}")


@pytest.mark.requirement("FR-358")
def test_tasks_are_not_rewritten_and_whoever_could_serve_still_can(
    empty_database_url: str, tmp_path: Path, login: str
) -> None:
    url, can_switch = empty_database_url, "SELECT pg_has_role(%s, %s, 'MEMBER')"
    role = _apply_before("0018", url, tmp_path)
    execute(url, f"GRANT {role} TO {login}")
    where = "SELECT pg_relation_filenode('tasks')"
    before = execute(url, where)

    migrations.apply(url, tmp_path)
    assert execute(url, where) == before
    assert execute(url, can_switch, login, f"{role}_list") == [(True,)]

    for _ in range(2):
        assert str(migrations.rollback(url, tmp_path)).startswith("0018.")
        assert "list_ids" not in {name for (name,) in execute(url, _COLUMNS_OF_TOMBSTONES)}
        assert migrations.apply(url, tmp_path) == ["0018.limit-tokens-to-a-list"]


@pytest.mark.requirement("FR-411")
def test_late_positions_become_those_of_now_and_everything_else_stays(empty_database_url: str, tmp_path: Path) -> None:
    url = empty_database_url
    _apply_before("0022", url, tmp_path)
    execute(
        url,
        """
        INSERT INTO users (id, revision, task_count) VALUES ('a', 10, 6), ('b', 1, 1);
        INSERT INTO tasks (user_id, id, title, revision, position, deleted_at)
        SELECT 'a', gen_random_uuid(), title, number, position, CASE WHEN title = 'd' THEN now() END
        FROM (VALUES ('a', 1, 'a0'), ('b', 2, 'p1795253400123456'), ('f', 3, repeat('z', 200)),
            ('c', 4, 'p9999999999999999'), ('d', 5, 'q00000000000000001'), ('e', 6, 'q00000000000000001V'))
            AS given (title, number, position);
        INSERT INTO lists (user_id, id, name, revision, position)
        SELECT 'a', gen_random_uuid(), name, number, position
        FROM (VALUES ('a', 7, 'a0'), ('c', 8, repeat('z', 200)), ('b', 9, 'pz00000000000000'))
            AS given (name, number, position);
        INSERT INTO tasks (user_id, id, title, revision) VALUES ('b', gen_random_uuid(), 'g', 1)
        """,
    )
    before = execute(url, "SELECT title, position, revision FROM tasks ORDER BY position, id")
    files = execute(url, _FILES_OF_TABLES)

    migrations.apply(url, tmp_path)
    after = execute(url, "SELECT title, position, revision FROM tasks ORDER BY position, id")
    assert [title for title, *_ in after if title != "g"] == [*"abcdef"]
    assert {row for row in after if row[0] in "abg"} == {row for row in before if row[0] in "abg"}
    assert [revision for title, _, revision in after if title in "cdef"] == [11, 12, 13, 14]
    lists = execute(url, "SELECT name, revision FROM lists ORDER BY position, id")
    assert lists == [("a", 7), ("b", 15), ("c", 16)]
    ((revision, last),) = execute(url, "SELECT revision, last_position FROM users WHERE id = 'a'")
    positions = execute(url, "SELECT position FROM tasks UNION SELECT position FROM lists")
    assert (revision, last) == (16, max(position for (position,) in positions))
    ((now,),) = execute(url, "SELECT now()")
    assert last_position(now, 17) > last
    late = "SELECT title FROM tasks JOIN users ON users.id = user_id WHERE position > last_position"
    assert execute(url, late) == []
    assert execute(url, _FILES_OF_TABLES) == files

    # What a worker of the release before writes of a user.
    execute(url, "INSERT INTO users (id) VALUES ('c'); UPDATE users SET revision = 17, task_count = 7 WHERE id = 'a'")
    assert str(migrations.rollback(url, tmp_path)).startswith("0022.")


@pytest.mark.requirement("FR-414")
def test_labels_that_become_the_same_stay_two_and_nothing_of_them_changes(
    empty_database_url: str, tmp_path: Path
) -> None:
    url = empty_database_url
    _apply_before("0023", url, tmp_path)
    names = ["\u0130stanbul", "istanbul", "to do", "To  do", "\uff34\uff4f do", ".", "\u200b"]
    execute(
        url,
        """
        INSERT INTO users (id, revision, task_count) VALUES ('a', 8, 1);
        INSERT INTO tasks (user_id, id, title, revision, labels) VALUES ('a', gen_random_uuid(), 'a', 8, %s);
        INSERT INTO labels (user_id, id, name, name_key, color, revision)
        SELECT 'a', gen_random_uuid(), name, key, '#123456', number
        FROM unnest(%s::text[], %s::text[]) WITH ORDINALITY AS given (name, key, number)
        """,
        names,
        names,
        [name_key_of(name) for name in names],
    )
    before = execute(url, _LABELS)

    migrations.apply(url, tmp_path)
    assert execute(url, _LABELS) == before
    assert dict(execute(url, "SELECT name, match_key FROM labels")) == {name: key_of_label(name) for name in names}

    # What a worker of the release before writes.
    key = name_key_of("\u0130zmir")
    execute(url, "UPDATE labels SET name = '\u0130zmir', name_key = %s WHERE name = '.'", key)
    assert execute(url, "SELECT match_key FROM labels WHERE name_key = %s", key) == [("izmir",)]
    before = execute(url, _LABELS)
    assert str(migrations.rollback(url, tmp_path)).startswith("0023.")
    assert execute(url, _LABELS) == before


_LABELS = """
SELECT label.id, label.name, name_key, color, label.created_at, label.updated_at, label.revision, labels, tasks.revision
FROM labels AS label JOIN tasks USING (user_id) ORDER BY label.revision
"""


@pytest.mark.requirement("FR-438")
def test_what_is_in_another_list_than_its_parent_leaves_that(empty_database_url: str, tmp_path: Path) -> None:
    url = empty_database_url
    _apply_before("0027", url, tmp_path)
    execute(
        url,
        """
        INSERT INTO users (id, revision, task_count) VALUES ('a', 10, 7), ('b', 1, 1);
        INSERT INTO lists (user_id, id, name, revision)
        VALUES ('a', md5('x')::uuid, 'x', 8), ('a', md5('y')::uuid, 'y', 9);
        INSERT INTO tasks (user_id, id, title, revision, parent_id, list_id, position)
        SELECT 'a', md5(title)::uuid, title, number, md5(above)::uuid, md5(place)::uuid, 'a' || number
        FROM (VALUES ('top', 1, NULL, NULL), ('same', 2, 'top', NULL), ('stray', 3, 'top', 'x'),
            ('along', 4, 'stray', 'x'), ('second', 5, 'along', 'y'), ('back', 6, 'stray', NULL),
            ('waiting', 7, 'missing', 'x')) AS given (title, number, above, place);
        INSERT INTO tasks (user_id, id, title, revision) VALUES ('b', md5('top')::uuid, 'other', 1)
        """,
    )
    shown = "SELECT title, parent_id, list_id, revision, updated_at FROM tasks ORDER BY revision, title"
    before = {title: row for title, *row in execute(url, shown)}

    migrations.apply(url, tmp_path)

    after = {title: row for title, *row in execute(url, shown)}
    strays = [title for title, row in after.items() if row != before[title]]
    assert strays == ["stray", "second", "back"]
    assert [after[title][:3] for title in strays] == [
        [None, before[title][1], 11 + n] for n, title in enumerate(strays)
    ]
    assert all(after[title][3] > before[title][3] for title in strays)
    assert execute(url, "SELECT id, revision FROM users ORDER BY id") == [("a", 13), ("b", 1)]
    assert str(migrations.rollback(url, tmp_path)).startswith("0027.")


_FILES_OF_TABLES = "SELECT pg_relation_filenode('tasks'), pg_relation_filenode('lists'), pg_relation_filenode('users')"
_COLUMNS_OF_TOMBSTONES = "SELECT attname::text FROM pg_attribute WHERE attrelid = 'tombstones'::regclass"


@pytest.mark.requirement("FR-358")
def test_a_login_that_may_not_create_roles_is_told_what_to_run_first(
    empty_database_url: str, tmp_path: Path, login: str
) -> None:
    url = empty_database_url
    name = make_url(url).database
    role = _apply_before("0018", url, tmp_path)
    execute(url, f"ALTER DATABASE {name} OWNER TO {login}")
    for table in ("_yoyo_migration", *(table for (table,) in execute(url, _TABLES_OF_OURS))):
        execute(url, f"ALTER TABLE {table} OWNER TO {login}")
    execute(url, f"GRANT {role} TO {login}; GRANT ALL ON SCHEMA public TO {login}")
    owners_url = make_url(url).set(username=login, password=login).render_as_string(hide_password=False)
    told = rf"permission denied.* CREATE ROLE {role}_list NOLOGIN.*: (GRANT {role}_list TO .*{login}.*)"
    with pytest.raises(ConfigurationError, match=told) as refused:
        migrations.apply(owners_url, tmp_path)
    assert migrations.pending(owners_url, tmp_path) == ["0018.limit-tokens-to-a-list"]

    grant = re.search(told, str(refused.value))
    assert grant is not None
    execute(url, f"CREATE ROLE {role}_list NOLOGIN; {grant[1]}")
    assert migrations.apply(owners_url, tmp_path) == ["0018.limit-tokens-to-a-list"]
    execute(url, f"REASSIGN OWNED BY {login} TO CURRENT_USER; DROP OWNED BY {login}")


_TABLES_OF_OURS = """
SELECT relname::text FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> '_yoyo_migration'
"""
