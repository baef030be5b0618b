"""What a client may ask of a listing of tasks: filters, order and page."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, ValidationError, WithJsonSchema, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from backend.models.base import COMMA_SEPARATED, Choice, Input, choice_of, chosen, described, optional
from backend.models.fields import (
    UUID_EXAMPLE,
    CommaSeparatedIds,
    CommaSeparatedLabels,
    PlainInteger,
    QueryFlag,
    SearchText,
    is_canonical_uuid,
)
from backend.models.task import Status
from backend.models.values import cursor as cursors
from backend.models.values.times import TIME_EXAMPLE, ZONE_EXAMPLE, DayOrMoment, Moment, ZoneName
from backend.utils.fingerprint import fingerprint

MAX_LIMIT = 1000
SORT_NEEDS_LIST = "Tasks have positions within a list: send list_id, too, or the parent_id of subtasks"
SORT_AND_ORDER = "sort and order contradict each other: send sort without a minus, or leave order out"
_EARLY, _LATE = "2026-11-01T00:00:00Z", "2026-12-01T00:00:00+02:00"
CURSOR_EXAMPLE = cursors.encode(bytes(cursors.LISTING_BYTES), datetime.fromisoformat(TIME_EXAMPLE), UUID(UUID_EXAMPLE))
# Our own format: what a cursor contains is private, but programs can see that not every text is valid.
Cursor = Annotated[
    str,
    WithJsonSchema(
        {"type": "string", "maxLength": cursors.MAX_LENGTH, "format": "cursor", "examples": [CURSOR_EXAMPLE]}
    ),
]


class StatusWord(Choice):
    """A status to filter by, or a word for several of them."""

    TODO = "todo"
    IN_PROGRESS = "in_progress"
    DONE = "done"
    CANCELLED = "cancelled"
    PENDING = "pending"
    COMPLETED = "completed"
    ALL = "all"

    @property
    def statuses(self) -> set[Status]:
        """Return the statuses that this word stands for; some frontends have their own word for one."""
        several = {
            StatusWord.PENDING: {Status.TODO, Status.IN_PROGRESS},
            StatusWord.COMPLETED: {Status.DONE},
            StatusWord.ALL: {*Status},
        }
        return several.get(self) or {Status(self.value)}


def _statuses(text: str) -> str:
    """Read words separated by commas; returns the statuses that they stand for, in their order."""
    wanted = set().union(*(word.statuses for word in chosen(text, StatusWord)))
    return ",".join(status for status in Status if status in wanted)


Statuses = Annotated[str, AfterValidator(_statuses), choice_of(StatusWord), COMMA_SEPARATED]

INBOX = "inbox"


NO_PARENT = "none"
_NO_LIST = PydanticCustomError("list_format", "Must be the id of a list, or inbox for the tasks that are in none")
_NO_TASK = PydanticCustomError("parent_format", "Must be the id of a task, or none")


def _id_or(word: str, problem: PydanticCustomError) -> AfterValidator:
    """Refuse anything but an id and the word for none."""

    def judged(text: str) -> str:
        if text != word and not is_canonical_uuid(text):
            raise problem
        return text.lower()

    return AfterValidator(judged)


def _schema_of(word: str) -> WithJsonSchema:
    kind = {"type": "string", "maxLength": 36, "format": f"uuid-or-{word}"}
    return WithJsonSchema({**kind, "examples": [UUID_EXAMPLE]})


ListChoice = Annotated[str, _id_or(INBOX, _NO_LIST), _schema_of(INBOX)]
ParentChoice = Annotated[str, _id_or(NO_PARENT, _NO_TASK), _schema_of(NO_PARENT)]


class PriorityWord(Choice):
    """A priority to filter by, in the order of their numbers; `none` is that of tasks without one."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    NONE = "none"


def _priorities(text: str) -> str:
    """Read words separated by commas; returns each of them once, in their order."""
    words = chosen(text, PriorityWord)
    return ",".join(word for word in PriorityWord if word in words)


Priorities = Annotated[str, AfterValidator(_priorities), choice_of(PriorityWord), COMMA_SEPARATED]


