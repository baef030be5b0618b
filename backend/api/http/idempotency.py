"""Idempotency-Key: a retried request gets the first answer again and has no further effect.

The header follows draft-ietf-httpapi-idempotency-key-header-07; `Idempotency-Replayed` is ours.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, TypeVar

from fastapi import Request, Response
from pydantic import BaseModel

from backend.api.http.header_parameters import filled, header, malformed_header
from backend.errors import BadRequest
from backend.services.idempotency import IdempotencyService
from backend.services.labels.service import LabelService
from backend.services.lists.service import ListService
from backend.services.tasks.batch import BatchService
from backend.services.tasks.service import TaskService
from backend.services.unit_of_work import Answer, UnitOfWork
from backend.utils.fingerprint import fingerprint

_KEY = re.compile(r"[\x21-\x7e]([\x20-\x7e]{0,253}[\x21-\x7e])?")
_PRECONDITIONS = ("If-Match", "If-None-Match")
_STORED_HEADERS = ("ETag", "Location")

KeyLines = Annotated[
    list[str],
    header(
        "Idempotency-Key",
        "A key of your choice, preferably a UUID. If you repeat the request with the same key within 24 hours, you get "
        "the same answer and nothing else happens, whatever has happened since. Another request with the "
        "same key is answered 422 with the code `idempotency_key_reused`. A request that failed does not use up its "
        "key. 1 to 255 printable ASCII characters, without a space at either end; anything else is answered 400",
        example="8e03978e-40d5-43e8-bc93-6894a57f9324",
        text_format="idempotency-key",
        max_length=255,
    ),
]
_Service = TypeVar("_Service", TaskService, BatchService, LabelService, ListService)


@dataclass(frozen=True, slots=True)
class Idempotent:
    """Does the work of a request, only once per key if it has a key."""

    key: str | None
    request: tuple[str, ...]

    @classmethod
    def of(cls, request: Request, lines: list[str] | None) -> Idempotent:
        """Read the key of a request; raises BadRequest for one that is malformed or sent twice."""
        keys = filled(lines)
        if not keys:
            return cls(None, ())
        if len(keys) > 1 or not _KEY.fullmatch(keys[0]):
            raise malformed_key()
        conditions = (", ".join(filled(request.headers.getlist(name))) for name in _PRECONDITIONS)
        return cls(keys[0], (request.method, request.url.path, request.url.query, *conditions))

    def __call__(self, service: _Service, body: BaseModel | None, work: Callable[[_Service], Response]) -> Response:
        """Return the response of the work, or the stored response if the work was done before.

        With a key, the work joins a unit of work that stores the response. Raises KeyReused if another request used
        the key.
        """
        if self.key is None:
            return work(service)

        def work_in(unit: UnitOfWork) -> Answer:
            response = work(replace(service, unit=unit))
            headers = {name: response.headers[name] for name in _STORED_HEADERS if name in response.headers}
            return Answer(response.status_code, headers, bytes(response.body).decode())

        said = None if body is None else body.model_dump_json(exclude_unset=True)
        answers = IdempotencyService(service.sessions, service.user_id)
        return answered(*answers.once(self.key, self.hash_of(said), work_in))

    def hash_of(self, *said: str | None) -> bytes:
        """Return the hash of the request, which says this."""
        return fingerprint(*self.request, *said)


def answered(answer: Answer, is_replayed: bool) -> Response:  # noqa: FBT001 - as `once` returns them
    """Return a stored answer as a response, which says whether it was stored before."""
    headers = answer.headers | ({"Idempotency-Replayed": "true"} if is_replayed else {})
    return Response(answer.body, answer.status, headers, media_type="application/json")


def malformed_key() -> BadRequest:
    """Return the error that names the header."""
    message = "Send one Idempotency-Key of 1 to 255 printable ASCII characters"
    return malformed_header("Idempotency-Key", "key_invalid", message)
