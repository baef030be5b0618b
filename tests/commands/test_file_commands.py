"""task-api export and task-api import: files of one user's tasks, straight from and to the database."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from backend import cli
from backend.formats.csv import CSVWriter
from backend.models.task_file import MAX_BAD_ROWS, MAX_ERRORS, FileFormat, ImportedTask
from backend.server.signals import EXIT_INTERRUPTED
from backend.services.task_files import export_service
from backend.services.task_files.import_service import ImportService
from tests.fixtures.calls.api import new_user
from tests.fixtures.calls.lists import make
from tests.fixtures.calls.task_files import exported, said_of, tasks_of
from tests.fixtures.calls.tasks import create
from tests.fixtures.postgres.proxy import Fault, counting_proxy
from tests.fixtures.processes.process import environment, run
from tests.fixtures.running.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.requirement("FR-229")

Command = Callable[..., tuple[int, str, str]]
ALL_CREATED = "{} created, 0 updated, 0 restored, 0 unchanged, 0 failed\n"


@pytest.fixture
def command(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """Runs a command in this process, and returns its exit code and what it printed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("LOG_LEVEL", "error")  # also for the service of these tests, which runs in this process
    monkeypatch.delenv("DATABASE_DIRECT_URL", raising=False)

    def command(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        try:
            code = cli.main(arguments)
        except SystemExit as exit_:
            code = int(exit_.code or 0)
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return command


@pytest.fixture(params=FileFormat)
def file_format(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> FileFormat:
    """Every format, one after another, with small pages."""
    monkeypatch.setattr(export_service, "MAX_ROWS", 2)
    chosen: FileFormat = request.param
    return chosen


def test_what_is_exported_for_one_user_is_imported_for_another(
    client: httpx.Client, stranger: httpx.Client, user_id: str, command: Command, file_format: FileFormat
) -> None:
    for number in range(5):
        create(client, f"=a,{number}", description="b\n\u2028", completed=number % 2 == 0)
    theirs = stranger.get("/api/me").json()["data"]["id"]
    name = f"tasks.{file_format}"

    assert command("export", "--user", user_id, "--output", name) == (0, "exported 5 tasks\n", "")
    assert Path(name).read_bytes().decode() == exported(client, file_format)
    assert not Path(f"{name}.part").exists()
    assert command("import", "--user", theirs, name) == (0, ALL_CREATED.format(5), "")
    again = "0 created, 0 updated, 0 restored, 5 unchanged, 0 failed\n"
    assert command("import", "--user", theirs, "--format", file_format, name) == (0, again, "")

    mine, other = (said_of(tasks_of(each)) for each in (client, stranger))
    assert mine == other


def test_they_write_to_and_read_from_other_programs(
    client: httpx.Client, user_id: str, database_url: str, tmp_path: Path
) -> None:
    create(client, "a\u2028\U0001f95b")
    env = environment(tmp_path / "data", DATABASE_URL=database_url)
    task_api = [sys.executable, "-m", "backend.cli"]

    out = subprocess.run(  # noqa: S603 - our own program
        [*task_api, "export", "--user", user_id],
        env=env,
        cwd=tmp_path,
        capture_output=True,
        timeout=PATIENCE_SECONDS,
        check=True,
    )
    done = subprocess.run(  # noqa: S603 - our own program
        [*task_api, "import", "--user", new_user(), "--format", "jsonl", "-"],
        input=out.stdout + b"{}\n", env=env, cwd=tmp_path, capture_output=True, timeout=PATIENCE_SECONDS, check=False,
    )  # fmt: skip

    assert out.stdout.decode() == exported(client)
    assert out.stderr == b""
    assert done.returncode == 1
    assert done.stdout == b"1 created, 0 updated, 0 restored, 0 unchanged, 1 failed\n"
    assert done.stderr == (
        b"-:2: title: This row says nothing about a new task: give it a title\n"
        b"task-api: 1 row is bad (listed above). All other rows are stored\n"
    )


@pytest.mark.requirement("FR-386")
def test_what_is_skipped_is_counted(command: Command, user_id: str) -> None:
    Path("tasks.ics").write_text("BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VEVENT\nEND:VCALENDAR\n")

    assert command("import", "--user", user_id, "tasks.ics") == (0, ALL_CREATED.strip().format(0) + ", 1 skipped\n", "")


@pytest.mark.requirement("FR-433")
def test_the_export_of_an_account_is_read(client: httpx.Client, command: Command) -> None:
    home = make(client, "Home")
    create(client, "a", list_id=home["id"], labels=["x"])
    Path("account.jsonl").write_text(client.get("/api/me/export").text)

    said = ALL_CREATED.strip().format(3) + ", 3 skipped\n"  # an event of each
    assert command("import", "--user", new_user(), "account.jsonl") == (0, said, "")


@pytest.mark.requirement("FR-469", "FR-470")
def test_tables_have_more_names_and_workbooks_are_named(command: Command, user_id: str) -> None:
    Path("tasks.tsv").write_text("title\tcompleted\na\tWAHR\n")
    Path("tasks.csv").write_bytes("title,completed\n".encode("utf-16"))

    assert command("import", "--user", user_id, "tasks.tsv") == (0, ALL_CREATED.format(1), "")
    code, _, error = command("import", "--user", user_id, "tasks.csv")
    assert (code, "CSV UTF-8" in error, len(error.splitlines())) == (1, True, 1)


@pytest.mark.requirement("FR-432")
def test_a_json_array_is_read(command: Command, user_id: str) -> None:
    Path("tasks.json").write_text('[{"title": "a"}, {"title": "b"}]')

    assert command("import", "--user", user_id, "tasks.json") == (0, ALL_CREATED.format(2), "")
    code, _, error = command("export", "--user", user_id, "--output", "tasks.json")
    assert (code, "jsonl, csv, ics" in error) == (2, True)


def test_bad_rows_are_listed(command: Command, user_id: str) -> None:
    rows = ["{}"] * (MAX_ERRORS + 1) + [json.dumps({"title": "a", "\x1b[31m": 1}), json.dumps({"title": "good"})]
    Path("tasks.jsonl").write_text("\n".join(rows[::-1]))

    code, out, error = command("import", "--user", user_id, "tasks.jsonl")

    lines = error.splitlines()
    assert code == 1
    assert out.startswith("1 created, ")
    fields = ", ".join(ImportedTask.model_fields)
    assert lines[0] == f"tasks.jsonl:2: ?[31m: There is no field with this name; the fields are: {fields}"
    assert len(lines) == MAX_ERRORS + 1
    assert lines[-1] == (
        f"task-api: {MAX_ERRORS + 2} rows are bad (the first {MAX_ERRORS} listed above). All other rows are stored"
    )


@pytest.mark.requirement("FR-242")
def test_it_stops_behind_very_many_bad_rows_and_says_so(command: Command, client: httpx.Client, user_id: str) -> None:
    good = '{"title": "good"}\n'
    Path("tasks.jsonl").write_text(good + "{}\n" * MAX_BAD_ROWS + good + "x" * 10**6)

    code, out, error = command("import", "--user", user_id, "tasks.jsonl")

    assert code == 1
    assert out == f"1 created, 0 updated, 0 restored, 0 unchanged, {MAX_BAD_ROWS} failed\n"
    assert len(error.splitlines()) == MAX_ERRORS + 1
    assert error.endswith(
        f"task-api: {MAX_BAD_ROWS} rows are bad (the first {MAX_ERRORS} listed above). The import stopped at line "
        f"{MAX_BAD_ROWS + 2}: all other rows before it are stored, and none from there on\n"
    )
    assert len(tasks_of(client)) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("export", "--user", ""), 2, "--user: must have 1 to 255 characters and no control characters"),
        (("export", "--user", "a", "--output", "tasks"), 2, "choose the format of the file with --format"),
        (("export",), 2, "--user"),
        (
            ("import", "--user", "x" * 256, "tasks.csv"),
            2,
            "--user: must have 1 to 255 characters and no control characters",
        ),
        (("import", "--user", "a", "tasks.doc"), 2, "choose the format of the file with --format"),
        (("import", "--user", "a", "--format", "xml", "missing.csv"), 2, "invalid choice"),
        (
            ("import", "--user", "a", "other.csv"),
            1,
            "other.csv: name: There is no column `name`; did you mean `title`? The columns are: id, title, ",
        ),
    ],
)
def test_what_is_wrong_is_said_in_a_line(command: Command, arguments: tuple[str, ...], code: int, said: str) -> None:
    Path("other.csv").write_text("title,name\n")

    ended, out, error = command(*arguments)

    assert (ended, out) == (code, "")
    assert said in error
    assert len(error.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments", [("export", "--user", "a", "--output", "no/a.csv"), ("import", "--user", "a", "missing.csv")]
)
def test_a_file_that_is_missing_is_said_to_be(database_url: str, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = run(*arguments, env=environment(tmp_path / "data", DATABASE_URL=database_url), cwd=tmp_path)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("task-api: No such file or directory: ")


def test_a_file_that_is_not_complete_has_no_name(
    command: Command, client: httpx.Client, user_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(client)

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(CSVWriter, "write", fail)

    assert command("export", "--user", user_id, "--output", "tasks.csv")[0] == EXIT_INTERRUPTED
    assert [*Path().glob("tasks*")] == []


def test_what_came_before_an_outage_is_stored(
    command: Command, client: httpx.Client, user_id: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("tasks.jsonl").write_text('{"title": "a"}\n' * 600)
    store = ImportService.store
    with counting_proxy(database_url) as proxy:
        monkeypatch.setenv("DATABASE_URL", proxy.url)
        monkeypatch.setenv("REQUEST_TIMEOUT_SECONDS", "1")

        def storing(self: ImportService, tasks: list[object]) -> object:
            fates = store(self, tasks)  # type: ignore[arg-type]
            proxy.fail_at(1, Fault.SILENT)
            return fates

        monkeypatch.setattr(ImportService, "store", storing)
        code, out, error = command("import", "--user", user_id, "tasks.jsonl")

    assert (code, out) == (1, "")
    assert error.endswith("What came before is stored: import the file again later.\n")
    assert len(tasks_of(client)) == 250
