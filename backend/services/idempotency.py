"""Stores each answer with the change that it reports, and returns it again when the request is retried."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import LargeBinary, SmallInteger, Text, func
from sqlalchemy import bindparam as bind
from sqlalchemy.dialects.postgresql import insert

from backend.database.retry import repeatable
from backend.database.session import Sessions
from backend.models.tables import idempotency_keys as keys
from backend.services.unit_of_work import KEY, USER_ID, Answer, KeyedRequest, Replayed, UnitOfWork, unit_of_work

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


@dataclass(frozen=True, slots=True)
class IdempotencyService:
    """One user's keys, each for one answered request."""

    sessions: Sessions
    user_id: str

    @repeatable
    def once(self, key: str, request_hash: bytes, work: Callable[[UnitOfWork], Answer]) -> tuple[Answer, bool]:
        """Do the work and store its answer, in one unit of work; returns the answer, and whether it was stored before.

        `work` joins the unit. If it raises, nothing is stored and the error is passed on. Raises KeyReused when the key
        belongs to another request.
        """
        if self.sessions.list_id is not None:
            key = f"{self.sessions.list_id}\n{key}"  # the policy hides answers that tell of other lists
        try:
            with unit_of_work(self.sessions, self.user_id, request=KeyedRequest(key, request_hash)) as unit:
                answer = work(unit)
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
