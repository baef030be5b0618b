from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
from sqlalchemy import make_url

from backend.database import migrations
from backend.database.migrations import Migration
from backend.errors import ConfigurationError
from tests.fixtures.database import execute, scratch_database

ROOT = Path(__file__).parents[2]
FILES = ["0001.create-users", "0002.create-tasks"]

# Everything of ours in a database, by name and not by number.
CATALOGUE = """
WITH ours AS (SELECT * FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname !~ '^_yoyo')
SELECT 'relation', relname, relkind::text, relacl::text, relrowsecurity::text FROM ours
UNION ALL SELECT 'column', relname, attname, format_type(atttypid, atttypmod),
    concat(attnum, attnotnull, pg_get_expr(adbin, adrelid))
    FROM ours JOIN pg_attribute ON attrelid = ours.oid
    LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE attnum > 0
UNION ALL SELECT 'constraint', relname, conname, pg_get_constraintdef(pg_constraint.oid), contype::text
    FROM pg_constraint JOIN ours ON conrelid = ours.oid
UNION ALL SELECT 'index', relname, pg_get_indexdef(indexrelid), '', '' FROM pg_index JOIN ours ON indrelid = ours.oid
UNION ALL SELECT 'policy', tablename, policyname, concat(permissive, roles, cmd), concat(qual, ' ', with_check)
    FROM pg_policies WHERE schemaname = 'public'
UNION ALL SELECT 'function', proname, prosrc, '', '' FROM pg_proc WHERE pronamespace = 'public'::regnamespace
UNION ALL SELECT 'type', typname, typtype::text, '', '' FROM pg_type
    WHERE typnamespace = 'public'::regnamespace AND typrelid = 0 AND typelem = 0
ORDER BY 1, 2, 3, 4, 5
"""

APPLY = """
import json, sys
from pathlib import Path
from backend.database import migrations
print("ready", flush=True)
sys.stdin.readline()
print(json.dumps(migrations.apply(sys.argv[1], Path(sys.argv[2]))), flush=True)
"""

# Kills one process after its first statement, the next after its second, and so on until one comes through.
KILL_AFTER_EACH_STATEMENT = """
import os, signal, sys
from pathlib import Path
import psycopg2
from backend.database import migrations

url, directory = sys.argv[1], Path(sys.argv[2])
execute = migrations._SilentCursor.execute

def tables():
    connection = psycopg2.connect(url)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace")
        count = cursor.fetchone()[0]
    connection.close()
    return count

def migrate(last_statement):
    executed = 0
    def counting(cursor, *arguments):
        nonlocal executed
        execute(cursor, *arguments)
        executed += 1
        if executed == last_statement:
            os.kill(os.getpid(), signal.SIGKILL)
    migrations._SilentCursor.execute = counting
    migrations.apply(url, directory)
    os._exit(0)

for last_statement in range(1, 200):
    child = os.fork()
    if child == 0:
        migrate(last_statement)
    _, outcome = os.waitpid(child, 0)
    if outcome == 0:
        break
    assert os.WTERMSIG(outcome) == signal.SIGKILL
    assert tables() == 0, f"something is left after statement {last_statement}"
assert last_statement > 20, last_statement
"""


@pytest.fixture
def database(server_url: str) -> Iterator[str]:
    with scratch_database(server_url) as url:
        yield url


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    path = tmp_path / "migrations [of a test]"  # glob characters in a path are only characters
    path.mkdir()
    return path


def write(directory: Path, name: str, text: str, rollback: str | None = None) -> None:
    (directory / f"{name}.sql").write_text(text)
    if rollback is not None:
        (directory / f"{name}.rollback.sql").write_text(rollback)


def with_a_role_of_its_own(directory: Path) -> str:
    """Copy our migrations, renaming the role that the whole server shares."""
    role = f"task_api_{uuid.uuid4().hex}"
    for file in migrations.MIGRATIONS.iterdir():
        (directory / file.name).write_text(file.read_text().replace("task_api", role))
    return role


