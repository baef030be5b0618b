"""The guard: turns row-level security on for what follows it in the same message, and limits its time.

It makes settings that are local to the statement or its transaction: the role that row-level security binds, the user
whose rows are visible, the time left (also the longest that the transaction may then be idle: a worker that is cut off
must not keep a user's row locked), no bitmap scans (which lose the order in which a page is read), and UTC. No setting
outlives them, so this also works through a transaction pooler.
"""

from __future__ import annotations

ROLE = "task_api"  # created by the migrations
GUARD = (
    f"SELECT set_config('role', '{ROLE}', true), set_config('app.user_id', %(guard_user_id)s, true), "
    "set_config('statement_timeout', %(guard_milliseconds)s, true), "
    "set_config('idle_in_transaction_session_timeout', %(guard_milliseconds)s, true), "
    "set_config('enable_bitmapscan', 'off', true), "
    "set_config('TimeZone', 'UTC', true); "
)


def guard_values(user_id: str, milliseconds: int) -> dict[str, str]:
    """Return the guard's values. Without a user, `user_id` is '', which matches nobody."""
    return {"guard_user_id": user_id, "guard_milliseconds": str(milliseconds)}
