"""`docs/growing.md`: its numbers are those that were measured, and its statements spread the schema as it is."""

from __future__ import annotations

import re

import pytest

from tests.contract.test_spread import ACROSS_USERS, OF_ADDRESSES
from tests.fixtures.postgres.catalog import TABLES, owner_column
from tests.fixtures.postgres.database import execute
from tests.growth import page

TEXT = page.PAGE.read_text(encoding="utf-8")
KEYS = """
SELECT conrelid::regclass::text, conname::text, array_agg(attname::text)
FROM pg_constraint JOIN pg_attribute ON attrelid = conrelid AND attnum = ANY (conkey)
WHERE contype IN ('p', 'u') AND conrelid = ANY (%s::oid[]) GROUP BY 1, 2
UNION ALL
SELECT indrelid::regclass::text, indexrelid::regclass::text, array_agg(attname::text)
FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey)
WHERE indisunique AND indrelid = ANY (%s::oid[]) GROUP BY 1, 2
"""
# The column on each side that comes first, and what happens when the other row goes.
REFERENCES = """
SELECT conname::text, conrelid::regclass::text, mine.attname::text, confrelid::regclass::text, theirs.attname::text,
    confdeltype::text
FROM pg_constraint
JOIN pg_attribute AS mine ON mine.attrelid = conrelid AND mine.attnum = conkey[1]
JOIN pg_attribute AS theirs ON theirs.attrelid = confrelid AND theirs.attnum = confkey[1]
WHERE contype = 'f'
"""
COLUMN_TYPE = """
SELECT format_type(atttypid, atttypmod), attcollation FROM pg_attribute WHERE attrelid = %s::regclass AND attname = %s
"""
FIRST_COLUMNS = """
SELECT indexrelid::regclass::text, indrelid::regclass::text, attname::text
FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0] WHERE indrelid = ANY (%s::oid[])
"""
DEFINITION = "SELECT pg_get_indexdef(%s::regclass)"
LEFT_BEHIND = """
SELECT proname::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace
UNION SELECT rolname FROM pg_roles, pg_policies WHERE rolname = ANY (roles)
UNION SELECT conname FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid
WHERE contype = 'u' AND relname !~ 'yoyo' AND connamespace = 'public'::regnamespace
"""


def statements(heading: str) -> list[str]:
    """Return the statements under a heading of the page."""
    block = TEXT.partition(f"\n### {heading}\n")[2].partition("```sql\n")[2].partition("```")[0]
    return [" ".join(each.split()) for each in block.split(";\n") if each.strip()]


@pytest.fixture
def tables(schema_url: str) -> dict[str, int]:
    """Return our tables and their numbers."""
    return {name: number for number, name, _ in execute(schema_url, TABLES)}


@pytest.mark.requirement("FR-517")
def test_its_numbers_are_those_that_were_measured() -> None:
    assert page.filled(TEXT) == TEXT
    assert page.PICTURE.read_text(encoding="utf-8") == page.picture()
    assert set(re.findall(r"(\d+) (?:get|list|edit|create)", TEXT)) >= {str(each) for each in page.SHARES.values()}
    assert f"{page.REQUESTS_A_DAY} requests a day" in TEXT
    assert f"{page.BUSY:.0%}".replace("%", " %") in TEXT
    assert f"divide by {page.BUSY * 1e6:,.0f}" in TEXT


@pytest.mark.requirement("FR-517")
def test_a_number_that_was_not_measured_is_noticed() -> None:
    head = next(iter(page.TABLES))
    changed = re.sub(rf"({re.escape(head)}\n.+\n\|[^|]+\|) [\d,]+ \|", r"\1 1 |", TEXT)

    assert changed != TEXT
    assert page.filled(changed) == TEXT


@pytest.mark.requirement("FR-518")
def test_citus_distributes_every_table_by_its_user_and_after_those_that_it_refers_to(
    schema_url: str, tables: dict[str, int]
) -> None:
    """Its rules: https://docs.citusdata.com, "Creating and modifying distributed tables"."""
    pattern = r"SELECT create_distributed_table\('(\w+)', '(\w+)'(?:, colocate_with => '(\w+)')?\)"
    changed, *rest = statements("Citus")
    found = [re.fullmatch(pattern, each) for each in rest]
    spread = {match[1]: (match[2], match[3]) for match in found if match}
    assert len(found) == len(spread)
    assert sorted(spread) == sorted(tables)
    assert spread.pop("email_keys") == ("email_key", "none")
    order = list(spread)
    for table, (column, beside) in spread.items():
        assert column == owner_column(table)
        assert beside == (None if table == order[0] else order[0])  # rows of a user lie together
    types = {execute(schema_url, COLUMN_TYPE, table, column)[0] for table, (column, _) in spread.items()}
    assert len(types) == 1  # or tables could not lie together
    ids = [*tables.values()]
    for table, name, columns in execute(schema_url, KEYS, ids, ids):
        by = "email_key" if table == "email_keys" else owner_column(table)
        assert by in columns or f"DROP CONSTRAINT {name}" in changed, name
    for name, table, column, other, others_column, on_delete in execute(schema_url, REFERENCES):
        assert (column, others_column) == (owner_column(table), owner_column(other)), name
        assert on_delete in "acr", name
        if table == "email_keys":  # it lies elsewhere than the user
            assert f"DROP CONSTRAINT {name}" in changed
        else:
            assert order.index(other) < order.index(table), name


@pytest.mark.requirement("FR-518")
@pytest.mark.parametrize(
    ("database", "sorting", "method"), [("YugabyteDB", " ASC", ""), ("CockroachDB", "", " USING HASH")]
)
def test_each_index_that_no_user_leads_is_made_anew(
    schema_url: str, tables: dict[str, int], database: str, sorting: str, method: str
) -> None:
    """Their rules: the pages CREATE INDEX of YugabyteDB, and "Hash-sharded indexes" of CockroachDB."""
    dropped, *made = statements(database)
    leading = {
        name: column
        for name, table, column in execute(schema_url, FIRST_COLUMNS, [*tables.values()])
        if column != owner_column(table)
    }

    assert leading.keys() == ACROSS_USERS | OF_ADDRESSES
    leading = {name: leading[name] for name in ACROSS_USERS}  # an address is not a time
    assert sorted(dropped.removeprefix("DROP INDEX ").split(", ")) == sorted(leading)
    for name, column in leading.items():
        ((today,),) = execute(schema_url, DEFINITION, name)
        new = (
            today.replace("public.", "")
            .replace(" USING btree", "")
            .replace(f"({column})", f"({column}{sorting}){method}", 1)
        )
        assert re.sub(r"WHERE \((.+)\)", r"WHERE \1", new) in made
    assert len(made) == len(leading)


@pytest.mark.requirement("FR-518")
def test_it_names_what_would_not_survive(schema_url: str) -> None:
    table = TEXT.partition("\n## What does not survive\n")[2]
    named = set(re.findall(r"`(\w+)`", table))

    found = {name for (name,) in execute(schema_url, LEFT_BEHIND)}
    assert found >= {"users_with_expired_rows", "task_api"}
    assert found <= named
    assert "pg_advisory_xact_lock" in named
