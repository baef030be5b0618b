"""Entity tags in headers: every list of tags is accepted, of any length, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.api.http.preconditions import read_tags
from backend.errors import BadRequest
from backend.models.values.etags import EntityTags

NAME = "If-Match"
LENGTH = 60_000  # about the limit for request headers

OPAQUE = st.text("".join(map(chr, [0x21, *range(0x23, 0x7F), *range(0x80, 0x100)])), max_size=5)
TAGS = st.lists(st.tuples(st.booleans(), OPAQUE), min_size=1, max_size=5)
NO_TAGS = ["", " ", ",", "42", '"42', '42"', '"4" "2"', '"4""2"', "'42'", 'w/"42"', 'W/ "42"', "W/42", '*, "42"',
           '"42", *', "**", "*,*", '"4 2"', '"4\t2"', '"4\x7f2"', '"4\x002"', '"42";q=1', '"42", 43', "W/", '"',
           '"\u0660"', "\xa0*"]  # fmt: skip
BETWEEN = st.text(" \t,", max_size=4)


@pytest.mark.requirement("FR-113", "FR-116")
@pytest.mark.parametrize(
    ("value", "tags"),
    [
        ("*", EntityTags(is_any=True)),
        (" \t* ", EntityTags(is_any=True)),
        ('"42"', EntityTags(strong=("42",))),
        ('W/"42"', EntityTags(weak=("42",))),
        ('"1","2" , W/"3"\t,"4"', EntityTags(strong=("1", "2", "4"), weak=("3",))),
        (', ,"1",,\t"2", ', EntityTags(strong=("1", "2"))),
        ('""', EntityTags(strong=("",))),
        ('"*"', EntityTags(strong=("*",))),
        ('"a,b"', EntityTags(strong=("a,b",))),
        ('"W/"', EntityTags(strong=("W/",))),
        ('"\xe9\xff"', EntityTags(strong=("\xe9\xff",))),
        ('"\\"', EntityTags(strong=("\\",))),  # entity tags have no escapes
    ],
)
def test_tags_are_read(value: str, tags: EntityTags) -> None:
    assert read_tags(NAME, value) == tags


@pytest.mark.requirement("FR-114")
@pytest.mark.parametrize("value", NO_TAGS)
def test_what_is_no_list_of_tags_is_refused_by_name_and_not_repeated(value: str) -> None:
    with pytest.raises(BadRequest) as refused:
        read_tags(NAME, value)

    (detail,) = refused.value.details
    assert (detail.field, detail.code) == ("header.If-Match", "entity_tag_invalid")
    assert detail.message == refused.value.message == 'If-Match takes entity tags in double quotes, like "42", or *'


@pytest.mark.requirement("FR-113")
@settings(derandomize=True, database=None, deadline=None)
@given(TAGS, st.lists(BETWEEN, min_size=6, max_size=6))
def test_whatever_stands_between_them_all_tags_are_read(tags: list[tuple[bool, str]], between: list[str]) -> None:
    written = [f'{"W/" if is_weak else ""}"{opaque}"' for is_weak, opaque in tags]
    value = between[-1] + "".join(f"{tag}{blank}," for tag, blank in zip(written, between, strict=False))

    read = read_tags(NAME, value)

    assert read.strong == tuple(opaque for is_weak, opaque in tags if not is_weak)
    assert read.weak == tuple(opaque for is_weak, opaque in tags if is_weak)
    assert not read.is_any


@pytest.mark.requirement("FR-114")
@settings(derandomize=True, database=None, deadline=None, max_examples=300)
@given(st.text('W/"*, \t4\xff\x00', max_size=12))
def test_any_text_is_read_or_refused(value: str) -> None:
    try:
        read = read_tags(NAME, value)
    except BadRequest:
        return
    assert read.is_any == (value.strip(" \t") == "*")
    assert len(read.opaque) == value.count('"') / 2


@pytest.mark.requirement("FR-114")
@pytest.mark.parametrize(
    "part", ['"', '"a', '"1" ', '"1"\t', '"",', "W/", 'W/"', 'W/"1",', ", ", ",,", " \t", "*", "**,", '"1"W/']
)
def test_a_value_as_long_as_the_headers_may_be_is_read_at_once(part: str) -> None:
    for value in (part * (LENGTH // len(part)), part * (LENGTH // len(part)) + "x", "x" + part * (LENGTH // len(part))):
        try:
            read = read_tags(NAME, value)
        except BadRequest:
            continue
        assert len(read.opaque) == LENGTH // len(part)


@pytest.mark.requirement("FR-113", "FR-114")
def test_only_strong_tags_that_are_written_like_ours_name_revisions() -> None:
    ours = read_tags(NAME, '"1", "42", "999999999999999999"')
    foreign = read_tags(NAME, 'W/"42", "", "0", "042", "-1", "+1", "1_0", "1e3", "4\xb2", "1000000000000000000", "a"')

    assert ours.revisions == (1, 42, 999_999_999_999_999_999)
    assert foreign.revisions == ()
    assert read_tags(NAME, "*").revisions is None


@pytest.mark.requirement("FR-116")
def test_the_weak_comparison_ignores_what_is_weak() -> None:
    tags = read_tags(NAME, '"1", W/"2"')

    assert [tag for tag in ("1", "2", "3", "*", "") if tags.match_weakly(tag)] == ["1", "2"]
    assert read_tags(NAME, "*").match_weakly("anything")
    assert not EntityTags().match_weakly("")
