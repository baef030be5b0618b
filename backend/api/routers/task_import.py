"""/api/tasks/import: tasks from a file."""

from __future__ import annotations

from fastapi import Response

from backend.api.deps import ImportServices, NoConditions, Once, TaskFile
from backend.api.openapi.answers import ImportAnswer
from backend.api.openapi.files import task_file_body
from backend.api.openapi.operations import WITH_BODY, errors, success
from backend.api.routers.router import Router
from backend.api.routers.tasks import TASKS
from backend.api.streams.file_types import unknown_type
from backend.errors import BadRequest
from backend.formats.csv import COLUMNS, NO_TITLE
from backend.formats.rows import unreadable
from backend.models.task_file import ImportedTask

router = Router("/api/tasks", "tasks", TASKS)

_COLUMNS = ", ".join(f"`{name}`" for name in COLUMNS if name in ImportedTask.model_fields)


@router.post(
    "/import",
    summary="Import tasks from a file",
    dependencies=[NoConditions],
    responses=success(200, "The result of the import", ImportAnswer)
    | WITH_BODY
    | errors(BadRequest, unknown_type(), unreadable(NO_TITLE)),
    openapi_extra=task_file_body(
        "Tasks as JSON lines, JSON, CSV or iCalendar; the Content-Type says which. As `application/octet-stream`, or "
        'without a Content-Type, send the name of the file: `Content-Disposition: attachment; filename="tasks.csv"`. '
        f"The columns of a CSV, and the fields of JSON: {_COLUMNS}"
    ),
)
async def import_tasks(file: TaskFile, service: ImportServices, once: Once) -> Response:
    """Import tasks from JSON lines, JSON, CSV (with column names in the first row) or iCalendar, in UTF-8.

    The columns of a CSV, and the fields of JSON, are those of a task, as the body names them. A CSV needs the column
    `title`, which may be empty. All others may be left out. JSON is an array of tasks, or an object with an array
    `data`, like the answer of a listing. JSON lines may be the export of an account (`GET /api/me/export`): its labels
    and lists are imported, too, without what is in the trash.

    A row with an `id` (in iCalendar, a `UID` of any form) makes that task match the row: the task is created, edited,
    restored from the trash, or left alone if it already matches. You can therefore repeat an import, and an exported
    file creates the same tasks in any account. Later rows win. A row without an `id` creates a task once, however often
    you send the file, and changes no task: one that you have edited since stays as it is. To create second copies, send
    a new `Idempotency-Key`. Where a deployment requires `If-Match`, an import changes no existing task, and rejects a
    row that would.

    `created_at` counts for new tasks only. Other exported fields are ignored. A row with an unknown field is rejected.
    What a row omits stays as it is. An empty value (null, an empty cell, a property without a value) clears what a task
    can be without. Without a title, an existing task keeps its own, and a new one gets the first line of its
    description. Of `status`, `completed` and `completed_at`, an empty field says nothing beside a filled field; alone,
    it reopens the task. An empty `position` or `created_at` counts as omitted. A task may come before its parent; if
    that never comes, the task has none, and `warnings` says so.

    A row whose meaning is clear is mended rather than rejected, and `warnings` says what was not kept as the file
    says. Entries that are no tasks, like the events of a calendar, are counted as `skipped`.

    <details><summary>What imports mend in calendars, and at the end in every format</summary>

    | a row has or lacks | its task has | `code` in `warnings` |
    |---|---|---|
    | no title, or none that can be seen | the first line of its description, or `Untitled` | `title_missing` |
    | a text or label that is too long, more than 50 labels | what fits | `shortened`, `labels_dropped` |
    | a label with commas or control characters | spaces in their place | `label_respelled` |
    | notes whose lines are not folded | all these lines | `lines_joined` |
    | a BASE64 that is no text | no such text | `text_dropped` |
    | a parameter of more than 1,000 bytes | the value behind it | `parameter_dropped` |
    | a PRIORITY that is no number from 0 to 9 | the priority that it had | `priority_invalid` |
    | a CREATED or COMPLETED not in UTC | that local time | `moment_local` |
    | a CREATED or COMPLETED that is no time, before 1970 or in the future | the time of the import | `moment_dropped` |
    | a start after the due date, or of another kind | none, or one like it | `start_dropped`, `start_respelled` |
    | a DURATION that adds nothing to the start | no due date | `duration_dropped` |
    | a zone with an odd, unknown or no name | the zone probably meant, or that of your account | `timezone_guessed` |
    | a DUE or DTSTART that is no day and no time | the date that it had | `date_dropped` |
    | a STATUS or PERCENT-COMPLETE that is none | the status that it had | `status_invalid` |
    | a RECURRENCE-ID | only this occurrence | `occurrence_alone` |
    | a UID that is very long, no plain text, or outside of the token's list | another one in exports | `uid_not_kept` |
    | subtasks that do not exist, or too many of them | no such subtasks | `subtask_missing`, `subtasks_left_out` |
    | RRULE, LOCATION, a percentage and others | nothing of it; told once in a file | `property_not_kept` |
    | a title with control characters, a label `.` or `..` | neither | `control_character`, `label_format` |
    | a parent that is below the task | no parent | `parent_cycle` |
    | in a calendar, a parent without room for it | no parent | `too_deep`, `too_many_subtasks` |
    | a parent that does not come | no parent until it comes | `parent_missing` |
    | a position after all others | the last place | `position_late` |
    | no id, and a task that was edited since | what it had | `imported_before` |

    </details>

    Rejected rows are reported with their lines. All others are stored, part by part, while the file arrives. After
    10000 rejected rows the import stops: `stopped_at_line` is the line of the first row that was not processed, and
    nothing from there on is stored. Correct the file and send it again.

    An import that is cut short (401, 408, 413, 503) has stored what came before; send the file again, with the same
    `Idempotency-Key` if it had one. A server runs two of your imports at a time, and answers 429 to a third.
    """
    with file.slot():
        return await file.run(service, once)
