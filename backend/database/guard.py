"""The guard: turns row-level security on for what follows it in the same message, and limits its time.

It makes settings that are local to the statement or its transaction: the role that row-level security binds, the user
whose rows are visible, the time left (also the longest that the transaction may then be idle: a worker that is cut off
must not keep a user's row locked), no bitmap scans (which lose the order in which a page is read), and UTC. No setting
outlives them, so this also works through a transaction pooler.
"""

from __future__ import annotations

ROLE = "task_api"  # created by the migrations

TIMEOUT = "SET LOCAL statement_timeout = %(guard_milliseconds)s; "
# SET LOCAL, because Postgres neither plans nor answers it: it costs a tenth of the same settings by set_config.
GUARD = (
    f"SET LOCAL role = '{ROLE}'; SET LOCAL app.user_id = %(guard_user_id)s; {TIMEOUT}"
    "SET LOCAL idle_in_transaction_session_timeout = %(guard_milliseconds)s; "
    "SET LOCAL enable_bitmapscan = off; SET LOCAL TimeZone = 'UTC'; "
)
# Each statement sees what was committed before it: after waiting for a lock, it sees the newest rows.
BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED; "


def guard_values(user_id: str, milliseconds: int) -> dict[str, str]:
    """Return the guard's values. Without a user, `user_id` is '', which matches nobody."""
    return {"guard_user_id": user_id, "guard_milliseconds": str(milliseconds)}
