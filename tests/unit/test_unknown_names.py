"""What messages say about names that do not exist."""

from __future__ import annotations

import difflib
import re

import pytest
from fastapi.routing import APIRoute
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter

from backend.api.http.envelope import error_body
from backend.api.http.paths import SIGN_IN
from backend.api.http.refusals import ANSWERS
from backend.api.main import ROUTES
from backend.errors import NO_PARAMETERS, Detail, ValidationFailed
from backend.models.fields import Sentence
from backend.utils import unknown_names
from backend.utils.unknown_names import MAX_MESSAGE_LENGTH, MAX_NAME_LENGTH, same_name, similar_names, unknown_name

pytestmark = pytest.mark.requirement("FR-269")

KNOWN = ["id", "title", "description", "completed", "due_date", "due_at", "created_after"]
THERE_ARE = "ields are: id, title, description, completed, due_date, due_at, created_after"
SENTENCE = TypeAdapter(Sentence)
NAMES = st.text(st.characters(), max_size=120) | st.sampled_from(KNOWN).flatmap(
    lambda name: st.text(st.sampled_from([*name, "_", "\0", "\ud800", " "]), max_size=20)
)


@pytest.mark.parametrize(
    ("name", "similar"),
    [
        *(("titel", ["title"]), ("Title", ["title"]), (" title ", ["title"]), ("is_completed", ["completed"])),
        *(("due", ["due_date", "due_at"]), ("date", ["due_date"]), ("desc", ["description"])),
        *(("dueDate", ["due_date"]), ("DueDate", ["due_date"]), ("due-date", ["due_date"])),
        *(("Due date", ["due_date"]), ("duedate", ["due_date"]), ("createdAfter", ["created_after"])),
        *(("deadline", ["due_date"]), ("done", ["completed"]), ("tags", []), ("data", [])),
        *(("ID", ["id"]), ("title[]", ["title"]), ("title\0", ["title"])),
        *(("colour", []), ("", []), ("_", []), ("at", []), ("x" * 2000, []), ("title" * 20 + "s", [])),
    ],
)
def test_the_names_that_were_probably_meant_are_found(name: str, similar: list[str]) -> None:
    assert similar_names(name, KNOWN) == similar


def test_of_many_similar_names_a_few_are_suggested() -> None:
    assert similar_names("due", [f"due_{letter}" for letter in "abcdef"]) == ["due_a", "due_b", "due_c"]


@pytest.mark.parametrize(("name", "same"), [("dueDate", "due_date"), ("due_date", "due_date"), ("due", None)])
def test_a_name_in_another_spelling_is_the_same(name: str, same: str | None) -> None:
    assert same_name(name, KNOWN) == same


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("titel", f"There is no field `titel`; did you mean `title`? The f{THERE_ARE}"),
        ("due", f"There is no field `due`; did you mean `due_date` or `due_at`? The f{THERE_ARE}"),
        ("colour", f"There is no field `colour`; the f{THERE_ARE}"),
        ("<title>", f"There is no field with this name; did you mean `title`? The f{THERE_ARE}"),
        ("\u202ecolour", f"There is no field with this name; the f{THERE_ARE}"),
        ("", f"There is no field with this name; the f{THERE_ARE}"),
    ],
)
def test_a_message_names_what_is_wrong_and_what_there_is(name: str, message: str) -> None:
    assert unknown_name(name, KNOWN) == message


def test_a_message_says_where_and_what_kind_of_name_it_is() -> None:
    assert unknown_name("over", ["completed"], kind="parameter", place="operations.3.") == (
        "There is no parameter `operations.3.over`; the only parameter is: completed"
    )


def test_a_list_that_would_be_too_long_is_left_out() -> None:
    many = [f"field_{number}" for number in range(100)]

    assert unknown_name("colour", many) == "There is no field `colour`: check the spelling"
    assert unknown_name("field99", many) == "There is no field `field99`; did you mean `field_99`?"


