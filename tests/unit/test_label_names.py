"""Which names are labels, which of them are the same label, and which labels a change makes."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import chain
from typing import Any, cast
from uuid import UUID

import pytest
from pydantic import TypeAdapter, ValidationError

from backend.identity.claims import MAX_USER_ID_LENGTH
from backend.models.fields import CommaSeparatedLabels, LabelNames
from backend.models.values.label_names import MAX_LABELS, distinct_labels, key_of_label, keys_of_labels, name_key_of
from backend.services.labels.rules import TooManyLabels
from backend.services.loading import reading
from backend.services.tasks import queries
from backend.services.tasks.listing_queries import MAX_BYTES, MAX_IN_SHORT
from backend.services.tasks.loaded import task_json
from backend.services.tasks.named import Beside, LabelsOfTasks
from backend.services.tasks.rules import Row
from backend.services.unit_of_work import UnitOfWork

NAMES: TypeAdapter[list[str]] = TypeAdapter(LabelNames)
FILTER: TypeAdapter[str] = TypeAdapter(CommaSeparatedLabels)
FIFTY = [f"label {number}" for number in range(50)]


@pytest.mark.requirement("FR-291")
def test_names_that_differ_in_case_or_in_how_a_letter_is_composed_have_one_key() -> None:
    for same in (("home", "HOME", "Home"), ("stra\xdfe", "STRASSE"), ("caf\xe9", "CAFE\u0301"), ("\u03a3", "\u03c2")):
        assert len(set(map(key_of_label, same))) == 1, same
        assert keys_of_labels(same) == [key_of_label(same[0])]
        assert distinct_labels(same) == [same[0]]
    assert distinct_labels(["b", "a", "B", "c"]) == ["b", "a", "c"]
    assert len(keys_of_labels(["cafe", "caf\xe9", "ca fe"])) == 3


SAME = {
    "capital I with a dot": ("\u0130stanbul", "istanbul", "I\u0307stanbul", "ISTANBUL", "\u0130STANBUL"),
    "dotless i": ("\u0131sparta", "ISPARTA", "Isparta"),
    "sharp s": ("Stra\xdfe", "STRASSE", "STRA\u1e9eE"),
    "final sigma": ("\u03bf\u03b4\u03cc\u03c2", "\u039f\u0394\u038c\u03a3", "\u03bf\u03b4\u03bf\u0301\u03c3"),
    "composed": ("caf\xe9", "cafe\u0301", "CAF\xc9"),
    "full width": ("Home#1", "\uff28\uff4f\uff4d\uff45\uff03\uff11", "\uff48ome#1"),
    "white space": ("to do", "to  do", "to\xa0do", "to\u3000\u2003do", "to \u200b do"),
    "zero width": ("home", "ho\u200bme", "\ufeffhome", "home\u2060", "ho\xadme", "home\u2800", "\u202ahome\u202c"),
    "Persian": ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u0645\u06cc\u062e\u0648\u0627\u0647\u0645"),
    "emoji with and without selector": ("\u2764\ufe0f", "\u2764"),
    "dots": ("..", "\uff0e\uff0e", "..\u200b"),
}
DIFFERENT = [
    "home",
    "homes",
    "h\xf6me",
    "ho me",
    "1",
    "\u00b9",
    "\u2764",
    "\U0001f3f4",
    "\U0001f3f4\U000e0067\U000e007f",
    ".",
    "..",
]


def labels_of(names: list[str], number: int = 0) -> LabelsOfTasks:
    """Return the labels of a user who has these, of this many."""
    unit = UnitOfWork(cast(Any, None), "a user")
    unit.now = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
    return LabelsOfTasks(unit, names, number)


@pytest.mark.requirement("FR-414")
@pytest.mark.parametrize("names", SAME.values(), ids=SAME)
def test_names_that_look_alike_are_the_same_label(names: tuple[str, ...]) -> None:
    assert keys_of_labels(names) == [key_of_label(names[0])]
    assert labels_of([]).spelled(names) == [names[0]]


@pytest.mark.requirement("FR-414")
def test_names_that_look_different_are_different_labels() -> None:
    assert len(keys_of_labels(DIFFERENT)) == len(DIFFERENT)


@pytest.mark.unmeasured
@pytest.mark.requirement("FR-414")
def test_a_key_is_its_own_key_and_that_of_the_name_key_and_of_the_name_in_small_letters() -> None:
    """The filter of listings relies on the first, and labels of a release before on the second."""
    for name in map(chr, chain(range(0xD800), range(0xE000, 0x110000))):
        key = key_of_label(name)
        assert key == key_of_label(key) == key_of_label(name_key_of(name)) == key_of_label(name.lower()), ascii(name)


@pytest.mark.requirement("FR-291")
@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ([], []),
        ([" home\u3000", "errand"], ["home", "errand"]),
        (["home", "Errand", "HOME "], ["home", "Errand"]),
        (["x" * 60, "\U0001f95b" * 60], ["x" * 60, "\U0001f95b" * 60]),
        (["a b;c'\"\\%"], ["a b;c'\"\\%"]),
        (FIFTY, FIFTY),
    ],
)
def test_labels_are_trimmed_and_each_is_kept_once(sent: list[str], kept: list[str]) -> None:
    assert NAMES.validate_python(sent) == kept


@pytest.mark.requirement("FR-291")
@pytest.mark.parametrize(
    ("sent", "place", "code"),
    [
        (["a", " \t"], (1,), "string_too_short"),
        (["x" * 61], (0,), "string_too_long"),
        (["a,b"], (0,), "label_format"),
        (["a\0b"], (0,), "label_format"),
        (["a\nb"], (0,), "label_format"),
        (["a\x9fb", ""], (0,), "label_format"),
        ([1], (0,), "string_type"),
        (None, (), "list_type"),
        ("home", (), "list_type"),
        ([*FIFTY, "home"], (), "too_long"),
    ],
)
def test_what_is_no_label_is_refused_by_its_place(sent: object, place: tuple[int, ...], code: str) -> None:
    with pytest.raises(ValidationError) as refused:
        NAMES.validate_python(sent)

    assert [(error["loc"], error["type"]) for error in refused.value.errors()] == [(place, code)]


@pytest.mark.requirement("FR-293")
def test_a_filter_has_labels_separated_by_commas() -> None:
    assert FILTER.validate_python(" Home,errand\u3000") == "Home,errand"
    assert FILTER.validate_python(",".join(FIFTY)) == ",".join(FIFTY)
    for bad in (",", "home,", "a,,b", "a\0", "a\nb,c", "x" * 61, ",".join([*FIFTY, "home"])):
        with pytest.raises(ValidationError, match="separated by commas"):
            FILTER.validate_python(bad)


def made_in(labels: LabelsOfTasks, names: list[str]) -> int:
    """Return how many labels were made, each with a revision of its own."""
    before = labels.unit.revision
    labels.make(names)
    return labels.unit.revision - before


@pytest.mark.requirement("FR-292")
def test_a_label_that_exists_keeps_its_spelling_and_another_one_is_made() -> None:
    labels = labels_of(["Home"], 1)

    assert labels.spelled(["HOME", "Errand"]) == ["Home", "Errand"]
    assert made_in(labels, ["Home", "Errand", "work"]) == 2
    assert (labels.spelled(["home", "ERRAND", "Work"]), labels.number) == (["Home", "Errand", "work"], 3)
    assert made_in(labels, ["ERRAND", "Home"]) == 0


@pytest.mark.requirement("FR-414")
def test_of_labels_that_were_two_before_the_named_one_counts_and_else_the_first() -> None:
    first, second = "A\u0130", "ai"
    labels = labels_of([first, second], 2)

    for sent, kept in {first: first, second: second, "AI": second, "\uff21I": first}.items():
        assert labels.spelled([sent]) == [kept]
        assert made_in(labels, [sent]) == 0
    assert labels.spelled(["A\u0131", second, "ai\u200b", first]) == [first, second]
    savepoint = labels.savepoint()
    assert made_in(labels, ["\u0130zmir"]) == 1
    labels.undo(savepoint)
    assert (labels.spelled(["izmir", "\u0130zmir"]), labels.number) == (["izmir"], 2)


@pytest.mark.requirement("FR-292")
def test_a_change_that_would_make_too_many_labels_makes_none() -> None:
    labels = labels_of([], MAX_LABELS - 1)

    with pytest.raises(TooManyLabels), labels.unit.all_or_nothing():
        made_in(labels, ["a", "b"])
    assert (labels.rows, labels.number, labels.unit.revision) == ({}, MAX_LABELS - 1, 0)
    assert made_in(labels, ["a"]) == 1
    assert made_in(labels, ["A"]) == 0


@pytest.mark.requirement("FR-292")
def test_only_a_change_that_names_labels_reads_them() -> None:
    for has_key in (False, True):
        plain, named = (
            str(reading(rows, has_key=has_key)) for rows in (queries.NAMED, queries.NAMED_BESIDE[Beside(labels=True)])
        )
        assert "FROM labels" not in plain
        assert named.count("FROM labels") == 2


@pytest.mark.requirement("FR-134")
def test_a_page_whose_bytes_are_not_counted_has_no_more_than_others_even_of_the_longest_tasks() -> None:
    moment = datetime(2026, 11, 21, 9, 30, 0, 123456, tzinfo=UTC)
    labels = [chr(0x1F95B + number) + "\U0001f95b" * 59 for number in range(50)]
    moments: dict[str, Any] = {"due_at": moment, "start_at": moment, "completed_at": moment, "deleted_at": moment}
    texts: dict[str, Any] = {
        "title": "\x01" * 500,
        "description": "\x01" * 10_000,
        "timezone": "x" * 100,
        "labels": labels,
    }
    task = Row(UUID(int=1), moment, moment, revision=2**53, **moments, **texts)

    longest = task_json(task, "\U0001f95b" * MAX_USER_ID_LENGTH).encode()

    assert len(longest) * MAX_IN_SHORT < MAX_BYTES