class TaskSort(Choice):
    """What listings are sorted by; a minus exactly reverses the order."""

    CREATED_AT = "created_at"
    CREATED_AT_REVERSED = "-created_at"
    UPDATED_AT = "updated_at"
    UPDATED_AT_REVERSED = "-updated_at"
    TITLE = "title"
    TITLE_REVERSED = "-title"
    COMPLETED_AT = "completed_at"
    COMPLETED_AT_REVERSED = "-completed_at"
    DUE = "due"
    DUE_REVERSED = "-due"
    PRIORITY = "priority"
    PRIORITY_REVERSED = "-priority"
    POSITION = "position"
    POSITION_REVERSED = "-position"

    @property
    def is_reversed(self) -> bool:
        """Return whether the greatest value comes first."""
        return self.startswith("-")

    @cached_property
    def column(self) -> str:
        """Return the name of the column to sort by."""
        name = self.removeprefix("-")
        return {"title": "title_key", "completed_at": "completed_key", "due": "due_key"}.get(name, name)

    @cached_property
    def kind(self) -> type[cursors.Key]:
        """Return the type of the sort key."""
        return {"title_key": str, "priority": int, "position": str}.get(self.column, datetime)


SortName = Annotated[str, BeforeValidator(TaskSort.known, json_schema_input_type=TaskSort)]


class SortOrder(Choice):
    """The direction of a sort, for clients that send it apart."""

    ASCENDING = "asc"
    DESCENDING = "desc"


class Included(Choice):
    """What else a task in an answer has, if asked for."""

    SUBTASK_COUNTS = "subtask_counts"


_INCLUDE = "`subtask_counts`: how many subtasks each task has, and how many are done"
IncludedName = Annotated[str, BeforeValidator(Included.known, json_schema_input_type=Included)]
OrderName = Annotated[str, BeforeValidator(SortOrder.known, json_schema_input_type=SortOrder)]
FILTERS = (
    *("completed", "status", "created_after", "created_before", "updated_after", "updated_before", "ids", "q"),
    *("overdue", "due_before", "due_after", "has_due", "timezone", "priority", "labels", "labels_any"),
    *("list_id", "in_archived", "parent_id"),
)


