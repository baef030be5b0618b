"""Stores each answer with the change that it reports, and returns it again when the request is retried."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import LargeBinary, SmallInteger, Text, case, func, update
from sqlalchemy import bindparam as bind
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import SQLModel, select

from backend.database.retry import repeatable
from backend.database.session import Sessions
from backend.errors import KeyReused
from backend.models.idempotency_key import IdempotencyKey
from backend.services.tasks.columns import USER_ID, lock_account, users

KEPT = timedelta(hours=24)

_keys = SQLModel.metadata.tables[str(IdempotencyKey.__tablename__)]
_KEY = bind("name", type_=Text)
_REQUEST_HASH = bind("new_request_hash", type_=LargeBinary)

# Locks the user's row first, as every write does, and inserts it on a user's first write. Then inserts the key or locks
# it: ON CONFLICT DO UPDATE returns the current row, even if it was stored while this waited for the user's row. The
# update changes nothing. The status is null when the key is new or has expired.
_locked = lock_account(users.c.id).cte("locked")
CLAIM = (
    insert(_keys)
    .from_select(["user_id", "key", "request_hash"], select(_locked.c.id, _KEY, _REQUEST_HASH))
    .on_conflict_do_update(index_elements=[_keys.c.user_id, _keys.c.key], set_={"status": _keys.c.status})
    .returning(
        _keys.c.request_hash,
        case((_keys.c.created_at > func.now() - KEPT, _keys.c.status)),
        _keys.c.headers,
        _keys.c.body,
    )
)
STORE = (
    update(_keys)
    .where(_keys.c.user_id == USER_ID, _keys.c.key == _KEY)
    .values(
        request_hash=_REQUEST_HASH,
        status=bind("new_status", type_=SmallInteger),
        headers=bind("new_headers", type_=Text),
        body=bind("new_body", type_=Text),
        created_at=func.now(),
    )
)


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a request."""

    status: int
    headers: dict[str, str]
    body: str


@dataclass(frozen=True, slots=True)
class IdempotencyService:
    """One user's keys, each for one answered request."""

    sessions: Sessions
    user_id: str

    @repeatable
    def once(self, key: str, request_hash: bytes, work: Callable[[Sessions], Answer]) -> tuple[Answer, bool]:
        """Do the work and store its answer, in one transaction; returns the answer, and whether it was stored before.

        `work` gets the sessions of the transaction. If it raises, nothing is stored and the error is passed on.
        Raises KeyReused when the key belongs to another request.
        """
        claim = {"principal": self.user_id, "name": key, "new_request_hash": request_hash}
        with self.sessions.transaction(self.user_id) as sessions, sessions(self.user_id) as session:
            ((stored_hash, status, headers, body),) = session.exec(CLAIM, params=claim)
            if status is not None:
                if stored_hash != request_hash:
                    raise KeyReused
                return Answer(status, json.loads(headers), body), True
            answer = work(sessions)
            stored = {"new_status": answer.status, "new_headers": json.dumps(answer.headers), "new_body": answer.body}
            session.exec(STORE, params={**claim, **stored})
        return answer, False
