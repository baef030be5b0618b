"""The statements about personal access tokens, built once."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, LargeBinary, Text, Uuid, case, cast, delete, func, or_, text, update
from sqlalchemy import bindparam as bind
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlmodel import select
from sqlmodel.sql.expression import Select, SelectOfScalar

from backend.models.access_token import MAX_TOKENS, AccessTokenCreate, AccessTokenPublic, ExportedAccessToken
from backend.models.tables import access_tokens, lists
from backend.services.access_tokens.rules import AccessTokenNotFound, Row, TooManyAccessTokens
from backend.services.loading import Rows
from backend.services.resources import statements
from backend.services.resources.parameters import USER_ID
from backend.services.resources.resource import Resource

# What tokens are: all that is the same for every resource follows from this. Their changes are not counted.
ACCESS_TOKENS: Resource[Any] = Resource(
    kind="access_token",
    table=access_tokens,
    row=Row,
    public=AccessTokenPublic,
    exported=ExportedAccessToken,
    inputs=(AccessTokenCreate,),
    max_rows=MAX_TOKENS,
    too_many=TooManyAccessTokens,
    not_found=AccessTokenNotFound,
)
_HASH: ColumnElement[bytes] = bind("hash", type_=LargeBinary)
_HASH_OF_LIST: ColumnElement[bytes] = bind("hash_of_list", type_=LargeBinary)  # if the token is for one list
# When many requests come at once, they need not all be recorded.
_NOT_JUST_NOW = or_(
    access_tokens.c.last_used_at.is_(None), access_tokens.c.last_used_at < func.now() - text("interval '1 second'")
)


def _list() -> SelectOfScalar[str]:
    """Select all tokens of the user as a JSON array, the newest first."""
    shown = select(*ACCESS_TOKENS.public_columns()).where(ACCESS_TOKENS.own).subquery("shown")
    documents = func.json_agg(aggregate_order_by(func.row_to_json(shown.table_valued()), shown.c.id.desc()))
    return select(func.coalesce(cast(documents, Text), "[]"))


def _use() -> Select[list[str], float, UUID | None, UUID]:
    """Record the use of a token, and select its scopes, remaining seconds, list and id; no row if it is not valid."""
    hashed = case((access_tokens.c.list_id.is_(None), _HASH), else_=_HASH_OF_LIST)
    is_good = (ACCESS_TOKENS.own, access_tokens.c.token_hash == hashed, access_tokens.c.expires_at > func.now())
    used = update(access_tokens).where(*is_good, _NOT_JUST_NOW).values(last_used_at=func.now()).cte("used")
    seconds = func.extract("epoch", access_tokens.c.expires_at - func.now())
    found = select(access_tokens.c.scopes, seconds, access_tokens.c.list_id, access_tokens.c.id)
    return found.where(*is_good).add_cte(used)


_IS_LIVING_LIST = (
    select(lists.c.id)
    .where(lists.c.user_id == USER_ID, lists.c.id == bind("list", type_=Uuid), lists.c.deleted_at.is_(None))
    .exists()
)
# All of them, and whether the list that a new one is for is not in the trash.
OWN = Rows(access_tokens, Row, ACCESS_TOKENS.own, once={"has_list": _IS_LIVING_LIST})
INSERT = statements.insert_one(ACCESS_TOKENS)
LIST = _list()
REVOKE = (
    delete(access_tokens)
    .where(ACCESS_TOKENS.own, access_tokens.c.id == ACCESS_TOKENS.value("id"))
    .returning(access_tokens.c.id)
)
USE = _use()
