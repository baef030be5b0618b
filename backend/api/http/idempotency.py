"""Idempotency-Key: a retried request gets the first answer again and has no further effect.

The header follows draft-ietf-httpapi-idempotency-key-header-07; `Idempotency-Replayed` is ours.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, Any

from fastapi import Request, Response
from pydantic import BaseModel

from backend.api.http.header_parameters import ABSENT, filled, header, malformed_header
from backend.errors import BadRequest
from backend.services.idempotency import IdempotencyService
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


@dataclass(frozen=True, slots=True)
class OncePerKey:
    """A request that is answered only once per key, if it has a key."""

    key: str | None
    request: tuple[str, ...]

    def answer(
        self,
        answers: IdempotencyService,
        body: BaseModel | None,
        arguments: dict[str, Any],
        handler: Callable[..., Response],
    ) -> Response:
        """Call a handler and store its response, or return the one that is stored for the key.

        The services among its arguments join the unit of work in which it is stored. Raises KeyReused if another
        request used the key.
        """
        assert self.key is not None  # noqa: S101 - else there is nothing to store it under

        def work(unit: UnitOfWork) -> Answer:
            joined = {name: replace(value, unit=unit) for name, value in arguments.items() if hasattr(value, "unit")}
            response = handler(**{**arguments, **joined})
            headers = {name: response.headers[name] for name in _STORED_HEADERS if name in response.headers}
            return Answer(response.status_code, headers, bytes(response.body).decode())

        said = None if body is None else body.model_dump_json(exclude_unset=True)
        return answered(*answers.once(self.key, self.hash_of(said), work))

    def hash_of(self, *said: str | None) -> bytes:
        """Return the hash of the request, which says this."""
        return fingerprint(*self.request, *said)


def once_per_key(request: Request, lines: KeyLines = ABSENT) -> OncePerKey:
    """Read the key of a request; raises BadRequest for one that is malformed or sent twice."""
    keys = filled(lines)
    if not keys:
        return OncePerKey(None, ())
    if len(keys) > 1 or not _KEY.fullmatch(keys[0]):
        raise malformed_key()
    conditions = (", ".join(filled(request.headers.getlist(name))) for name in _PRECONDITIONS)
    return OncePerKey(keys[0], (request.method, request.url.path, request.url.query, *conditions))


def answered(answer: Answer, is_replayed: bool) -> Response:  # noqa: FBT001 - as `once` returns them
    """Return a stored answer as a response, which says whether it was stored before."""
    headers = answer.headers | ({"Idempotency-Replayed": "true"} if is_replayed else {})
    return Response(answer.body, answer.status, headers, media_type="application/json")


def malformed_key() -> BadRequest:
    """Return the error that names the header."""
    message = "Send one Idempotency-Key of 1 to 255 printable ASCII characters"
    return malformed_header("Idempotency-Key", "key_invalid", message)
