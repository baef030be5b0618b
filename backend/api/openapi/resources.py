"""The resources of a user, as the contract describes them: each is declared once, and the usual answers follow."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeVar, Union, get_args
from uuid import UUID

from pydantic import BaseModel, Field, create_model

from backend.api.openapi.answers import ErrorAnswer, FeedInfo, example_of
from backend.api.openapi.operations import Responses, errors, showing, success
from backend.errors import (
    AccessTokenNotFound,
    LabelNotFound,
    ListChanged,
    ListNotFound,
    NotFound,
    PreconditionFailed,
    TaskNotFound,
)
from backend.models.access_token import NewAccessToken
from backend.models.base import Input, described
from backend.models.fields import UUID_EXAMPLE, Revision
from backend.models.label import LabelInFeed, LabelPublic
from backend.models.list import ListCreate, ListPublic
from backend.models.task import TaskCreate, TaskPublic
from backend.models.task_query import MAX_LIMIT

_REVISION = 42  # in examples
_FIRST = {"revision": 1}
_Base = TypeVar("_Base", bound=BaseModel)


@dataclass(frozen=True)
class Documented:
    """What the contract says of a resource."""

    name: str  # in a sentence: "The new task"
    tag: str
    public: type[BaseModel]
    not_found: type[NotFound]
    about: str = ""  # what its tag stands for
    new: type[Input] | None = None  # what creates one; None if that cannot be repeated by its id
    has_tag: bool = False  # an ETag, which changes take as If-Match
    changed_since: type[PreconditionFailed] = PreconditionFailed
    in_feed: type[BaseModel] | None = None  # as the feed of changes has it; None if it is not there
    has_trash: bool = False

    @cached_property
    def answer(self) -> type[BaseModel]:
        """Return the model of an answer with one of them."""
        data = (self.public, _data(f"The {self.name}", self.public))
        return _model(f"{self._prefix}Answer", f"One {self.name}.", BaseModel, data=data)

    @cached_property
    def current(self) -> type[ErrorAnswer]:
        """Return the model of an error that shows the current state."""
        data = (self.public, _data(f"The current {self.name}", self.public))
        says = f"What went wrong, and the current {self.name}."
        return _model(f"Current{self._prefix}Answer", says, ErrorAnswer, data=data)

    @cached_property
    def deleted(self) -> type[BaseModel]:
        """Return the model of a deleted one in the feed."""
        says = "is in the trash or permanently deleted" if self.has_trash else "was deleted"
        others = "active" if self.has_trash else "existing"
        always = f"Always `true`; {others} {self.name}s do not have this field"
        return _model(
            f"Deleted{self._prefix}",
            f"A {self.name} that {says}.",
            BaseModel,
            id=(UUID, described(f"The {self.name}'s id", UUID_EXAMPLE)),
            deleted=(Literal[True], described(always, True)),
            revision=(Revision, described("The number of the change that deleted it", _REVISION + 1)),
        )

    @cached_property
    def change(self) -> type[BaseModel]:
        """Return the model of a change in the feed that says its type."""
        shown = self.in_feed or self.public
        kind = Field(description=f"What has changed: a {self.name}", examples=[self.name])
        data = _data(f"The {self.name} in its current state, or deleted", shown)
        return _model(
            f"{self._prefix}Change",
            f"A change of a {self.name}; only with `types`.",
            BaseModel,
            type=(Literal[self.name], kind),
            data=(shown | self.deleted, data),
        )

    @property
    def read(self) -> Responses:
        """Document that it is read."""
        return success(200, f"The {self.name}", self.answer, *self._tag)

    @property
    def changed(self) -> Responses:
        """Document that it is changed."""
        return success(200, f"The {self.name} as it is now", self.answer, *self._tag)

    @property
    def made(self) -> Responses:
        """Document that it is made, with what a new one has."""
        return showing(success(201, f"The new {self.name}", self.answer, *self._tag), self._as_new)

    @property
    def made_before(self) -> Responses:
        """Document that a creation is repeated."""
        return success(200, f"The {self.name} that this request created earlier", self.answer, *self._tag)

    @property
    def removed(self) -> Responses:
        """Document that it is deleted."""
        return success(204, f"The {self.name} is deleted")

    @property
    def is_missing(self) -> Responses:
        """Document that there is none."""
        return errors(self.not_found)

    @property
    def has_changed(self) -> Responses:
        """Document that it is not as the client last saw it."""
        return errors(self.changed_since(json.dumps(self.example), _REVISION), current=self.current)

    @cached_property
    def example(self) -> dict[str, Any]:
        """Return one of them, as clients see it."""
        return example_of(self.public)

    @property
    def never_null(self) -> set[str]:
        """Return the fields that each of them has, and none as null."""
        return {name for name in self.example if not _may_be_null(self.public, name)}

    @property
    def _prefix(self) -> str:
        return self.name.capitalize()

    @property
    def _tag(self) -> tuple[str, ...]:
        return ("ETag",) if self.has_tag else ()

    @property
    def _as_new(self) -> dict[str, Any]:
        """Return the fields of a new one that only has what it needs."""
        if self.new is None:
            return {}
        fields = self.new.model_validate(example_of(self.new)).model_dump(include=set(self.example))
        decided = self.never_null  # those that the request leaves to the service
        return {name: value for name, value in fields.items() if value is not None or name not in decided} | _FIRST


def _may_be_null(model: type[BaseModel], name: str) -> bool:
    return type(None) in get_args(model.model_fields[name].annotation)


def _data(description: str, model: type[BaseModel]) -> Any:
    return Field(description=description, examples=[example_of(model)])


def _model(name: str, says: str, base: type[_Base], **fields: Any) -> type[_Base]:
    return create_model(name, __base__=base, __doc__=says, __module__=__name__, **fields)


TASKS = Documented(
    "task",
    tag="tasks",
    about="Your tasks: one at a time, listings and batches.",
    public=TaskPublic,
    not_found=TaskNotFound,
    new=TaskCreate,
    has_tag=True,
    in_feed=TaskPublic,
    has_trash=True,
)
LABELS = Documented(
    "label",
    tag="labels",
    about="Your labels: their colours, and renaming and removing them on all tasks.",
    public=LabelPublic,
    not_found=LabelNotFound,
    in_feed=LabelInFeed,
)
LISTS = Documented(
    "list",
    tag="lists",
    about="Your lists: their names and colours, and archiving and deleting them.",
    public=ListPublic,
    not_found=ListNotFound,
    new=ListCreate,
    has_tag=True,
    changed_since=ListChanged,
    in_feed=ListPublic,
    has_trash=True,
)
ACCESS_TOKENS = Documented("token", tag="account", public=NewAccessToken, not_found=AccessTokenNotFound)
DOCUMENTED = (TASKS, LABELS, LISTS, ACCESS_TOKENS)

FOLLOWED = tuple(each for each in DOCUMENTED if each.in_feed)
# Without `types`, the feed has tasks as such.
CHANGES: tuple[type[BaseModel], ...] = (TaskPublic, TASKS.deleted, *(each.change for each in FOLLOWED))
ChangesAnswer = _model(
    "ChangesAnswer",
    "One page of the feed of changes, oldest first.",
    BaseModel,
    data=(
        list[Union[CHANGES]],  # type: ignore[valid-type]  # noqa: UP007 - they are found at run time
        Field(
            description="Changed tasks in their current state, and deleted ones; with `types`, each beside its type",
            examples=[[example_of(TaskPublic), example_of(TASKS.deleted)]],
            max_length=MAX_LIMIT,
        ),
    ),
    page=(FeedInfo, Field(description="Where this page ends", examples=[example_of(FeedInfo)])),
)
