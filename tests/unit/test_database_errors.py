"""What an error of the driver means for the connection, and for the work that met it."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import psycopg2
import pytest
from psycopg2 import errors
from sqlalchemy import text

from backend.database.errors import DatabaseUnavailable, Interrupted, StatementRefused, is_lost, meaning_of
from backend.database.session import SessionFactory
from backend.database.statements import Compiled, joined
from backend.database.waiting import Silence

OPEN, CLOSED = SimpleNamespace(closed=0), SimpleNamespace(closed=2)


def refusal(kind: type[psycopg2.Error], sqlstate: str) -> psycopg2.Error:
    """Build an error as the driver raises it when Postgres refuses something."""
    error = kind("refused")
    error.__setstate__({"pgcode": sqlstate})
    return error


SERIALIZATION = refusal(errors.SerializationFailure, "40001")
DEADLOCK = refusal(errors.DeadlockDetected, "40P01")
READ_ONLY = refusal(errors.ReadOnlySqlTransaction, "25006")
TIMEOUT = refusal(errors.QueryCanceled, "57014")
DUPLICATE = refusal(errors.UniqueViolation, "23505")
POOLER = refusal(errors.ConnectionFailure, "08006")


@pytest.mark.requirement("FR-155", "FR-156")
@pytest.mark.parametrize(
    "error",
    [
        psycopg2.OperationalError("server closed the connection unexpectedly"),
        psycopg2.InterfaceError("connection already closed"),
        psycopg2.DatabaseError("lost synchronization with server"),
        Silence("the server does not answer in time"),
        POOLER,
        READ_ONLY,
        asyncio.CancelledError(),
        ValueError("a defect"),
    ],
    ids=repr,
)
def test_a_connection_is_lost_with_it(error: BaseException) -> None:
    assert is_lost(OPEN, error)


@pytest.mark.requirement("FR-155", "FR-156")
@pytest.mark.parametrize(
    "error",
    [
        psycopg2.ProgrammingError("can't adapt type"),
        psycopg2.DataError("out of range"),
        SERIALIZATION,
        DEADLOCK,
        TIMEOUT,
        DUPLICATE,
    ],
    ids=repr,
)
def test_a_connection_outlives_it_unless_the_driver_has_closed_it(error: BaseException) -> None:
    assert not is_lost(OPEN, error)
    assert is_lost(CLOSED, error)


@pytest.mark.requirement("FR-158")
@pytest.mark.parametrize(
    ("error", "is_connected", "may_be_done", "is_in_doubt"),
    [
        (psycopg2.OperationalError("lost"), False, True, True),
        (psycopg2.OperationalError("lost"), False, False, False),
        (DUPLICATE, False, True, True),
        (SERIALIZATION, True, True, False),
        (SERIALIZATION, False, True, False),
        (DEADLOCK, True, True, False),
        (READ_ONLY, False, True, False),
    ],
)
def test_interrupted_work_knows_whether_it_may_have_been_done(
    error: psycopg2.Error, *, is_connected: bool, may_be_done: bool, is_in_doubt: bool
) -> None:
    failure = meaning_of(error, is_connected=is_connected, may_be_done=may_be_done)

    assert isinstance(failure, Interrupted)
    assert failure.may_be_done == is_in_doubt


@pytest.mark.requirement("FR-158")
@pytest.mark.parametrize(("error", "kind"), [(TIMEOUT, DatabaseUnavailable), (DUPLICATE, StatementRefused)])
def test_a_refusal_on_a_connection_that_lives_is_no_interruption(error: psycopg2.Error, kind: type[Exception]) -> None:
    assert type(meaning_of(error, is_connected=True, may_be_done=True)) is kind


class Dying:
    """An engine and its one connection, which is lost in the ROLLBACK after a statement that Postgres has refused."""

    is_valid = True

    def __init__(self, refusal: psycopg2.Error) -> None:
        self.sent: list[str] = []
        self._refusal = refusal

    def connect(self) -> Dying:
        return self

    def close(self) -> None:
        """Return the connection."""

    def prepared_sql(self, statement: Compiled) -> str:
        return statement.sql

    def server_milliseconds(self) -> int:
        return 1

    def send(self, sql: str, *_: object) -> None:
        self.sent.append(sql.partition(";")[0])
        if sql != "ROLLBACK":
            raise self._refusal
        self.is_valid = False
        raise psycopg2.OperationalError("lost")


@pytest.mark.requirement("FR-158")
@pytest.mark.parametrize(("error", "kind"), [(TIMEOUT, DatabaseUnavailable), (DUPLICATE, StatementRefused)])
def test_work_that_was_refused_is_not_repeated_because_its_connection_is_lost_later(
    error: psycopg2.Error, kind: type[Exception]
) -> None:
    engine: Any = Dying(error)

    with pytest.raises(kind) as raised, SessionFactory(engine).transaction("a") as transaction:
        transaction.begin(joined(text("SELECT 1")), {})

    assert raised.type is kind
    assert engine.sent == ["BEGIN ISOLATION LEVEL READ COMMITTED", "ROLLBACK"]
