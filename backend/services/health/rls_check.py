"""Whether row-level security works: requests take on their role, and it binds that role on every table.

Requests with a token for one list have a role of their own, which is bound to that list, too.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing

from psycopg2.extensions import quote_ident
from sqlalchemy import text

from backend.database.errors import RoleRefused
from backend.database.guard import ROLE, ROLE_OF_LIST
from backend.database.session import SessionFactory
from backend.models.user import NOBODY
from backend.services.registry import TABLES

_USER, _LIST = "app.user_id", "app.list_id"
# What the policies of a table must look at beside the user, by the role. A request in one list reaches no other table.
_SETTINGS = {
    ROLE: dict.fromkeys((table.name for table in TABLES), _USER),
    ROLE_OF_LIST: {
        **dict.fromkeys(("users", "labels", "events"), _USER),
        **dict.fromkeys(("tasks", "lists", "tombstones", "idempotency_keys"), _LIST),
    },
}

# A row for every table: its name, and what is wrong with its row-level security, or null. It runs as the role that it
# checks, so row_security_active() covers owners, members of roles, and roles that bypass row-level security.
_OF_ROLE = """
SELECT wanted.name,
       CASE WHEN pg_class.oid IS NULL THEN 'missing'
            WHEN rolsuper OR rolbypassrls THEN 'passed by'
            WHEN NOT relrowsecurity THEN 'off'
            WHEN NOT row_security_active(pg_class.oid) THEN 'owned'
            WHEN is_bound IS NULL THEN 'without policy'
            WHEN NOT is_bound THEN 'open'
       END AS gap
FROM unnest(CAST(:{tables} AS text[]), CAST(:{settings} AS text[])) AS wanted (name, setting)
JOIN pg_roles ON rolname = current_user
LEFT JOIN pg_class ON pg_class.oid = to_regclass(wanted.name)
LEFT JOIN LATERAL (
    -- Permissive policies add up: one that does not look at the user, or at the list, is one too many.
    SELECT bool_and(strpos(said, 'app.user_id') > 0 AND strpos(said, setting) > 0)
    FROM pg_policy, unnest(ARRAY[pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)]) AS said
    WHERE polrelid = pg_class.oid AND polpermissive
      AND EXISTS (SELECT FROM unnest(polroles) AS role WHERE role = 0 OR pg_has_role(role, 'USAGE'))
) AS policies (is_bound) ON true
ORDER BY wanted.name
"""


_OF_LIST = _OF_ROLE.format(tables="tables_of_list", settings="settings_of_list")
# In the same message, so that a check is one round trip: what is wrong for the other role is kept in a setting.
BEFORE = f"""
SET LOCAL role = '{ROLE_OF_LIST}';
SELECT set_config('app.gaps_of_list', CAST(coalesce(json_agg(json_build_array(name, gap)), '[]') AS text), true)
FROM ({_OF_LIST}) AS of_list WHERE gap IS NOT NULL;
SET LOCAL role = '{ROLE}';
"""  # noqa: S608 - constants
# A row for every table and role: the role, the table's name, and what is wrong, or null.
SQL = f"""
SELECT '{ROLE}' AS role, name, gap
FROM ({_OF_ROLE.format(tables="tables", settings="settings")}) AS of_user
UNION ALL
SELECT '{ROLE_OF_LIST}', gap ->> 0, gap ->> 1
FROM json_array_elements(CAST(current_setting('app.gaps_of_list') AS json)) AS gap
"""  # noqa: S608
_CHECK = text(BEFORE + SQL)

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


def parameters() -> dict[str, list[str]]:
    """Return the parameters of the statements: the tables that each role reaches, and what binds it there."""
    return {
        "tables": [*_SETTINGS[ROLE]],
        "settings": [*_SETTINGS[ROLE].values()],
        "tables_of_list": [*_SETTINGS[ROLE_OF_LIST]],
        "settings_of_list": [*_SETTINGS[ROLE_OF_LIST].values()],
    }


def gaps_of(rows: Iterable[tuple[str, str, str | None]]) -> list[str]:
    """Return what to do about the gaps; of the role for one list, only if the other role has none."""
    gaps = [row for row in rows if row[2]]
    gaps = [row for row in gaps if row[0] == ROLE] or gaps
    # A dictionary removes duplicates: a problem with the role appears on every table.
    return list({_ADVICE[gap].format(table=table, role=role): None for role, table, gap in gaps if gap})


def find_gaps(sessions: SessionFactory) -> list[str]:
    """Return what is wrong with row-level security, and what to do about it; empty if nothing is wrong.

    Raises ServiceUnavailable when the database does not answer.
    """
    try:
        with sessions(NOBODY) as session:
            return gaps_of((role, name, gap) for role, name, gap in session.exec(_CHECK, params=parameters()))
    except RoleRefused as error:
        return [_MISSING_ROLE.format(role=error.role) if error.is_missing else _how_to_grant(sessions, error.role)]


_MISSING_ROLE = (
    "the role {role} is missing on this server. The dump of a database contains no roles: first restore "
    "them from the output of pg_dumpall --roles-only, then the database"
)


def _how_to_grant(sessions: SessionFactory, role: str) -> str:
    with closing(sessions.engine.connect()) as connection:
        driver = connection.driver
        login = quote_ident(driver.info.user, driver)
        options = " WITH INHERIT FALSE, SET TRUE" if driver.info.server_version >= 160000 else ""  # noqa: PLR2004
    return f"the login {login} may not switch to the role {role}. Run: GRANT {role} TO {login}{options}"
