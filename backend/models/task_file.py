"""Files of tasks: their formats, what a row may contain, and the report of an import."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    GetJsonSchemaHandler,
    PlainValidator,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError

from backend.errors import Detail
from backend.formats.rows import ROW
from backend.models.base import Choice, Input, described, first_problem, optional
from backend.models.fields import (
    DOTS,
    NOT_IN_ADDRESSES,
    POSITION_EXAMPLE,
    UUID_EXAMPLE,
    CanonicalUUID,
    Count,
    Flag,
    LabelNames,
    LineNumber,
    Position,
    QueryFlag,
    Sentence,
    Title,
)
from backend.models.task import Priority, Status, StatusName, TaskFields
from backend.models.task_query import INBOX, ListChoice
from backend.models.values.times import TIME_EXAMPLE, Moment
from backend.utils.plain_words import BLANK
from backend.utils.priorities import PriorityNumber
from backend.utils.unknown_names import unknown_name
from backend.utils.visible_text import has_controls, is_visible, without_controls

MAX_ERRORS = 1000  # listed in a report
MAX_WARNINGS = 1000
MAX_BAD_ROWS = 10_000  # after this many, the file is not what the client meant to send
MAX_FIELD_NAME = 100

# Fields that an export has and an import ignores: only the account itself sets them.
_IGNORED = {"user_id", "updated_at", "revision", "deleted_at", "subtask_counts", "request_hash", "uid"}


BOM_WITHOUT_CSV = "Only a CSV can begin with a byte order mark: send format=csv, or leave bom out"


class Fate(StrEnum):
    """The result of a row, named like its count in the report."""

    CREATED = "created"
    UPDATED = "updated"
    RESTORED = "restored"
    UNCHANGED = "unchanged"


class FileFormat(Choice):
    """The format of a task file; also its file extension."""

    JSON_LINES = "jsonl"
    CSV = "csv"
    CALENDAR = "ics"


class ReadFormat(StrEnum):
    """A format of task files that are only read: tasks are exported as JSON lines rather than as one array."""

    JSON = "json"


AnyFormat = FileFormat | ReadFormat
# What the names of files to import end in.
ENDINGS: dict[str, AnyFormat] = {
    **{file_format.value: file_format for file_format in (*FileFormat, *ReadFormat)},
    "ndjson": FileFormat.JSON_LINES,
    **dict.fromkeys(("tsv", "txt"), FileFormat.CSV),  # which spreadsheets write with tabs
    **dict.fromkeys(("vcs", "ical", "icalendar"), FileFormat.CALENDAR),
}
FormatName = Annotated[str, BeforeValidator(FileFormat.known, json_schema_input_type=FileFormat)]


class TaskExportQuery(Input):
    """How to export tasks."""

    format: FormatName = described(
        "`jsonl`: JSON lines; `csv`: comma-separated values; `ics`: iCalendar",
        "csv",
        default=FileFormat.JSON_LINES.value,
    )
    list_id: ListChoice = optional("Only the tasks in this list, or those in none (`inbox`)", INBOX)
    bom: QueryFlag = described(
        "`true`: begin the CSV with a byte order mark, without which Excel does not read it as UTF-8",
        True,
        default=False,
    )

    @model_validator(mode="after")
    def _agreeing(self) -> Self:
        if self.bom and self.file_format is not FileFormat.CSV:
            problem = PydanticCustomError("bom_without_csv", BOM_WITHOUT_CSV)
            raise ValidationError.from_exception_data("bom", [InitErrorDetails(type=problem, loc=("bom",), input=None)])
        return self

    @property
    def file_format(self) -> FileFormat:
        """Return the format of the file."""
        return FileFormat(self.format)


_ANY_STATUS = {"type": "string", "maxLength": 20, "pattern": f"^({'|'.join(Status)})$"}
_ANY_PRIORITY = {"type": "string", "maxLength": 20, "pattern": f"^({'|'.join(Priority)})$"}


class _OrNull:
    """Documents that a field of a row may be null, although no task has it so."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"anyOf": [handler(schema), {"type": "null"}]}


def _word_or_number(said: Any) -> str | int | None:
    """Accept a word or null, as everywhere, and the number of a calendar."""
    return said if said is None or isinstance(said, PriorityNumber) else Priority.known(said)


_STATE = ("status", "completed", "completed_at")
# What an empty value means where no task can have one, unless another field of `_STATE` says more: as in a new task.
_MEANINGS = {
    name: field.get_default(call_default_factory=True)
    for name, field in TaskFields.model_fields.items()
    if not field.is_required()
}