@given(NAMES)
@example("x" * MAX_NAME_LENGTH)
@example("x" * (MAX_NAME_LENGTH + 1))
@example("<script>")
@example("title`")
@example("title\n")
@example("\u0660\u00e9")
def test_every_message_is_a_bounded_sentence_without_a_dangerous_name(name: str) -> None:
    message = unknown_name(name, KNOWN, place="operations.99.data.")

    assert SENTENCE.validate_python(message, strict=True) == message
    assert message.isascii()
    assert message.isprintable()
    assert len(message) <= MAX_MESSAGE_LENGTH
    is_harmless = len(name) <= MAX_NAME_LENGTH and re.fullmatch(r"[A-Za-z0-9_ .\[\]-]+", name) is not None
    assert is_harmless == message.startswith(f"There is no field `operations.99.data.{name}`")


def test_only_a_name_that_could_be_meant_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[int] = []

    def compare(name: str, known: list[str], *, n: int, cutoff: float) -> list[str]:
        compared.append(len(name))
        return difflib.get_close_matches(name, known, n, cutoff)

    monkeypatch.setattr(unknown_names, "get_close_matches", compare)
    for name in ["x" * MAX_NAME_LENGTH, "x" * (MAX_NAME_LENGTH + 1), "x" * 10**6, "dueDate", "due"]:
        unknown_name(name, KNOWN)

    assert compared == [MAX_NAME_LENGTH]


def detail(message: str, code: str = "extra_forbidden") -> Detail:
    return Detail("x", code, message)


@pytest.mark.parametrize(
    ("details", "message"),
    [
        ([detail("There is no field `x`")], "There is no field `x`."),
        ([detail("There is no field `x`; did you mean `y`?")], "There is no field `x`; did you mean `y`?"),
        ([detail(NO_PARAMETERS), detail(NO_PARAMETERS)], f"{NO_PARAMETERS}."),
        (
            [detail("There is no field `x`"), detail("There is no field `y`")],
            "There is no field `x`. There is no field `y`.",
        ),
        (
            [detail("There is no field `x`"), detail("Must be a UUID", "uuid_format")],
            "There is no field `x`. x: Must be a UUID.",
        ),
        ([detail("Must be a UUID", "uuid_format")], "x: Must be a UUID."),
        ([Detail("<b>", "repeated", "Send it once")], "Send it once."),
        ([detail(str(number), "a") for number in range(3)], "x: 0. x: 1. x: 2."),
        ([detail(str(number), "a") for number in range(4)], "x: 0. x: 1. x: 2. See details for more."),
        ([detail(letter * 300, "a") for letter in "ab"], f"x: {'a' * 300}. See details for more."),
        ([], ValidationFailed.message),
    ],
)
@pytest.mark.requirement("FR-439")
def test_an_error_says_what_its_first_details_say(details: list[Detail], message: str) -> None:
    for error, said in (
        (ValidationFailed(details=tuple(details)), message),
        (ValidationFailed("Another message.", details=tuple(details)), "Another message."),
    ):
        body = error_body(error, "id")
        assert body["detail"] == body["error"]["message"] == said


def _signs_in(route: APIRoute) -> bool:
    return route.path.startswith(SIGN_IN) or route.path == "/api/me/password"


def test_each_input_is_paired_with_the_answer_in_which_a_client_sees_it_again() -> None:
    # Who signs in sees tokens again, and not what was sent; who undoes something sees how much that was.
    routes = [route for route in ROUTES if isinstance(route, APIRoute) and route.body_field and not _signs_in(route)]
    routes = [route for route in routes if route.name != "undo_request"]
    found = set()
    for route in routes:
        body = route.body_field.field_info.annotation if route.body_field else None
        models = [route.responses[status]["model"] for status in (200, 201) if status in route.responses]
        for answer in (model.model_fields["data"].annotation for model in models):
            if isinstance(answer, type) and issubclass(answer, BaseModel):
                assert isinstance(body, type)
                assert issubclass(body, BaseModel)
                assert ANSWERS.get(body) is answer, f"add it to the inputs of its resource: {body.__name__}"
                found.add(body)

    assert found == ANSWERS.keys()
