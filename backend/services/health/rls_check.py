"""Whether row-level security works: requests take on their role, and it binds that role on every table.

Requests with a token for one list have a role of their own, which is bound to that list, too.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from typing import Any
from uuid import UUID

from psycopg2.extensions import quote_ident
from sqlalchemy import text

from backend.database.errors import RoleRefused
from backend.database.guard import ROLE, ROLE_OF_LIST
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
FROM unnest(CAST(:tables AS text[]), CAST(:settings AS text[])) AS wanted (name, setting)
JOIN pg_roles ON rolname = current_user
LEFT JOIN pg_class ON pg_class.oid = to_regclass(wanted.name)
LEFT JOIN LATERAL (
    -- Permissive policies add up: one that does not look at the user, or the list, is one too many.
    SELECT bool_and(strpos(coalesce(pg_get_expr(polqual, polrelid), setting), setting) > 0
                AND strpos(coalesce(pg_get_expr(polwithcheck, polrelid), setting), setting) > 0)
    FROM pg_policy
    WHERE polrelid = pg_class.oid AND polpermissive
      AND EXISTS (SELECT FROM unnest(polroles) AS role WHERE role = 0 OR pg_has_role(role, 'USAGE'))
) AS policies (of_the_user) ON true
ORDER BY wanted.name
"""
_CHECK = text(SQL)

# What the policies of each table must look at, for each role. A request in one list reaches no other tables.
_USER, _LIST = "app.user_id", "app.list_id"
_SETTINGS = {
    ROLE: {table.name: _USER for table in TABLES},
    ROLE_OF_LIST: {
        "users": _USER,
        "labels": _USER,
        **dict.fromkeys(("tasks", "lists", "tombstones", "idempotency_keys"), _LIST),
    },
}
_NO_LIST = UUID(int=0)

_ADVICE = {
    "missing": "the role {role} cannot see the table {table}. Run: GRANT USAGE ON SCHEMA public TO {role}",
    "passed by": "row-level security does not bind the role {role}. Run: ALTER ROLE {role} NOSUPERUSER NOBYPASSRLS",
    "off": "row-level security of {table} is off. Run: ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
    "owned": "the role {role} has the rights of the owner of {table}, so row-level security does not bind it. "
    "Give the table another owner, or remove {role} from the role that owns it",
    "without policy": "{table} has no policy for the role {role}, so nobody sees its rows. "
    "Restore the policy from its migration",
    "open": "a policy of {table} shows the role {role} the rows of every user, or of every list. "
    "Drop it: see pg_policies",
}


def parameters(role: str = ROLE) -> dict[str, list[str]]:
    """Return the statement's parameters: the names of the tables that the role reaches, and what binds it there."""
    return {"tables": [*_SETTINGS[role]], "settings": [*_SETTINGS[role].values()]}


def gaps_of(rows: Iterable[tuple[str, str | None]], role: str = ROLE) -> list[str]:
    """Return what to do about each gap."""
    # A dictionary removes duplicates: a problem with the role appears on every table.
    return list({_ADVICE[gap].format(table=table, role=role): None for table, gap in rows if gap})


def gaps_in_list(sessions: SessionFactory) -> list[str]:
    """Return what is wrong for requests with a token for one list; raises RoleRefused, and what sessions raise."""
    with sessions.limited_to(_NO_LIST)(NOBODY) as session:
        rows = session.exec(_CHECK, params=parameters(ROLE_OF_LIST))
    return gaps_of(((name, gap) for name, gap in rows), ROLE_OF_LIST)


def find_gaps(sessions: SessionFactory) -> list[str]:
    """Return what is wrong with row-level security, and what to do about it; empty if nothing is wrong.

    Raises ServiceUnavailable when the database does not answer.
    """
    try:
        with sessions(NOBODY) as session:
            gaps = gaps_of((name, gap) for name, gap in session.exec(_CHECK, params=parameters()))
        return gaps or gaps_in_list(sessions)
    except RoleRefused as error:
        return [_MISSING_ROLE.format(role=error.role) if error.is_missing else _how_to_grant(sessions, error.role)]


_MISSING_ROLE = (
    "the role {role} is missing on this server. The dump of a database contains no roles: first restore "
    "them from the output of pg_dumpall --roles-only, then the database"
)


def _how_to_grant(sessions: SessionFactory, role: str) -> str:
    with closing(sessions.engine.connect()) as connection:
        driver: Any = connection.driver_connection
        login = quote_ident(driver.info.user, driver)
        options = " WITH INHERIT FALSE, SET TRUE" if driver.info.server_version >= 160000 else ""  # noqa: PLR2004
    return f"the login {login} may not switch to the role {role}. Run: GRANT {role} TO {login}{options}"
