"""The guard: turns row-level security on for what follows it in the same message, and limits its time.

It makes settings that are local to the statement or its transaction. They are the role that row-level security binds,
the user whose rows are visible, the list if only its tasks are, the time left, and UTC. Bitmap scans are off, because
they lose the order in which a page is read, and so is compiling just in time. BEGIN also limits how long the
transaction may be idle: a worker that is cut off must not keep a user's row locked. No setting outlives them, so this
also works through a transaction pooler.

Postgres keeps no statistics of users and parents: with them, or with bitmap scans, it would read all tasks of a user
for one task or page. Behind row-level security, it uses an index only for leakproof conditions: `=` and `<` on plain
columns.
"""

from __future__ import annotations

from uuid import UUID

# Both are created by the migrations. A role of its own for one list costs other requests nothing: a condition for both
# in one policy made a page of tasks four times as slow, because Postgres no longer read it from its index.
ROLE = "task_api"
ROLE_OF_LIST = "task_api_list"

TIMEOUT = "SET LOCAL statement_timeout = %(guard_milliseconds)s; "
# No jit: up to Postgres 17, what is turned off counts as very expensive, so a page would be compiled for half a second.
# SET LOCAL, because Postgres neither plans nor answers it: it costs a tenth of the same settings by set_config.
_SETTINGS = (
    f"SET LOCAL app.user_id = %(guard_user_id)s; {TIMEOUT}"
    "SET LOCAL enable_bitmapscan = off; SET LOCAL jit = off; SET LOCAL TimeZone = 'UTC'; "
)
_GUARD = f"SET LOCAL role = '{ROLE}'; {_SETTINGS}"
_GUARD_OF_LIST = f"SET LOCAL role = '{ROLE_OF_LIST}'; SET LOCAL app.list_id = %(guard_list_id)s; {_SETTINGS}"
# Each statement sees what was committed before it: after waiting for a lock, it sees the newest rows.
BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL idle_in_transaction_session_timeout = %(guard_milliseconds)s; "


def guard_for(list_id: UUID | None) -> str:
    """Return the guard of a session that sees all that its user has (None), or one list only."""
    return _GUARD if list_id is None else _GUARD_OF_LIST


def guard_values(user_id: str, list_id: UUID | None, milliseconds: int) -> dict[str, str | None]:
    """Return the guard's values. Without a user, `user_id` is '', which matches nobody.

    Statements may use the list, too: it is null in a session that sees all that its user has.
    """
    only = None if list_id is None else str(list_id)
    return {"guard_user_id": user_id, "guard_milliseconds": str(milliseconds), "guard_list_id": only}