class TaskQuery(Input):
    """Which tasks to list, in which order, and which page to return."""

    completed: QueryFlag = optional("Only tasks that are done (`true`) or open (`false`)", False)
    status: Statuses = optional(
        "Only tasks with one of these: `pending` is `todo,in_progress`, `completed` is `done`, and `all` is any",
        StatusWord.TODO.value,
    )
    created_after: Moment = optional("Only tasks created after this time", _EARLY)
    created_before: Moment = optional("Only tasks created before this time", _LATE)
    updated_after: Moment = optional("Only tasks last changed after this time", _EARLY)
    updated_before: Moment = optional("Only tasks last changed before this time", _LATE)
    overdue: QueryFlag = optional(
        "Only tasks that should be done by now, and are neither done nor cancelled (`true`), or all others. A day must "
        "have ended",
        True,
    )
    due_before: DayOrMoment = optional("Only tasks due before this day or time", "2026-12-01")
    due_after: DayOrMoment = optional("Only tasks due after this day or time", "2026-11-01")
    has_due: QueryFlag = optional("Only tasks with a due date (`true`) or without (`false`)", True)
    timezone: ZoneName = optional(
        "The zone of days in other filters; by default that of your account, or UTC",
        ZONE_EXAMPLE,
    )
    priority: Priorities = optional("Only tasks with one of these; `none` stands for null", PriorityWord.HIGH.value)
    labels: CommaSeparatedLabels = optional(
        "Only tasks that have all of these labels, separated by commas",
        "home,errand",
    )
    labels_any: CommaSeparatedLabels = optional(
        "Only tasks that have at least one of these labels, separated by commas", "home,errand"
    )
    list_id: ListChoice = optional("Only the tasks in this list, or those in none (`inbox`)", INBOX)
    in_archived: QueryFlag = optional("Only tasks in archived lists (`true`), or all others (`false`)", False)
    parent_id: ParentChoice = optional("Only subtasks of this task, or tasks that have no parent (`none`)", NO_PARENT)
    ids: CommaSeparatedIds = optional("Only these tasks: up to 100 ids, separated by commas", UUID_EXAMPLE)
    deleted: QueryFlag = described(
        "`true`: the tasks in the trash, with `deleted_at`, instead of the active ones", False, default=False
    )
    q: SearchText = optional(
        'Only tasks with all these words in title or description; also `or`, `-without`, `"a phrase"`',
        'milk or "soy drink" -oat',
    )
    sort: SortName = described(
        "What to sort by; `-` reverses the order. Open tasks come after completed ones, and those without a due date "
        "or priority after those with one; a day counts as its end in UTC. `position` needs `list_id` or `parent_id`",
        "-updated_at",
        default=TaskSort.CREATED_AT_REVERSED.value,
    )
    order: OrderName = optional(
        "The direction of `sort`: `sort=due&order=desc` is `sort=-due`. Without `sort`, that of `created_at`",
        "desc",
    )
    limit: PlainInteger = described("Maximum number of tasks to return", 50, default=MAX_LIMIT, ge=1, le=MAX_LIMIT)
    cursor: Cursor = optional(
        "`page.next_cursor` of the previous page, with the same filters and `sort`",
        CURSOR_EXAMPLE,
    )
    include: IncludedName = optional(_INCLUDE, Included.SUBTASK_COUNTS.value)
    include_total: QueryFlag = described("`true`: also count all matching tasks, as `page.total`", True, default=False)
    include_counts: QueryFlag = described(
        "`true`: also count the tasks of each status that match the other filters, as `page.counts`",
        True,
        default=False,
    )

    @model_validator(mode="after")
    def _agreeing(self) -> Self:
        if self.order == SortOrder.ASCENDING and "sort" in self.model_fields_set and self.sort.startswith("-"):
            problem = PydanticCustomError("sort_and_order", SORT_AND_ORDER)
            raise ValidationError.from_exception_data(
                "order", [InitErrorDetails(type=problem, loc=("order",), input=None)]
            )
        if self.sorting.column == "position" and self.list_id is None and self.parent_id in {None, NO_PARENT}:
            problem = PydanticCustomError("sort_needs_list", SORT_NEEDS_LIST)
            raise ValidationError.from_exception_data(
                "sort", [InitErrorDetails(type=problem, loc=("sort",), input=None)]
            )
        return self

    @cached_property
    def sorting(self) -> TaskSort:
        """Return what to sort by, and in which direction. It is computed once: a copy keeps it."""
        if self.order is None:
            return TaskSort(self.sort)
        return TaskSort(("-" if self.order == SortOrder.DESCENDING else "") + self.sort.removeprefix("-"))

    @property
    def changes_with_time(self) -> bool:
        """Return whether the listing may change without any change of the tasks."""
        return self.overdue is not None

    @property
    def filters(self) -> dict[str, Any]:
        """Return the filters that are set, in a fixed order."""
        fields = self.__dict__  # the model would look each one up in its class first
        return {name: value for name in FILTERS if (value := fields[name]) is not None}

    @property
    def listing_id(self) -> bytes:
        """Return an id of this listing that is the same for all its pages and depends on its sort and filters."""
        filters = {name: str(value) for name, value in self.filters.items()}
        return fingerprint(self.sorting.value, self.deleted, filters)[: cursors.LISTING_BYTES]


class SubtasksQuery(Input):
    """Which page of the subtasks of a task to return."""

    limit: PlainInteger = described("Maximum number of tasks to return", 50, default=MAX_LIMIT, ge=1, le=MAX_LIMIT)
    cursor: Cursor = optional("`page.next_cursor` of the previous page", CURSOR_EXAMPLE)
    include: IncludedName = optional(_INCLUDE, Included.SUBTASK_COUNTS.value)

    def of(self, parent_id: UUID) -> TaskQuery:
        """Return the listing of the subtasks of this task."""
        said = self.model_dump(exclude_unset=True)
        return TaskQuery.model_validate({**said, "parent_id": str(parent_id), "sort": TaskSort.POSITION.value})


class ReadQuery(Input):
    """What to add to a task."""

    include: IncludedName = optional(_INCLUDE, Included.SUBTASK_COUNTS.value)


class DeleteQuery(Input):
    """How to delete a task."""

    permanent: QueryFlag = described("`true`: delete permanently, which cannot be undone", True, default=False)