class ImportedTask(TaskFields):
    """A task as one row describes it. In an existing task, omitted fields keep their values; null clears them."""

    title: Title | None = described(  # type: ignore[assignment]
        "What to do: 1 to 500 characters after surrounding white space is removed. Without it, an existing task keeps "
        "its title, and a new one gets the first line of its description",
        "Buy milk",
        default=None,
    )
    id: CanonicalUUID | None = described(
        "The task's id; without it, the row creates a task once, and changes none", UUID_EXAMPLE, default=None
    )
    completed: Annotated[Flag, _OrNull()] = optional(
        "Whether the task is done; if omitted, whether there is a `completed_at`", True
    )
    # As a pattern: Swagger UI cannot execute an import if the rows in its body refer to another schema, like Status.
    status: Annotated[StatusName, WithJsonSchema(_ANY_STATUS), _OrNull()] = optional(
        "How far the task is; if omitted, `done` if the row completes the task", Status.IN_PROGRESS.value
    )
    priority: Annotated[Any, PlainValidator(_word_or_number), WithJsonSchema(_ANY_PRIORITY), _OrNull()] = described(
        "How much it matters; null if nobody has said", Priority.HIGH.value, default=None
    )
    completed_at: Moment | None = described(
        "When it was completed; applies if this row completes the task", TIME_EXAMPLE, default=None
    )
    created_at: Moment | None = described("When it was created; applies to a new task", TIME_EXAMPLE, default=None)
    labels: Annotated[LabelNames, _OrNull()] = described(
        "The names of its labels. A new name makes a new label", ["home", "errand"], default=[]
    )
    position: Annotated[Position, _OrNull()] = optional(
        "Where it stands in its list. Without one, an existing task stays there, and a new one comes last",
        POSITION_EXAMPLE,
    )

    @model_validator(mode="before")
    @classmethod
    def _without_empty_values(cls, fields: dict[str, Any]) -> dict[str, Any]:
        """Say what an empty value means where no task can have one.

        Of the fields that say how far a task is, an empty one says nothing beside others; alone, the task is open.
        """
        is_state_said = any(fields.get(name) is not None for name in _STATE)
        said = {name: _MEANINGS.get(name) if value is None else value for name, value in fields.items()}
        for name in ("position", *(_STATE if is_state_said else ())):
            if fields.get(name) is None:
                said.pop(name, None)
        return said

    @property
    def said(self) -> dict[str, Any]:
        """Return the fields of a task that the row sets, and whether the task is completed if the row says so."""
        said = super().said
        if self.title is None:
            said.pop("title", None)
        if said.keys().isdisjoint({"completed", "status"}) and "completed_at" in self.model_fields_set:
            said["completed"] = self.completed_at is not None
        return said


_FIELDS = frozenset(ImportedTask.model_fields)


NOTHING_SAID = Detail("title", "missing", "This row says nothing about a new task: give it a title")
_CLEANED = Detail("title", "control_character", "Control characters were removed: a title must not have any")
_WITHOUT_DOTS = Detail("labels", "label_format", f"It was left out. {DOTS}")


def mended(fields: Mapping[str, object]) -> tuple[Mapping[str, object], tuple[Detail, ...]]:
    """Take out of a row what no task has, such as a title that nobody sees; returns the row, and what to say of it.

    That there is no title is said when the row is stored.
    """
    title, labels = fields.get("title"), fields.get("labels")
    if isinstance(title, str) and "\0" not in title and has_controls(title):
        rest, details = mended({**fields, "title": without_controls(title)})
        return rest, (_CLEANED, *details)
    if isinstance(title, str) and "\0" not in title and not is_visible(title):
        fields = {**fields, "title": None}
    if isinstance(labels, list) and any(label in NOT_IN_ADDRESSES for label in labels if isinstance(label, str)):
        kept = [label for label in labels if not (isinstance(label, str) and label in NOT_IN_ADDRESSES)]
        return {**fields, "labels": kept}, (_WITHOUT_DOTS,)
    return fields, ()


def read_task(fields: Mapping[str, object]) -> ImportedTask | Detail:
    """Read a row; returns a Detail for the first thing that is wrong with it."""
    said = {name: value for name, value in fields.items() if name not in _IGNORED}
    if not said.keys() <= _FIELDS:
        unknown = next(name for name in said if name not in _FIELDS)
        return Detail(_bounded(unknown), "extra_forbidden", unknown_name(unknown, ImportedTask.model_fields))
    if not said:
        return NOTHING_SAID
    try:
        return ImportedTask.model_validate(said)
    except ValidationError as error:
        return first_problem(error)


def _bounded(name: str) -> str:
    """Make a name that the client chose short and encodable."""
    return name[:MAX_FIELD_NAME].encode("utf-8", "replace").decode() or ROW


Code = Annotated[str, StringConstraints(max_length=50, pattern="^[a-z][a-z0-9_]*$")]


class RowError(BaseModel):
    """An error in one row."""

    line: LineNumber = described("The line of the file where the row begins; in a JSON array, its number", 7)
    field: str = described("The field with the error, or `row`", "title", max_length=MAX_FIELD_NAME)
    code: Code = described("The error, for programs", "string_too_short")
    message: Sentence = described("The error, for people", BLANK)


class RowWarning(RowError):
    """What an import could not keep as the file says, although it stored the row."""


_ERROR = {"line": 7, "field": "title", "code": "string_too_short", "message": BLANK}
_WARNING = {
    "line": 12,
    "field": "title",
    "code": "shortened",
    "message": "This was too long, and was cut to 500 characters",
}


class ImportReport(BaseModel):
    """The result of an import."""

    created: Count = described("Rows that created a task, or a label or list of an account's export", 120)
    updated: Count = described("Rows that changed one of these", 3)
    restored: Count = described("Rows that restored a task or list from the trash, changed or not", 1)
    unchanged: Count = described("Rows whose task, label or list already matched", 40)
    failed: Count = described("Rows that were rejected; all other processed rows are stored", MAX_BAD_ROWS)
    mended: Count = described(
        "Rows that are stored, but not quite as the file says: see `warnings`. Each is also counted above", 2
    )
    skipped: Count = described(
        "Entries that were left out because they are not tasks, such as the events of a calendar, or because they are "
        "in the trash in an account's export",
        30,
    )
    stopped_at_line: LineNumber | None = described(
        f"Null, unless the import stopped after {MAX_BAD_ROWS} rejected rows: then the line of the first row that was "
        "not processed. What came before is stored, and nothing from there on is",
        10_165,
    )
    errors: list[RowError] = described(
        f"The errors of the first {MAX_ERRORS} rejected rows, by line",
        [_ERROR],
        max_length=MAX_ERRORS,
    )
    warnings: list[RowWarning] = described(
        "What was not kept as the file says, by line: of each mended row, and once for all rows where something has no "
        f"place in a task; at most {MAX_WARNINGS}",
        [_WARNING],
        max_length=MAX_WARNINGS,
    )
