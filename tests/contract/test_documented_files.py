"""The example files in the contract are real: they can be imported, and match what is exported."""

from __future__ import annotations

import json
import re

import httpx
import pytest

from backend.api.openapi.answers import example_of
from backend.api.openapi.files import CALENDAR_EXAMPLE
from backend.models.task import TaskPublic
from backend.models.task_file import FileFormat
from backend.services.task_files.export_service import writer_of
from tests.fixtures.calls.task_files import TYPES, imported, lines_of
from tests.fixtures.documents.contract import Json, operations
from tests.fixtures.documents.error_codes import ROOT

pytestmark = pytest.mark.requirement("FR-057", "FR-223", "FR-224")

ERRORS, FILES_PAGE = "docs/errors.md", "docs/files.md"
BODIES: Json = operations()["import_tasks"].document["requestBody"]["content"]
FILES: Json = operations()["export_tasks"].document["responses"]["200"]["content"]


@pytest.mark.parametrize("kind", BODIES)
def test_the_example_of_each_body_can_be_imported(client: httpx.Client, kind: str) -> None:
    example = BODIES[kind]["example"]
    example = (example if isinstance(example, str) else json.dumps(example)).encode()

    assert imported(client, example, kind) == {"created": 1}
    assert imported(client, example, kind) == {"unchanged": 1}


@pytest.mark.parametrize("file_format", FileFormat)
def test_the_example_of_each_file_is_what_is_written(file_format: FileFormat) -> None:
    writer = writer_of(file_format)
    example = writer.beginning + writer.write(lines_of([example_of(TaskPublic)])) + writer.ending

    documented = FILES[TYPES[file_format]]["example"]
    if file_format is FileFormat.JSON_LINES:
        example = example.replace(": ", ":").replace(', "', ',"')
    assert documented == example
    assert CALENDAR_EXAMPLE.endswith("END:VCALENDAR\r\n")


def test_all_that_is_exported_can_be_imported() -> None:
    assert FILES.keys() <= BODIES.keys()


@pytest.mark.requirement("FR-426")
def test_the_guide_and_the_contract_say_what_imports_mend() -> None:
    errors, files = ((ROOT / path).read_text(encoding="utf-8") for path in (ERRORS, FILES_PAGE))
    warnings = set(re.findall(r"`(\w+)` \| a warning", errors))
    # Which elsewhere are errors.
    warnings |= {"control_character", "label_format", "parent_cycle", "too_deep", "too_many_subtasks"}
    for text in (files, operations()["import_tasks"].document["description"]):
        table = text.partition("\n| a row has or lacks |")[2].partition("\n\n")[0]
        assert set(re.findall(r"`(\w+_\w+|shortened)`", table)) == warnings
