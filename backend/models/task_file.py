"""Files of tasks: the formats that they can have, what one row of them may say, and what became of the rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, StringConstraints, ValidationError
from pydantic_core import PydanticCustomError

from backend.errors import BLANK, PLAIN_WORDS, UNKNOWN_NAME, Detail
from backend.formats.rows import ROW
from backend.models.base import Choice, Input, described, optional
from backend.models.fields import CanonicalUUID, Description, Flag, Moment, Title
from backend.models.values import Count, LineNumber, Sentence

MAX_ERRORS = 1000  # that are listed
MAX_BAD_ROWS = 10_000  # behind so many, a file is not what somebody meant to send
MAX_FIELD_NAME = 100

# What an export says of a task, and an import does not take: it is the account's own to say.
_IGNORED = {"user_id", "updated_at", "revision", "deleted_at"}
_UUID = "0197c1f0-7a3b-7c4d-8e5f-6a7b8c9d0e1f"
_TIME = "2026-11-21T09:30:00.123456+00:00"


class FileFormat(Choice):
    """What a file of tasks is written in; also how its name ends."""

    JSON_LINES = "jsonl"
    CSV = "csv"
    CALENDAR = "ics"


_FORMATS = [file_format.value for file_format in FileFormat]
UNKNOWN_FORMAT = f"Must be one of: {', '.join(_FORMATS)}"


def _known_format(name: str) -> str:
    """Refuse what is not known, and say what is."""
    if name not in _FORMATS:
        raise PydanticCustomError("enum", UNKNOWN_FORMAT)
    return name


FormatName = Annotated[str, BeforeValidator(_known_format, json_schema_input_type=FileFormat)]


class TaskExportQuery(Input):
    """How to export tasks."""

    format: FormatName = described(
        "`jsonl`: JSON lines; `csv`: comma-separated values; `ics`: iCalendar",
        "csv",
        default=FileFormat.JSON_LINES.value,
    )

    @property
    def file_format(self) -> FileFormat:
        """Return the format of the file."""
        return FileFormat(self.format)


class ImportedTask(Input):
    """What one row says of a task. A field that is left out keeps its value in a task that is there already."""

    id: CanonicalUUID | None = described("Which task it is; left out: a new one, each time", _UUID, default=None)
    title: Title = described("What is to be done: 1 to 500 characters", "Buy milk")
    description: Description | None = described("Anything more, or null", "Two litres, the fresh one", default=None)
    completed: Flag = optional("Whether it is done; left out: whether there is a `completed_at`", True)
    completed_at: Moment | None = described(
        "When it became completed; counts for a task that this row completes", _TIME, default=None
    )
    created_at: Moment | None = described("When it was created; counts for a new task", _TIME, default=None)

    @property
    def said(self) -> dict[str, Any]:
        """Return the texts that the row names, and whether the task is completed if it says so."""
        said = self.model_dump(include=self.model_fields_set & {"title", "description", "completed"})
        if "completed" not in said and "completed_at" in self.model_fields_set:
            said["completed"] = self.completed_at is not None
        return said


_FIELDS = frozenset(ImportedTask.model_fields)


def read_task(fields: Mapping[str, object]) -> ImportedTask | Detail:
    """Read what a row says, or say what is wrong with it: the first thing."""
    said = {name: value for name, value in fields.items() if name not in _IGNORED}
    if not said.keys() <= _FIELDS:
        unknown = next(name for name in said if name not in _FIELDS)
        return Detail(_bounded(unknown), "extra_forbidden", UNKNOWN_NAME)
    try:
        return ImportedTask.model_validate(said)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_context=False, include_input=False)[0]
        return Detail(str(problem["loc"][0]), problem["type"], PLAIN_WORDS.get(problem["type"], problem["msg"]))


def _bounded(name: str) -> str:
    """Keep a name that is the client's own word short and encodable."""
    return name[:MAX_FIELD_NAME].encode("utf-8", "replace").decode() or ROW


Code = Annotated[str, StringConstraints(max_length=50, pattern="^[a-z][a-z0-9_]*$")]


class RowError(BaseModel):
    """What is wrong with one row."""

    line: LineNumber = described("In which line of the file it begins", 7)
    field: str = described("Which field of it, or `row`", "title", max_length=MAX_FIELD_NAME)
    code: Code = described("What, for programs", "string_too_short")
    message: Sentence = described("What, for people", BLANK)


_ERROR = {"line": 7, "field": "title", "code": "string_too_short", "message": BLANK}


class ImportReport(BaseModel):
    """What became of the rows of a file."""

    created: Count = described("Rows that made a new task", 120)
    updated: Count = described("Rows that changed a task", 3)
    restored: Count = described("Rows that brought a task back from the trash, changed or not", 1)
    unchanged: Count = described("Rows whose task was like that already", 40)
    failed: Count = described("Rows that are bad; all the others that were looked at are stored", MAX_BAD_ROWS)
    stopped_at_line: LineNumber | None = described(
        f"Null, unless the import stopped, as it does after {MAX_BAD_ROWS} bad rows: then the line of the first row "
        "that it did not look at; what came before is stored, and nothing from there on is",
        10_165,
    )
    errors: list[RowError] = described(
        f"What is wrong with the bad rows, by line: with the first {MAX_ERRORS} of them",
        [_ERROR],
        max_length=MAX_ERRORS,
    )
