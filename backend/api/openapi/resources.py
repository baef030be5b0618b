"""What the contract says of the resources of a user. The usual answers follow from what each of them is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple, TypeVar, Union, get_args
from uuid import UUID

from pydantic import BaseModel, Field, create_model

from backend.api.openapi.answers import ErrorAnswer, FeedInfo, example_of
from backend.api.openapi.operations import Responses, errors, showing, success
from backend.models.base import Input, described
from backend.models.fields import UUID_EXAMPLE, Revision
from backend.models.task import TaskPublic
from backend.models.task_query import MAX_LIMIT
from backend.services.registry import RESOURCES
from backend.services.resources.resource import Resource
from backend.services.tasks.queries import TASKS

_REVISION = 42  # in examples
_FIRST = {"revision": 1}
_Base = TypeVar("_Base", bound=BaseModel)


class Listing(NamedTuple):
    """An answer with all rows of a user: the name of its model, what it says, and in which order the rows are."""

    name: str
    says: str
    order: str


_PAGES = Listing("", "", "")  # in place of a listing that has pages


@dataclass(frozen=True)
class Documented:
    """What only the contract says of a resource: its words, and how calls make and change it."""

    resource: Resource[Any]
    name: str  # in a sentence: "The new task"
    about: str = ""  # what its tag says, if it has its own
    new: type[Input] | None = None  # the input that creates it and may be repeated
    has_tag: bool = False  # an ETag, which is sent back as If-Match
    listing: Listing = _PAGES

    @property
    def public(self) -> type[BaseModel]:
        """Return the model of what clients see of it."""
        return self.resource.public

    @cached_property
    def answer(self) -> type[BaseModel]:
        """Return the model of an answer with a single row."""
        data = (self.public, _data(f"The {self.name}", self.public))
        return _model(f"{self._prefix}Answer", f"One {self.name}.", BaseModel, data=data)

    @cached_property
    def current(self) -> type[ErrorAnswer]:
        """Return the model of an error that shows the current state."""
        data = (self.public, _data(f"The current {self.name}", self.public))
        says = f"What went wrong, and the current {self.name}."
        return _model(f"Current{self._prefix}Answer", says, ErrorAnswer, data=data)

    @property
    def read(self) -> Responses:
        """Document that it is read."""
        return success(200, f"The {self.name}", self.answer, *self._tag)

    def listed(self, description: str) -> Responses:
        """Document that all are listed, with a tag if changes are counted."""
        tag = ("List-ETag",) if self.resource.is_counted else ()
        return success(200, description, self._all, *tag)

    @property
    def changed(self) -> Responses:
        """Document that it is changed."""
        return success(200, f"The {self.name} as it is now", self.answer, *self._tag)

    @property
    def made(self) -> Responses:
        """Document that it is made. The example has what the service gives a new row."""
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
        """Document that it does not exist."""
        return errors(self.resource.not_found)

    @property
    def has_changed(self) -> Responses:
        """Document that it is not as the client last saw it."""
        error = self.resource.changed_since(json.dumps(self.example), _REVISION)
        return errors(error, current=self.current)

    @cached_property
    def example(self) -> dict[str, Any]:
        """Return an example, as clients see it."""
        return example_of(self.public)

    @property
    def never_null(self) -> set[str]:
        """Return the fields that always have a value."""
        return {name for name in self.example if not _may_be_null(self.public, name)}

    @cached_property
    def _all(self) -> type[BaseModel]:
        """Return the model of an answer with all of them."""
        name, says, order = self.listing
        rows = Field(description=order, examples=[[self.example]], max_length=self.resource.max_rows)
        return _model(name, says, BaseModel, data=(list[self.public], rows))  # type: ignore[name-defined]

    @property
    def _prefix(self) -> str:
        return self.name.capitalize()

    @property
    def _tag(self) -> tuple[str, ...]:
        return ("ETag",) if self.has_tag else ()

    @property
    def _as_new(self) -> dict[str, Any]:
        """Return the fields of a new row whose request says only what is required."""
        if self.new is None:
            return {}
        fields = self.new.model_validate(example_of(self.new)).model_dump(include=set(self.example))
        decided = self.never_null  # by the service, if the request does not say them
        return {name: value for name, value in fields.items() if value is not None or name not in decided} | _FIRST


def _may_be_null(model: type[BaseModel], name: str) -> bool:
    return type(None) in get_args(model.model_fields[name].annotation)


def _data(description: str, model: type[BaseModel]) -> Any:
    return Field(description=description, examples=[example_of(model)])


def _model(name: str, says: str, base: type[_Base], **fields: Any) -> type[_Base]:
    return create_model(name, __base__=base, __doc__=says, __module__=__name__, **fields)


def _deleted(resource: Resource[Any]) -> type[BaseModel]:
    """Return the model of what the feed says after a deletion."""
    name = resource.kind
    says = "is in the trash or permanently deleted" if resource.has_trash else "was deleted"
    others = "active" if resource.has_trash else "existing"
    always = f"Always `true`; {others} {name}s do not have this field"
    return _model(
        f"Deleted{name.capitalize()}",
        f"A {name} that {says}.",
        BaseModel,
        id=(UUID, described(f"The {name}'s id", UUID_EXAMPLE)),
        deleted=(Literal[True], described(always, True)),
        revision=(Revision, described("The number of the change that deleted it", _REVISION + 1)),
    )


def _change(resource: Resource[Any], deleted: type[BaseModel]) -> type[BaseModel]:
    """Return the model of a change in the feed, which says its type."""
    name, shown = resource.kind, resource.in_feed or resource.public
    kind = Field(description=f"What has changed: a {name}", examples=[name])
    data = _data(f"The {name} in its current state, or deleted", shown)
    return _model(
        f"{name.capitalize()}Change",
        f"A change of a {name}; only with `types`.",
        BaseModel,
        type=(Literal[name], kind),
        data=(shown | deleted, data),
    )


# Tasks first: without `types`, the feed has tasks as such.
FOLLOWED = sorted((each for each in RESOURCES if each.is_counted), key=lambda each: each is not TASKS)
_DELETED = [_deleted(each) for each in FOLLOWED]
CHANGES: tuple[type[BaseModel], ...] = (TaskPublic, _DELETED[0], *map(_change, FOLLOWED, _DELETED))
ChangesAnswer = _model(
    "ChangesAnswer",
    "One page of the feed of changes, oldest first.",
    BaseModel,
    data=(
        list[Union[CHANGES]],  # type: ignore[valid-type]  # noqa: UP007 - they are found at run time
        Field(
            description="Changed tasks in their current state, and deleted ones; with `types`, each beside its type",
            examples=[[example_of(TaskPublic), example_of(_DELETED[0])]],
            max_length=MAX_LIMIT,
        ),
    ),
    page=(FeedInfo, Field(description="Where this page ends", examples=[example_of(FeedInfo)])),
)
