"""Faults of a migration, a server or a URL, and the resulting messages."""

from __future__ import annotations

import logging
import re
import threading
import uuid
from pathlib import Path

import psycopg2
import pytest
from sqlalchemy import make_url

from backend.database import errors
from backend.database.migrations import runner as migrations
from backend.database.migrations.runner import Migration
from backend.errors import ConfigurationError
from tests.fixtures.postgres.database import database_owned_by, execute
from tests.fixtures.postgres.migrating import FILES, relations, with_a_role_of_its_own, write
from tests.fixtures.running.waiting import until


def test_a_failing_migration_is_named_and_undoes_the_whole_run(empty_database_url: str, directory: Path) -> None:
    write(directory, "1.good", "CREATE TABLE good ();")
    write(directory, "2.bad", "CREATE TABLE bad (); SELECT 1 / 0;")
    with pytest.raises(ConfigurationError, match=r"Migration 2\.bad failed, nothing was changed: division by zero"):
        migrations.apply(empty_database_url, directory)
    assert relations(empty_database_url) == set()


def test_a_failing_rollback_is_named_and_undone(empty_database_url: str, directory: Path) -> None:
    write(directory, "1.good", "CREATE TABLE good ();", "DROP TABLE good; DROP TABLE missing;")
    migrations.apply(empty_database_url, directory)
    with pytest.raises(ConfigurationError, match=r"Migration 1\.good failed.*missing"):
        migrations.rollback(empty_database_url, directory)
    assert "good" in relations(empty_database_url)
    assert migrations.pending(empty_database_url, directory) == []


def test_a_migration_without_a_rollback_stays(empty_database_url: str, directory: Path) -> None:
    write(directory, "1.forever", "CREATE TABLE forever ();")
    migrations.apply(empty_database_url, directory)
    with pytest.raises(ConfigurationError, match=r"1\.forever cannot be taken back"):
        migrations.rollback(empty_database_url, directory)
    assert migrations.pending(empty_database_url, directory) == []


def test_what_a_newer_version_applied_is_listed_and_not_skipped_over(empty_database_url: str, directory: Path) -> None:
    write(directory, "1.old", "SELECT 1;", "SELECT 1;")
    write(directory, "2.new", "SELECT 1;", "SELECT 1;")
    migrations.apply(empty_database_url, directory)
    (directory / "2.new.sql").unlink()
    assert migrations.status(empty_database_url, directory) == [
        Migration("1.old", applied=True),
        Migration("2.new", applied=True),
    ]
    assert migrations.pending(empty_database_url, directory) == []
    with pytest.raises(ConfigurationError, match=r"2\.new is applied, but not in"):
        migrations.rollback(empty_database_url, directory)


def test_a_migration_that_cannot_be_in_a_transaction_is_refused(empty_database_url: str, directory: Path) -> None:
    write(directory, "1.loose", "CREATE TABLE loose (id int); CREATE INDEX CONCURRENTLY ON loose (id);")
    with pytest.raises(ConfigurationError, match="cannot run inside a transaction block"):
        migrations.apply(empty_database_url, directory)
    assert relations(empty_database_url) == set()


def test_a_folder_without_migrations_is_refused(directory: Path) -> None:
    with pytest.raises(ConfigurationError, match="There are no migrations in"):
        migrations.known(directory)