def start(program: str, url: str, directory: Path = migrations.MIGRATIONS) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 - the programs above
        [sys.executable, "-W", "error", "-c", program, url, str(directory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ,
    )


def at_once(processes: list[subprocess.Popen[str]]) -> list[list[str]]:
    """Let all go at the same moment; returns what each applied."""
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    outcomes = [process.communicate(timeout=60) for process in processes]
    assert [errors for _, errors in outcomes] == [""] * len(processes)
    return [json.loads(output) for output, _ in outcomes]


def relations(url: str) -> set[str]:
    rows = execute(url, "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'")
    return {name for (name,) in rows}


@pytest.mark.requirement("FR-061")
def test_migrations_are_applied_listed_and_taken_back(database: str) -> None:
    assert migrations.known() == FILES
    assert migrations.status(database) == [Migration(FILES[0], applied=False), Migration(FILES[1], applied=False)]
    assert migrations.apply(database) == FILES
    assert migrations.apply(database) == []
    assert migrations.status(database) == [Migration(FILES[0], applied=True), Migration(FILES[1], applied=True)]
    assert migrations.rollback(database) == FILES[1]
    assert migrations.pending(database) == [FILES[1]]
    assert migrations.rollback(database) == FILES[0]
    assert migrations.rollback(database) is None


@pytest.mark.requirement("FR-061")
def test_asking_for_the_status_creates_nothing(database: str) -> None:
    assert migrations.pending(database) == FILES
    assert relations(database) == set()


@pytest.mark.requirement("FR-070")
def test_rollbacks_leave_nothing_and_applying_again_gives_the_same_schema(database: str) -> None:
    migrations.apply(database)
    schema = execute(database, CATALOGUE)
    assert {row[1] for row in schema if row[:1] == ("relation",)} >= {"users", "tasks"}
    while migrations.rollback(database):
        pass
    assert execute(database, CATALOGUE) == []
    migrations.apply(database)
    assert execute(database, CATALOGUE) == schema


@pytest.mark.requirement("FR-062")
@pytest.mark.parametrize("isolation", ["read committed", "serializable"])
def test_eight_processes_at_once_leave_one_schema(database: str, isolation: str) -> None:
    name = make_url(database).database
    execute(database, f"ALTER DATABASE {name} SET default_transaction_isolation = '{isolation}'")
    applied = at_once([start(APPLY, database) for _ in range(8)])
    assert sorted(applied) == [[]] * 7 + [FILES]
    assert migrations.pending(database) == []


@pytest.mark.requirement("FR-062")
def test_two_databases_of_one_server_at_once_share_the_role(server_url: str, directory: Path) -> None:
    role = with_a_role_of_its_own(directory)
    with scratch_database(server_url) as one, scratch_database(server_url) as other:
        applied = at_once([start(APPLY, url, directory) for url in (one, other, one, other)])
        assert sorted(applied) == [[], [], FILES, FILES]
        assert execute(other, f"SET ROLE {role}; TABLE tasks") == []
    execute(server_url, f"DROP ROLE {role}")


@pytest.mark.requirement("FR-063")
def test_a_run_killed_in_the_middle_of_a_migration_leaves_nothing(database: str, directory: Path) -> None:
    write(directory, "1.first", "CREATE TABLE first ();")
    write(directory, "2.second", "CREATE TABLE second (); SELECT pg_sleep(600);")
    process = start(APPLY, database, directory)
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()
    sleeping = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"
    while not execute(database, sleeping):
        time.sleep(0.02)
    process.kill()
    process.communicate()
    assert relations(database) == set()
    write(directory, "2.second", "CREATE TABLE second ();")
    began = time.monotonic()
    assert migrations.apply(database, directory) == ["1.first", "2.second"]
    assert time.monotonic() - began < 20, "waited for the statement of the killed process"


@pytest.mark.requirement("FR-063")
def test_a_run_killed_after_any_statement_leaves_nothing(database: str) -> None:
    process = start(KILL_AFTER_EACH_STATEMENT, database)
    _, errors = process.communicate(timeout=100)
    assert (process.returncode, errors) == (0, "")
    assert migrations.pending(database) == []


@pytest.mark.requirement("FR-063")
def test_a_lock_row_that_yoyo_left_behind_is_no_obstacle(database: str) -> None:
    execute(database, "CREATE TABLE yoyo_lock (locked int DEFAULT 1 PRIMARY KEY, ctime timestamp, pid int NOT NULL)")
    execute(database, "INSERT INTO yoyo_lock VALUES (1, now(), 1)")
    assert migrations.apply(database) == FILES


def test_a_failing_migration_is_named_and_undoes_the_whole_run(database: str, directory: Path) -> None:
    write(directory, "1.good", "CREATE TABLE good ();")
    write(directory, "2.bad", "CREATE TABLE bad (); SELECT 1 / 0;")
    with pytest.raises(ConfigurationError, match=r"Migration 2\.bad failed, nothing was changed: division by zero"):
        migrations.apply(database, directory)
    assert relations(database) == set()


def test_a_failing_rollback_is_named_and_undone(database: str, directory: Path) -> None:
    write(directory, "1.good", "CREATE TABLE good ();", "DROP TABLE good; DROP TABLE missing;")
    migrations.apply(database, directory)
    with pytest.raises(ConfigurationError, match=r"Migration 1\.good failed.*missing"):
        migrations.rollback(database, directory)
    assert "good" in relations(database)
    assert migrations.pending(database, directory) == []


def test_a_migration_without_a_rollback_stays(database: str, directory: Path) -> None:
    write(directory, "1.forever", "CREATE TABLE forever ();")
    migrations.apply(database, directory)
    with pytest.raises(ConfigurationError, match=r"1\.forever cannot be taken back"):
        migrations.rollback(database, directory)
    assert migrations.pending(database, directory) == []


def test_what_a_newer_version_applied_is_listed_and_not_skipped_over(database: str, directory: Path) -> None:
    write(directory, "1.old", "SELECT 1;", "SELECT 1;")
    write(directory, "2.new", "SELECT 1;", "SELECT 1;")
    migrations.apply(database, directory)
    (directory / "2.new.sql").unlink()
    assert migrations.status(database, directory) == [
        Migration("1.old", applied=True),
        Migration("2.new", applied=True),
    ]
    assert migrations.pending(database, directory) == []
    with pytest.raises(ConfigurationError, match=r"2\.new is applied, but not in"):
        migrations.rollback(database, directory)


def test_a_migration_outside_a_transaction_is_refused(database: str, directory: Path) -> None:
    write(directory, "1.loose", "-- transactional: false\nCREATE TABLE loose ();")
    with pytest.raises(ConfigurationError, match="must be transactional"):
        migrations.apply(database, directory)
    assert relations(database) == set()


def test_a_folder_without_migrations_is_refused(directory: Path) -> None:
    with pytest.raises(ConfigurationError, match="There are no migrations in"):
        migrations.known(directory)


def test_all_that_sql_may_contain_arrives_unharmed(
    database: str, directory: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    write(
        directory,
        "1.all",
        """-- A comment; with a semicolon, a quote ' and 100 %s.
        /* A block; /* in a block; */ :name */
        CREATE TABLE odd (text text DEFAULT 'a;b''c%s%%d:x$$' CHECK (text LIKE '%;%'));
        DO $$
        DECLARE i int := 0;
        BEGIN
            IF i = 0 THEN i := CASE WHEN true THEN 1 ELSE 2 END; END IF;
            FOR n IN 1..2 LOOP i := i + n; END LOOP;
            EXECUTE format('INSERT INTO odd VALUES (%L)', 'i;' || i);
        EXCEPTION WHEN undefined_table THEN NULL;
        END
        $$;
        CREATE FUNCTION odd_function() RETURNS text LANGUAGE plpgsql AS $body$
        BEGIN
            RETURN '$$;' || 7 % 4;
        END
        $body$;
        INSERT INTO odd DEFAULT VALUES;
        SELECT * FROM odd; -- yoyo would print this
        """,
    )
    migrations.apply(database, directory)
    assert execute(database, "SELECT text FROM odd") == [("i;4",), ("a;b'c%s%%d:x$$",)]
    assert execute(database, "SELECT odd_function()") == [("$$;3",)]
    assert capsys.readouterr().out == ""
    assert not [record for record in caplog.records if record.name.startswith("yoyo")]


def test_a_migration_does_not_queue_for_a_table_for_ever(
    database: str, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "TABLE_LOCK_SECONDS", 1)
    write(directory, "1.wait", "ALTER TABLE busy ADD COLUMN more text;")
    execute(database, "CREATE TABLE busy ()")
    connection = psycopg2.connect(database)
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM busy")
        with pytest.raises(ConfigurationError, match=r"1\.wait failed.*lock timeout"):
            migrations.apply(database, directory)
    connection.close()


def test_waiting_for_another_process_ends(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrations, "MIGRATION_LOCK_SECONDS", 1)
    connection = psycopg2.connect(database)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", (migrations.MIGRATION_LOCK,))
        with pytest.raises(ConfigurationError, match="Another process has been migrating for 1 s"):
            migrations.apply(database)
    connection.close()
    assert migrations.apply(database) == FILES


def test_defaults_of_the_login_do_not_break_a_migration(database: str, directory: Path) -> None:
    write(directory, "1.slow", "CREATE TABLE slow (); SELECT pg_sleep(0.6);")
    name = make_url(database).database
    for setting in ("statement_timeout = '500ms'", "lock_timeout = '1ms'", "default_transaction_read_only = on"):
        execute(database, f"ALTER DATABASE {name} SET {setting}")
    assert migrations.apply(database, directory) == ["1.slow"]


def test_a_connection_that_breaks_is_reported(database: str, directory: Path) -> None:
    write(directory, "1.cut", "CREATE TABLE cut (); SELECT pg_sleep(600);")
    cut = """
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event = 'PgSleep'
    """

    def cut_it() -> None:
        while not execute(database, cut):
            time.sleep(0.02)

    thread = threading.Thread(target=cut_it)
    thread.start()
    with pytest.raises(ConfigurationError):
        migrations.apply(database, directory)
    thread.join()
    assert relations(database) == set()


def test_a_login_like_that_of_neon_can_migrate_and_switch_to_the_role(server_url: str, directory: Path) -> None:
    role = with_a_role_of_its_own(directory)
    login, password = f"owner_{uuid.uuid4().hex}", "p@ss/w%rd: ü"
    execute(server_url, f"CREATE ROLE {login} LOGIN CREATEROLE CREATEDB BYPASSRLS PASSWORD '{password}'")
    theirs = make_url(server_url).set(username=login, password=password).render_as_string(hide_password=False)
    try:
        with scratch_database(theirs) as url:
            assert migrations.apply(url, directory) == FILES
            execute(url, "INSERT INTO users (id) VALUES ('one'), ('two')")
            seen = "SELECT id FROM users"
            assert execute(url, f"SET ROLE {role}; {seen}") == []
            assert execute(url, f"SET ROLE {role}; SET app.user_id = 'one'; {seen}") == [("one",)]
            assert migrations.rollback(url, directory) == FILES[1]
            assert migrations.rollback(url, directory) == FILES[0]
            assert migrations.apply(url, directory) == FILES
        execute(theirs, f"DROP ROLE {role}")
    finally:
        execute(server_url, f"DROP ROLE {login}")


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_a_url_works_however_its_scheme_is_written(database: str, scheme: str) -> None:
    url = f"{scheme}://{database.partition('://')[2]}"
    assert migrations.pending(url) == FILES


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("postgresql://u:s3cret@127.0.0.1:1/db?sslmode=prefer&channel_binding=prefer", r"Connection refused"),
        ("postgresql://u:pre@s3cret@127.0.0.1:1/db?connect_timeout=2", "cannot be reached"),
        ("postgresql://u:pre/s3cret@127.0.0.1/db", "cannot be reached"),
        ("postgresql://u:s3cret%zz@127.0.0.1/db", "cannot be read"),
        ("postgresql://u:s3cret@127.0.0.1/db?schema=s3cret", "cannot be read"),
        ("mysql://u:s3cret@127.0.0.1/db", "must look like"),
        ("s3cret", "must look like"),
    ],
)
@pytest.mark.requirement("FR-067")
def test_a_url_that_does_not_work_is_explained_without_the_password(url: str, message: str) -> None:
    for action in (migrations.apply, migrations.rollback, migrations.status, migrations.pending):
        with pytest.raises(ConfigurationError, match=message) as caught:
            action(url)
        assert "DATABASE_URL" in str(caught.value)
        assert "s3cret" not in str(caught.value)


def test_a_refusal_of_the_server_is_passed_on(database: str) -> None:
    missing = make_url(database).set(database="no_such_database").render_as_string(hide_password=False)
    with pytest.raises(ConfigurationError, match='database "no_such_database" does not exist'):
        migrations.status(missing)
    execute(database, "CREATE VIEW _yoyo_migration AS SELECT 1 AS something")
    with pytest.raises(ConfigurationError, match=r"The database refused: column .* does not exist"):
        migrations.status(database)
