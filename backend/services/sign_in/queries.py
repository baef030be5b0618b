"""The statements about accounts with a password and their sessions, built once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import ARRAY, BigInteger, ColumnElement, DateTime, Text, Uuid, and_, cast, delete, func, insert, update
from sqlalchemy import bindparam as bind
from sqlmodel import select

from backend.database.statements import compile_once
from backend.models.tables import credentials, email_keys, sessions
from backend.services.resources.parameters import USER_ID, owned
from backend.services.sign_in.rules import IDLE, Session

_VERIFIED: ColumnElement[str] = bind("verified_hash", type_=Text)  # the hash with which the password was compared
_NEW: ColumnElement[str] = bind("new_hash", type_=Text)
_KEPT: ColumnElement[str] = bind("kept_hash", type_=Text)  # the one of them that is stored then
_SESSION: ColumnElement[Any] = bind("session", type_=Uuid)
_MOMENT = DateTime(timezone=True)
_OWN = owned(credentials)
_OWN_SESSION = and_(owned(sessions), sessions.c.id == _SESSION)
_END = {"ended_at": func.now(), "expires_at": func.least(sessions.c.expires_at, func.now())}

_found = func.credentials_of(cast(bind("address_key"), Text)).table_valued("user_id", "email", "name", "password_hash")
FIND: Any = select(_found.c.user_id, _found.c.email, _found.c.name, _found.c.password_hash)
READ: Any = select(credentials.c.user_id, credentials.c.email, credentials.c.name, credentials.c.password_hash).where(
    _OWN
)

# What a registration makes, behind the user. Another account with this address makes the first fail, and so all.
ADD_KEY = insert(email_keys).values(user_id=USER_ID, email_key=bind("address_key", type_=Text))
ADD_CREDENTIALS = insert(credentials).values(
    user_id=USER_ID,
    email=bind("address", type_=Text),
    name=bind("new_name", type_=Text),
    password_hash=_NEW,
)
ADD_SESSION = insert(sessions).values(user_id=USER_ID, id=_SESSION, expires_at=func.now() + IDLE)

# What a login does. It locks the credentials, so that a change of the password comes either before it, and is seen, or
# after it, and ends the session.
RENEW = update(credentials).where(_OWN, credentials.c.password_hash == _VERIFIED).values(password_hash=_NEW)
_is_live = and_(sessions.c.ended_at.is_(None), sessions.c.expires_at > func.now())
_surplus = (
    select(sessions.c.id)
    .where(owned(sessions))
    .order_by(_is_live.desc(), sessions.c.id.desc())
    .offset(bind("most_sessions", type_=BigInteger))
)
MAKE_ROOM = delete(sessions).where(owned(sessions), sessions.c.id.in_(_surplus))
_begun: list[Any] = [credentials.c.user_id, _SESSION, func.now() + IDLE]
_of_verified = select(*_begun).where(_OWN, credentials.c.password_hash == _KEPT).with_for_update(read=True)
OPEN = insert(sessions).from_select(["user_id", "id", "expires_at"], _of_verified).returning(sessions.c.id)

_changed = {"password_hash": _NEW, "password_changed_at": func.now()}
CHANGE = update(credentials).where(_OWN, credentials.c.password_hash == _VERIFIED).values(_changed)
REPLACE = update(credentials).where(_OWN).values(_changed)
END_ALL = (
    update(sessions)
    .where(
        owned(sessions),
        sessions.c.ended_at.is_(None),
        select(credentials.c.user_id).where(_OWN, credentials.c.password_hash == _NEW).exists(),
    )
    .values(_END)
)

_loaded: list[Any] = [*(sessions.c[name] for name in Session._fields), func.now()]
LOAD = select(*_loaded).where(_OWN_SESSION).with_for_update()
# Requests that wait for the row hold connections: after a second, a request is told to come back.
LOADING = replace(compile_once(LOAD), settings="SET LOCAL lock_timeout = '1s'; ")
STORE = (
    update(sessions)
    .where(_OWN_SESSION)
    .values(
        counter=bind("new_counter", type_=BigInteger),
        rotated_at=bind("new_rotated_at", type_=_MOMENT),
        late=bind("new_late", type_=ARRAY(_MOMENT)),
        expires_at=bind("new_expires_at", type_=_MOMENT),
        ended_at=bind("new_ended_at", type_=_MOMENT),
    )
)
END = update(sessions).where(_OWN_SESSION, sessions.c.ended_at.is_(None)).values(_END)