def test_all_that_sql_may_contain_arrives_unharmed(
    empty_database_url: str, directory: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
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
        SELECT * FROM odd; -- nobody prints this
        """,
    )
    migrations.apply(empty_database_url, directory)
    assert execute(empty_database_url, "SELECT text FROM odd") == [("i;4",), ("a;b'c%s%%d:x$$",)]
    assert execute(empty_database_url, "SELECT odd_function()") == [("$$;3",)]
    assert capsys.readouterr().out == ""
    assert not caplog.records


def test_a_migration_does_not_queue_for_a_table_for_ever(
    empty_database_url: str, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "TABLE_LOCK_SECONDS", 0.2)
    monkeypatch.setattr(migrations, "PAUSE_SECONDS", 0)
    write(directory, "1.wait", "ALTER TABLE busy ADD COLUMN more text;")
    execute(empty_database_url, "CREATE TABLE busy ()")
    connection = psycopg2.connect(empty_database_url)
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM busy")
        with pytest.raises(ConfigurationError, match=r"1\.wait failed.*lock timeout"):
            migrations.apply(empty_database_url, directory)
    connection.close()


@pytest.mark.requirement("FR-062")
def test_a_migration_waits_for_tables_as_long_as_is_said_and_not_as_long_as_for_other_migrations(
    empty_database_url: str, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "TABLE_LOCK_SECONDS", 0.2)
    write(directory, "1.look", "CREATE TABLE found AS SELECT current_setting('lock_timeout') AS lock_timeout;")

    migrations.apply(empty_database_url, directory)

    assert execute(empty_database_url, "SELECT lock_timeout FROM found") == [("200ms",)]


def test_waiting_for_another_process_ends(empty_database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrations, "MIGRATION_LOCK_SECONDS", 0.2)
    connection = psycopg2.connect(empty_database_url)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", (migrations.MIGRATION_LOCK,))
        with pytest.raises(ConfigurationError, match=r"Another process has been migrating for 0\.2 s"):
            migrations.apply(empty_database_url)
    connection.close()
    assert migrations.apply(empty_database_url) == FILES


def test_defaults_of_the_login_do_not_break_a_migration(empty_database_url: str, directory: Path) -> None:
    write(directory, "1.slow", "CREATE TABLE slow (); SELECT pg_sleep(0.6);")
    name = make_url(empty_database_url).database
    for setting in ("statement_timeout = '500ms'", "lock_timeout = '1ms'", "default_transaction_read_only = on"):
        execute(empty_database_url, f"ALTER DATABASE {name} SET {setting}")
    assert migrations.apply(empty_database_url, directory) == ["1.slow"]


def test_a_connection_that_breaks_is_reported(empty_database_url: str, directory: Path) -> None:
    write(directory, "1.cut", "CREATE TABLE cut (); SELECT pg_sleep(600);")
    cut = """
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event = 'PgSleep'
    """

    def cut_it() -> None:
        until(lambda: execute(empty_database_url, cut))

    thread = threading.Thread(target=cut_it)
    thread.start()
    with pytest.raises(ConfigurationError):
        migrations.apply(empty_database_url, directory)
    thread.join()
    assert relations(empty_database_url) == set()


def test_a_login_like_that_of_neon_can_migrate_and_switch_to_the_role(server_url: str, directory: Path) -> None:
    role = with_a_role_of_its_own(directory)
    login, password = f"owner_{uuid.uuid4().hex}", "p@ss/w%rd: ü"
    execute(server_url, f"CREATE ROLE {login} LOGIN CREATEROLE CREATEDB BYPASSRLS PASSWORD '{password}'")
    theirs = make_url(server_url).set(username=login, password=password).render_as_string(hide_password=False)
    try:
        with database_owned_by(theirs, server_url) as url:
            assert migrations.apply(url, directory) == FILES
            execute(url, "INSERT INTO users (id) VALUES ('one'), ('two')")
            seen = "SELECT id FROM users"
            assert execute(url, f"SET ROLE {role}; {seen}") == []
            assert execute(url, f"SET ROLE {role}; SET app.user_id = 'one'; {seen}") == [("one",)]
            assert [migrations.rollback(url, directory) for _ in FILES] == FILES[::-1]
            assert migrations.apply(url, directory) == FILES
        execute(theirs, f"DROP ROLE {role}")
    finally:
        execute(server_url, f"DROP ROLE {login}")


def test_a_login_that_may_not_migrate_is_told_whose_address_is_needed(server_url: str, empty_database_url: str) -> None:
    login, password = f"service_{uuid.uuid4().hex}", uuid.uuid4().hex
    execute(server_url, f"CREATE ROLE {login} LOGIN PASSWORD '{password}'")
    url = make_url(empty_database_url).set(username=login, password=password)
    try:
        with pytest.raises(ConfigurationError, match=r"permission denied .*Migrate as the owner"):
            migrations.apply(url.render_as_string(hide_password=False))
    finally:
        execute(server_url, f"DROP ROLE {login}")


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_a_url_works_however_its_scheme_is_written(empty_database_url: str, scheme: str) -> None:
    url = f"{scheme}://{empty_database_url.partition('://')[2]}"
    assert migrations.pending(url) == FILES


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("postgresql://u:s3cret@127.0.0.1:1/db?sslmode=prefer&channel_binding=prefer", r"Connection refused"),
        ("postgresql://u:pre@s3cret@127.0.0.1:1/db?connect_timeout=2", "cannot be reached"),
        ("postgresql://u:pre/s3cret@127.0.0.1/db", "port must be a whole number"),
        ("postgresql://u:s3cret%zz@127.0.0.1/db", "cannot be read"),
        ("postgresql://u:s3cret@127.0.0.1/db?schema=s3cret", "cannot be read"),
        ("mysql://u:s3cret@127.0.0.1/db", "must look like"),
        ("s3cret", "must look like"),
    ],
)
@pytest.mark.requirement("FR-067")
def test_a_url_that_does_not_work_is_explained_without_the_password(
    url: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(errors, "_FOR_GOOD", re.compile(""))  # never wait for any fault to pass
    for action in (migrations.apply, migrations.rollback, migrations.status, migrations.pending):
        with pytest.raises(ConfigurationError, match=message) as caught:
            action(url)
        assert "DATABASE_URL" in str(caught.value)
        assert "s3cret" not in str(caught.value)


def test_a_refusal_of_the_server_is_passed_on(empty_database_url: str) -> None:
    missing = make_url(empty_database_url).set(database="no_such_database").render_as_string(hide_password=False)
    with pytest.raises(ConfigurationError, match='database "no_such_database" does not exist'):
        migrations.status(missing)
    execute(empty_database_url, "CREATE VIEW _yoyo_migration AS SELECT 1 AS something")
    with pytest.raises(ConfigurationError, match=r"The database refused: column .* does not exist"):
        migrations.status(empty_database_url)
