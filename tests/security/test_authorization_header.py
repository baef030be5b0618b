"""The Authorization header, before there is a token: how often, which scheme, which bytes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as repeatable
from hypothesis import strategies as st

from backend.config import Settings
from tests.fixtures.identity.doors import Door, ask, good_claims, opened_doors, passed, refused

# llhttp and RFC 9110 section 5.5 forbid these in a header: such bytes are not HTTP and are answered 400.
NOT_HTTP = {*range(9), *range(10, 32), 127}
EXAMPLES = repeatable(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture(scope="module")
def doors(settings: Settings) -> Iterator[tuple[Door, ...]]:
    with opened_doors(settings) as doors:
        yield doors


@pytest.mark.requirement("FR-077")
def test_two_authorization_headers_are_refused_whatever_they_say(doors: tuple[Door, ...]) -> None:
    for door in doors:
        good, other = f"Bearer {door.token()}", f"Bearer {door.token(good_claims(sub='other'))}"
        bad = ["", "Basic YTpi", "Bearer", "Bearer x.y.z", "Negotiate"]
        for values in [
            (good, good),
            (good, other),
            (good, good, good),
            *((good, b) for b in bad),
            *((b, good) for b in bad),
        ]:
            refused(door.api, *values)
        for value in (good, other):
            passed(door.api, value)


@pytest.mark.requirement("FR-077")
@pytest.mark.parametrize("start", ["Bearer ", "bearer ", "BEARER ", "bEaReR ", "Bearer   ", " Bearer ", "\tBearer "])
def test_the_scheme_is_read_without_regard_to_case_or_to_blanks(doors: tuple[Door, ...], start: str) -> None:
    for door in doors:
        passed(door.api, start + door.token())
        passed(door.api, start + door.token() + "  ")


@pytest.mark.requirement("FR-073", "FR-077")
@pytest.mark.parametrize(
    "start",
    [
        *("", "Basic ", "Token ", "JWT ", "DPoP ", "X-Bearer ", "Bearer Bearer ", "Basic YTpi, Bearer ", "Bearer"),
        *("Bearer:", "Bearer: ", "Bearer=", "Bearer,", "Bearer\t", "Bearer \t", "Bearer  \t ", "Bearer\u00a0"),
        *("Bearer \u00a0", "Bearer\u2003", "\uff22earer ", b"Bearer \xa0", b"Bearer \x85", b"\xa0Bearer "),
    ],
    ids=ascii,
)  # fmt: skip
def test_another_scheme_or_another_kind_of_blank_is_refused(doors: tuple[Door, ...], start: str | bytes) -> None:
    for door in doors:
        refused(door.api, (start.encode() if isinstance(start, str) else start) + door.token().encode())


@pytest.mark.requirement("FR-077")
@pytest.mark.parametrize(
    "value", ["", " ", "Bearer", "Bearer ", "Bearer    ", "bearer", "Basic", "Basic YTpi", ".", ","]
)
def test_a_header_without_a_token_is_refused(doors: tuple[Door, ...], value: str) -> None:
    refused(doors[0].api, value)
    refused(doors[1].api, value)


def answered(door: Door, value: bytes) -> None:
    """Check that a bad header is refused, or that the request is not even valid HTTP."""
    if NOT_HTTP.isdisjoint(value):
        refused(door.api, value)
    else:
        assert ask(door.api, value).status in {400, 401}


# http.client would not send these, or would change them.
BYTES = st.binary(max_size=60).map(lambda data: data.replace(b"\r", b"?").replace(b"\n", b"?"))


@pytest.mark.requirement("FR-073")
@EXAMPLES
@given(st.sampled_from([b"", b"Bearer "]), BYTES)
@example(b"Bearer ", b"\x00")
@example(b"Bearer ", b"\xff" * 60)
def test_any_bytes_are_refused(doors: tuple[Door, ...], start: bytes, value: bytes) -> None:
    for door in doors[:2]:
        answered(door, start + value)


@pytest.mark.requirement("FR-073")
@EXAMPLES
@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=60), st.integers(0, 5))
def test_any_text_is_refused(doors: tuple[Door, ...], text: str, dots: int) -> None:
    refused(doors[0].api, f"Bearer {text}{'.A' * dots}")
