"""Statements in their prepared form, and what a connection sends for them."""

from __future__ import annotations

import pytest
from sqlalchemy import ARRAY, Executable, Text, Uuid, cast, literal, select, text
from sqlalchemy import bindparam as bind

from backend.database.prepared import MAX_PLAN_SECONDS, MAX_PREPARED, Prepared, PreparedStatements
from backend.database.statements import OF_MANY_ROWS, compile_statement, joined
from backend.services.tasks.listing_queries import Shape, compiled_list

GET = Prepared("get", "PREPARE get AS SELECT 1", "EXECUTE get")
PUT = Prepared("put", "PREPARE put AS SELECT 2", "EXECUTE put")


@pytest.mark.requirement("FR-505")
def test_values_are_numbered_and_typed_and_constants_are_written() -> None:
    named = select(
        bind("task", type_=Uuid), literal("50 % off", Text), cast(bind("words"), ARRAY(Text)), bind("task", type_=Uuid)
    )

    (prepared,) = compile_statement(named).prepared

    head, _, body = prepared.prepare.partition(" AS ")
    assert head == f"PREPARE {prepared.name} (UUID, TEXT[])"
    assert body.count("$1") == 2
    assert body.count("$2") == 1
    assert "'50 %% off'" in body
    assert prepared.execute == f"EXECUTE {prepared.name} (%(task)s, %(words)s::TEXT[])"


@pytest.mark.requirement("FR-505")
def test_the_same_statement_always_has_the_same_name_and_another_one_another() -> None:
    first, second, other = (compile_statement(select(literal(number))).prepared[0] for number in (1, 1, 2))

    assert first == second
    assert first.name != other.name


@pytest.mark.requirement("FR-505")
def test_statements_of_one_message_are_each_prepared() -> None:
    both = joined(select(literal(1)), select(literal(2)))

    assert [each.execute for each in both.prepared] == [f"EXECUTE {each.name}" for each in both.prepared]
    assert len(both.prepared) == 2


@pytest.mark.requirement("FR-505")
def test_a_message_with_plain_sql_is_not_prepared() -> None:
    assert joined(select(literal(1)), text("SELECT 2")).prepared == ()


@pytest.mark.requirement("FR-507")
@pytest.mark.parametrize(
    "statement", [select(cast(bind("ids"), ARRAY(Uuid))), select(literal(1)).execution_options(**OF_MANY_ROWS)]
)
def test_what_is_of_many_rows_is_not_prepared(statement: Executable) -> None:
    assert compile_statement(statement).prepared == ()


@pytest.mark.requirement("FR-505")
def test_plain_sql_is_not_prepared() -> None:
    assert compile_statement(text("SET LOCAL role = 'nobody'; SELECT 1")).prepared == ()


@pytest.mark.requirement("FR-505")
def test_a_statement_is_prepared_when_it_is_first_used() -> None:
    kept = PreparedStatements()

    assert kept.executing([GET, PUT]) == f"{GET.prepare}; {GET.execute}; {PUT.prepare}; {PUT.execute}"
    assert kept.executing([PUT]) == PUT.execute


@pytest.mark.requirement("FR-506")
def test_after_an_error_everything_is_prepared_anew() -> None:
    kept = PreparedStatements()
    kept.executing([GET, PUT])
    kept.is_unsure = True

    assert kept.executing([GET]) == f"DEALLOCATE ALL; {GET.prepare}; {GET.execute}"
    assert kept.executing([PUT]) == f"{PUT.prepare}; {PUT.execute}"


@pytest.mark.requirement("FR-507")
def test_the_statement_that_was_used_longest_ago_makes_room() -> None:
    kept = PreparedStatements()
    many = [Prepared(f"s{number}", f"PREPARE s{number}", f"EXECUTE s{number}") for number in range(MAX_PREPARED)]
    kept.executing([GET])
    kept.executing(many[1:])
    kept.executing([GET])  # used again

    assert kept.executing([PUT]) == f"DEALLOCATE s1; {PUT.prepare}; {PUT.execute}"
    assert kept.executing([GET]) == GET.execute
    assert len(kept.names) == MAX_PREPARED


@pytest.mark.requirement("FR-507")
def test_plans_are_made_anew_after_some_seconds() -> None:
    kept = PreparedStatements()
    kept.executing([GET])
    kept.planned -= MAX_PLAN_SECONDS

    assert kept.executing([GET]) == f"DISCARD PLANS; {GET.execute}"
    assert kept.executing([GET]) == GET.execute


@pytest.mark.requirement("FR-507")
@pytest.mark.parametrize(("filters", "is_prepared"), [((), True), (("done", "list_id"), True), (("q",), False)])
def test_a_listing_is_prepared_unless_its_plan_depends_on_its_values(
    filters: tuple[str, ...], *, is_prepared: bool
) -> None:
    assert bool(compiled_list(Shape(filters=frozenset(filters))).prepared) is is_prepared
