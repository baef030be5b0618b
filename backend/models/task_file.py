"""Files of tasks: their formats, what a row may contain, and the report of an import."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, PlainValidator, StringConstraints, ValidationError, WithJsonSchema

from backend.errors import Detail
from backend.formats.rows import ROW
from backend.models.base import Choice, Input, described, optional
from backend.models.fields import (
    DOTS,
    NOT_IN_ADDRESSES,
    UUID_EXAMPLE,
    CanonicalUUID,
    Count,
    Flag,
    LineNumber,
    Sentence,
)
from backend.models.task import Priority, Status, StatusName, TaskFields
from backend.models.task_query import INBOX, ListChoice
from backend.models.values.times import TIME_EXAMPLE, Moment
from backend.utils.plain_words import BLANK, in_plain_words
from backend.utils.priorities import PriorityNumber
from backend.utils.unknown_names import unknown_name
from backend.utils.visible_text import has_controls, without_controls

MAX_ERRORS = 1000  # listed in a report
MAX_WARNINGS = 1000
MAX_BAD_ROWS = 10_000  # after this many, the file is not what the client meant to send
MAX_FIELD_NAME = 100

# Fields that an export has and an import ignores: only the account itself sets them.
_IGNORED = {"user_id", "updated_at", "revision", "deleted_at"}


class FileFormat(Choice):
    """The format of a task file; also its file extension."""

    JSON_LINES = "jsonl"
    CSV = "csv"
    CALENDAR = "ics"


FormatName = Annotated[str, BeforeValidator(FileFormat.known, json_schema_input_type=FileFormat)]


class TaskExportQuery(Input):
    """How to export tasks."""

    format: FormatName = described(
        "`jsonl`: JSON lines; `csv`: comma-separated values; `ics`: iCalendar",
        "csv",
        default=FileFormat.JSON_LINES.value,
    )
    list_id: ListChoice = optional("Only the tasks in this list, or those in none (`inbox`)", INBOX)

    @property
    def file_format(self) -> FileFormat:
        """Return the format of the file."""
        return FileFormat(self.format)


_ANY_STATUS = {"type": "string", "maxLength": 20, "pattern": f"^({'|'.join(Status)})$"}
_ANY_PRIORITY = {"type": "string", "maxLength": 20, "pattern": f"^({'|'.join(Priority)})$"}


def _word_or_number(said: Any) -> str | int | None:
    """Accept a word or null, as everywhere, and the number of a calendar."""
    return said if said is None or isinstance(said, PriorityNumber) else Priority.known(said)


class ImportedTask(TaskFields):
    """A task as one row describes it. In an existing task, omitted fields keep their values."""

    id: CanonicalUUID | None = described(
        "The task's id; without it, the row creates a task once, and changes none", UUID_EXAMPLE, default=None
    )
    completed: Flag = optional("Whether the task is done; if omitted, whether there is a `completed_at`", True)
    # As a pattern: Swagger UI cannot execute an import if the rows in its body refer to another schema, like Status.
    status: Annotated[StatusName, WithJsonSchema(_ANY_STATUS)] = optional(
        "How far the task is; if omitted, `done` if the row completes the task", Status.IN_PROGRESS.value
    )
    priority: Annotated[
        Any, PlainValidator(_word_or_number), WithJsonSchema({"anyOf": [_ANY_PRIORITY, {"type": "null"}]})
    ] = described("How much it matters; null if nobody has said", Priority.HIGH.value, default=None)
    completed_at: Moment | None = described(
        "When it was completed; applies if this row completes the task", TIME_EXAMPLE, default=None
    )
    created_at: Moment | None = described("When it was created; applies to a new task", TIME_EXAMPLE, default=None)

    @property
    def said(self) -> dict[str, Any]:
        """Return the fields of a task that the row sets, and whether the task is completed if the row says so."""
        said = super().said
        if said.keys().isdisjoint({"completed", "status"}) and "completed_at" in self.model_fields_set:
            said["completed"] = self.completed_at is not None
        return said


_FIELDS = frozenset(ImportedTask.model_fields)


_CLEANED = Detail("title", "control_character", "Control characters were removed: a title must not have any")
_WITHOUT_DOTS = Detail("labels", "label_format", f"It was left out. {DOTS}")


def mended(fields: Mapping[str, object]) -> tuple[Mapping[str, object], tuple[Detail, ...]]:
    """Take out of a row what tasks had before it was refused; returns the row, and what was taken."""
    title, labels = fields.get("title"), fields.get("labels")
    if isinstance(title, str) and "\0" not in title and has_controls(title):
        rest, details = mended({**fields, "title": without_controls(title)})
        return rest, (_CLEANED, *details)
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
    try:
        return ImportedTask.model_validate(said)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_context=False, include_input=False)[0]
        return Detail(str(problem["loc"][0]), problem["type"], in_plain_words(problem["type"], problem["msg"]))


def _bounded(name: str) -> str:
    """Make a name that the client chose short and encodable."""
    return name[:MAX_FIELD_NAME].encode("utf-8", "replace").decode() or ROW


Code = Annotated[str, StringConstraints(max_length=50, pattern="^[a-z][a-z0-9_]*$")]


class RowError(BaseModel):
    """An error in one row."""

    line: LineNumber = described("The line of the file where the row begins", 7)
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

    created: Count = described("Rows that created a task", 120)
    updated: Count = described("Rows that changed a task", 3)
    restored: Count = described("Rows that restored a task from the trash, changed or not", 1)
    unchanged: Count = described("Rows whose task already matched", 40)
    failed: Count = described("Rows that were rejected; all other processed rows are stored", MAX_BAD_ROWS)
    mended: Count = described(
        "Rows that are stored, but not quite as the file says: see `warnings`. Each is also counted above", 2
    )
    skipped: Count = described("Entries that are not tasks and were left out, such as the events of a calendar", 30)
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
