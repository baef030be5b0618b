"""Whether row-level security works: requests take on their role, and it binds that role on every table."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from typing import Any

from psycopg2.extensions import quote_ident
from sqlalchemy import text

from backend.database.errors import RoleRefused
from backend.database.guard import ROLE
from backend.database.session import SessionFactory
from backend.models.tables import TABLES
from backend.models.user import NOBODY

# One row for each table: its name, and what is wrong with its row-level security, or null. It runs as the role that it
# checks, so row_security_active() covers owners, members of roles, and roles that bypass row-level security.
SQL = """
SELECT wanted.name,
       CASE WHEN pg_class.oid IS NULL THEN 'missing'
            WHEN rolsuper OR rolbypassrls THEN 'passed by'
            WHEN NOT relrowsecurity THEN 'off'
            WHEN NOT row_security_active(pg_class.oid) THEN 'owned'
            WHEN of_the_user IS NULL THEN 'without policy'
            WHEN NOT of_the_user THEN 'open'
       END AS gap
FROM unnest(CAST(:tables AS text[])) AS wanted (name)
JOIN pg_roles ON rolname = current_user
LEFT JOIN pg_class ON pg_class.oid = to_regclass(wanted.name)
LEFT JOIN LATERAL (
    -- Permissive policies add up: one that does not look at the user is one too many.
    SELECT bool_and(strpos(coalesce(pg_get_expr(polqual, polrelid), 'app.user_id'), 'app.user_id') > 0
                AND strpos(coalesce(pg_get_expr(polwithcheck, polrelid), 'app.user_id'), 'app.user_id') > 0)
    FROM pg_policy
    WHERE polrelid = pg_class.oid AND polpermissive
      AND EXISTS (SELECT FROM unnest(polroles) AS role WHERE role = 0 OR pg_has_role(role, 'USAGE'))
) AS policies (of_the_user) ON true
ORDER BY wanted.name
"""
_CHECK = text(SQL)

_ADVICE = {
    "missing": f"the role {ROLE} cannot see the table {{table}}. Run: GRANT USAGE ON SCHEMA public TO {ROLE}",
    "passed by": f"row-level security does not bind the role {ROLE}. Run: ALTER ROLE {ROLE} NOSUPERUSER NOBYPASSRLS",
    "off": "row-level security of {table} is off. Run: ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
    "owned": f"the role {ROLE} has the rights of the owner of {{table}}, so row-level security does not bind it. "
    f"Give the table another owner, or remove {ROLE} from the role that owns it",
    "without policy": f"{{table}} has no policy for the role {ROLE}, so nobody sees its rows. "
    "Restore the policy from its migration",
    "open": f"a policy of {{table}} shows the role {ROLE} the rows of every user. Drop it: see pg_policies",
}


def parameters() -> dict[str, list[str]]:
    """Return the statement's parameters: the names of all our tables."""
    return {"tables": [table.name for table in TABLES]}


def gaps_of(rows: Iterable[tuple[str, str | None]]) -> list[str]:
    """Return what to do about each gap."""
    # A dictionary removes duplicates: a problem with the role appears on every table.
    return list({_ADVICE[gap].format(table=table): None for table, gap in rows if gap})


def find_gaps(sessions: SessionFactory) -> list[str]:
    """Return what is wrong with row-level security, and what to do about it; empty if nothing is wrong.

    Raises ServiceUnavailable when the database does not answer.
    """
    try:
        with sessions(NOBODY) as session:
            return gaps_of((name, gap) for name, gap in session.exec(_CHECK, params=parameters()))
    except RoleRefused as error:
        return [_MISSING_ROLE if error.is_missing else _how_to_grant(sessions)]


_MISSING_ROLE = (
    f"the role {ROLE} is missing on this server. The dump of a database contains no roles: first restore "
    "them from the output of pg_dumpall --roles-only, then the database"
)


def _how_to_grant(sessions: SessionFactory) -> str:
    with closing(sessions.engine.connect()) as connection:
        driver: Any = connection.driver_connection
        login = quote_ident(driver.info.user, driver)
        options = " WITH INHERIT FALSE, SET TRUE" if driver.info.server_version >= 160000 else ""  # noqa: PLR2004
    return f"the login {login} may not switch to the role {ROLE}. Run: GRANT {ROLE} TO {login}{options}"
