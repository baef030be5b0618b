"""The statements about personal access tokens, built once."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, LargeBinary, Text, Uuid, case, cast, delete, func, or_, text, update
from sqlalchemy import bindparam as bind
from sqlalchemy.dialects.postgresql import aggregate_order_by, insert
from sqlmodel import select
from sqlmodel.sql.expression import Select, SelectOfScalar

from backend.models.access_token import AccessTokenPublic
from backend.models.tables import access_tokens, lists
from backend.services.resources.parameters import USER_ID
from backend.services.tasks.columns import public
from backend.services.unit_of_work import Rows

_PUBLIC = tuple(AccessTokenPublic.model_fields)
_OWNED = access_tokens.c.user_id == USER_ID
_ID = access_tokens.c.id == bind("token", type_=access_tokens.c.id.type)
_HASH: ColumnElement[bytes] = bind("hash", type_=LargeBinary)
_HASH_OF_LIST: ColumnElement[bytes] = bind("hash_of_list", type_=LargeBinary)  # if the token is for one list
# When many requests come at once, they need not all be recorded.
_NOT_JUST_NOW = or_(
    access_tokens.c.last_used_at.is_(None), access_tokens.c.last_used_at < func.now() - text("interval '1 second'")
)


def _list() -> SelectOfScalar[str]:
    """Select all tokens of the user as a JSON array, the newest first."""
    shown = select(*public(access_tokens, _PUBLIC)).where(_OWNED).subquery("shown")
    documents = func.json_agg(aggregate_order_by(func.row_to_json(shown.table_valued()), shown.c.id.desc()))
    return select(func.coalesce(cast(documents, Text), "[]"))


def _use() -> Select[list[str], float, UUID | None]:
    """Record the use of a token, and select its scopes, remaining seconds and list; no row if it is not valid."""
    hashed = case((access_tokens.c.list_id.is_(None), _HASH), else_=_HASH_OF_LIST)
    is_good = (_OWNED, access_tokens.c.token_hash == hashed, access_tokens.c.expires_at > func.now())
    used = update(access_tokens).where(*is_good, _NOT_JUST_NOW).values(last_used_at=func.now()).cte("used")
    seconds = func.extract("epoch", access_tokens.c.expires_at - func.now())
    return select(access_tokens.c.scopes, seconds, access_tokens.c.list_id).where(*is_good).add_cte(used)


_IS_LIVING_LIST = (
    select(lists.c.id)
    .where(lists.c.user_id == USER_ID, lists.c.id == bind("list", type_=Uuid), lists.c.deleted_at.is_(None))
    .exists()
)
OWN = Rows(access_tokens, (access_tokens.c.id,), _OWNED)
OWN_AND_LIST = Rows(access_tokens, (access_tokens.c.id,), _OWNED, (_IS_LIVING_LIST,))
CREATE = insert(access_tokens).values(
    user_id=USER_ID,
    id=bind("new_token", type_=access_tokens.c.id.type),
    name=bind("new_name", type_=Text),
    scopes=cast(bind("new_scopes"), ARRAY(Text)),
    token_hash=_HASH,
    created_at=bind("new_created_at", type_=access_tokens.c.created_at.type),
    expires_at=bind("new_expires_at", type_=access_tokens.c.expires_at.type),
    list_id=bind("new_list", type_=Uuid),
)
LIST = _list()
REVOKE = delete(access_tokens).where(_OWNED, _ID).returning(access_tokens.c.id)
USE = _use()
