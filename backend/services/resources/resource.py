"""A resource, declared once. Its statements, what a change does with its rows, and its answers follow from that."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Generic, Protocol, Self, TypeVar
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import Column, ColumnElement, Table
from sqlalchemy import bindparam as bind

from backend.errors import Conflict, NotFound, PreconditionFailed
from backend.models.base import Input
from backend.services.resources.parameters import owned

_FIXED = {"id", "created_at", "request_hash"}  # never changed after a row is made


class Row(Protocol):
    """A stored row: a named tuple of its columns, except the user's id."""

    @property
    def id(self) -> UUID:
        """The id, by which others name the row."""

    @property
    def revision(self) -> int:
        """The number of the row's last change."""

    @property
    def updated_at(self) -> datetime:
        """When it last changed."""

    @property
    def _replace(self) -> Callable[..., Self]: ...


R = TypeVar("R", bound=Row)


@dataclass(frozen=True, eq=False)
class Resource(Generic[R]):
    """A kind of row that a user has.

    `public` is what clients see of it, `inputs` is what they send, `exported` what an export has, and `imported` what
    an import reads of that, if it does. `in_feed` is what the feed of changes has, if that differs. `shown` has what
    clients see in another form than that of a column. `max_rows` is how many a user may have, or None if the settings
    say that.
    """

    kind: str
    table: Table
    row: type[R]
    public: type[BaseModel]
    exported: type[BaseModel]
    inputs: tuple[type[Input], ...]
    max_rows: int | None
    too_many: type[Conflict]
    not_found: type[NotFound]
    conflict: type[Conflict] = Conflict
    changed_since: type[PreconditionFailed] = PreconditionFailed
    in_feed: type[BaseModel] | None = None
    imported: type[Input] | None = None
    shown: Mapping[str, ColumnElement[Any]] = field(default_factory=dict)

    @cached_property
    def own(self) -> ColumnElement[bool]:
        """Return the tenant filter."""
        return owned(self.table)

    @cached_property
    def stored(self) -> tuple[str, ...]:
        """Return the names of the stored columns."""
        fields: tuple[str, ...] = self.row._fields  # type: ignore[attr-defined]  # of a named tuple
        return fields

    @cached_property
    def arrays(self) -> tuple[str, ...]:
        """Return the names of parameters whose nth elements are the columns of one row."""
        return tuple(f"each_{self.kind}__{name}" for name in self.stored)

    @cached_property
    def changed_arrays(self) -> tuple[str, ...]:
        """Return the names of such parameters for rows that are there already."""
        return tuple(f"changed_{name}" for name in self.arrays)

    @cached_property
    def changing(self) -> tuple[str, ...]:
        """Return the names of the columns that an edit may change."""
        return tuple(name for name in self.stored if name not in _FIXED)

    @property
    def has_trash(self) -> bool:
        """Return whether rows go to a trash before they are removed for good."""
        return "deleted_at" in self.stored

    @property
    def is_counted(self) -> bool:
        """Return whether changes of rows are counted, so that followers learn of them."""
        return "revision" in self.stored

    @property
    def expires(self) -> Column[Any] | None:
        """Return the column with the time after which a row is kept for a while only, if there is one."""
        name = next((name for name in ("deleted_at", "expires_at") if name in self.stored), None)
        return None if name is None else self.table.c[name]

    def refuse_one_more(self, count: int) -> None:
        """Raise what the resource says of too many rows, if a user who has this many may have no more."""
        if self.max_rows is not None and count >= self.max_rows:
            raise self.too_many

    def value(self, name: str) -> Any:
        """Return the parameter for a column, which never has the name of a column: an UPDATE would set that."""
        return bind(f"{self.kind}__{name}", type_=self.table.c[name].type)

    def values(self, row: R, names: tuple[str, ...]) -> dict[str, Any]:
        """Return the parameters for columns of a row."""
        return {f"{self.kind}__{name}": getattr(row, name) for name in names}

    def columns(self, rows: Sequence[R], arrays: tuple[str, ...]) -> dict[str, list[Any]]:
        """Return the parameters with these names for several rows, each with the values of a column."""
        return {array: [getattr(row, name) for row in rows] for array, name in zip(arrays, self.stored, strict=True)}

    def public_names(self, *, is_in_trash: bool = False) -> tuple[str, ...]:
        """Return the names of the fields that clients see of every row, in the order of the documented model."""
        return (*self._public_names, "deleted_at") if is_in_trash else self._public_names

    @cached_property
    def _public_names(self) -> tuple[str, ...]:
        return tuple(name for name, declared in self.public.model_fields.items() if declared.is_required())

    def public_columns(self, *, is_in_trash: bool = False) -> tuple[ColumnElement[Any], ...]:
        """Return the columns that clients see of every row."""
        return tuple(map(self.public_column, self.public_names(is_in_trash=is_in_trash)))

    def public_column(self, name: str) -> ColumnElement[Any]:
        """Return a column as clients see it."""
        return self.shown[name] if name in self.shown else self.table.c[name]
