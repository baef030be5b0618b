"""The types of values in answers: the OpenAPI document contains them, and tests check each answer against it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from backend.identity.claims import MAX_USER_ID_LENGTH
from backend.models.etags import MAX_REVISION
from backend.models.fields import MAX_DESCRIPTION_LENGTH, MAX_NAME_LENGTH, MAX_TITLE_LENGTH

_WITHOUT_NUL = r"^[^\u0000]*$"

UserId = Annotated[str, StringConstraints(max_length=MAX_USER_ID_LENGTH, pattern=r"^[^\u0000-\u001f\u007f-\u009f]+$")]
StoredTitle = Annotated[str, StringConstraints(min_length=1, max_length=MAX_TITLE_LENGTH, pattern=_WITHOUT_NUL)]
StoredName = Annotated[str, StringConstraints(min_length=1, max_length=MAX_NAME_LENGTH, pattern=_WITHOUT_NUL)]
StoredDescription = Annotated[str, StringConstraints(max_length=MAX_DESCRIPTION_LENGTH, pattern=_WITHOUT_NUL)]
# For people, in one line.
Sentence = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=r"^[^\u0000-\u001f]+$")]
Revision = Annotated[int, Field(ge=1, le=MAX_REVISION)]
Count = Annotated[int, Field(ge=0, le=MAX_REVISION)]
LineNumber = Annotated[int, Field(ge=1, le=10**12)]
