"""Stores each answer with the change that it reports, and returns it again when the request is retried."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import LargeBinary, SmallInteger, Text, func
from sqlalchemy import bindparam as bind
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import select

from backend.database.retry import reads, repeatable
from backend.database.session import Sessions
from backend.models.tables import idempotency_keys as keys
from backend.services.loading import IS_ANSWERED, KEY
from backend.services.resources.parameters import USER_ID
from backend.services.unit_of_work import Answer, KeyedRequest, Replayed, UnitOfWork, unit_of_work

_stored = insert(keys).values(
    user_id=USER_ID,
    key=KEY,
    request_hash=bind("answered_hash", type_=LargeBinary),
    status=bind("answer_status", type_=SmallInteger),
    headers=bind("answer_headers", type_=Text),
    body=bind("answer_body", type_=Text),
)
# An expired answer under the same key is replaced.
STORE = _stored.on_conflict_do_update(
    index_elements=[keys.c.user_id, keys.c.key],
    set_={
        **{name: _stored.excluded[name] for name in ("request_hash", "status", "headers", "body")},
        "created_at": func.now(),
    },
)
ANSWERED = select(keys.c.request_hash, keys.c.status, keys.c.headers, keys.c.body).where(
    keys.c.user_id == USER_ID, keys.c.key == KEY, IS_ANSWERED
)


@dataclass(frozen=True, slots=True)
class IdempotencyService:
    """The keys of a user. A key stands for an answered request."""

    sessions: Sessions
    user_id: str

    @reads
    def find(self, key: str) -> tuple[bytes, Answer] | None:
        """Return the answer stored under a key, with the hash of its request."""
        params = {"principal": self.user_id, "name": self._stored_as(key)}
        with self.sessions(self.user_id) as session:
            rows = list(session.exec(ANSWERED, params=params))
        return next(
            ((bytes(hashed), Answer(status, json.loads(more), body)) for hashed, status, more, body in rows), None
        )

    @repeatable
    def once(self, key: str, request_hash: bytes, work: Callable[[UnitOfWork], Answer]) -> tuple[Answer, bool]:
        """Do the work and store its answer, in one unit of work; returns the answer, and whether it was stored before.

        `work` joins the unit. If it raises, nothing is stored and the error is passed on. Raises KeyReused when the key
        belongs to another request.
        """
        key = self._stored_as(key)
        try:
            with unit_of_work(self.sessions, self.user_id, request=KeyedRequest(key, request_hash)) as unit:
                answer = work(unit)
                unit.settle()
                unit.store(
                    STORE,
                    name=key,
                    answered_hash=request_hash,
                    answer_status=answer.status,
                    answer_headers=json.dumps(answer.headers),
                    answer_body=answer.body,
                )
        except Replayed as replayed:
            return replayed.answer, True
        return answer, False

    def _stored_as(self, key: str) -> str:
        """Return the key as it is stored: the policy hides answers that tell of other lists."""
        return key if self.sessions.list_id is None else f"{self.sessions.list_id}\n{key}"
