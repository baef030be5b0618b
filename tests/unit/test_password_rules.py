"""Which passwords are refused, and as what."""

from __future__ import annotations

import unicodedata

import pytest

from backend.errors import ValidationFailed
from backend.identity.common_passwords import is_common
from backend.identity.password_rules import judge_password


def judged(password: str, *, minimum: int = 8, name: str | None = "Ærø van Dæmmen") -> str | None:
    """Return the code of the refusal, if there is one."""
    try:
        judge_password(password, minimum=minimum, email="Anna.Lindqvist@Example.org", name=name)
    except ValidationFailed as refused:
        (detail,) = refused.details
        assert detail.field == "password"
        assert detail.message
        return detail.code
    return None


@pytest.mark.requirement("FR-549")
@pytest.mark.parametrize(
    ("password", "minimum", "code"),
    [
        ("tr0ub4d", 8, "password_short"),
        ("tr0ub4dr", 8, None),
        ("correct horse", 15, "password_short"),
        ("correct horse b", 15, None),
        ("", 8, "password_short"),
        ("é" * 3 + "tr0ub", 8, None),
        (unicodedata.normalize("NFD", "éüörub4"), 8, "password_short"),  # ten code points, seven in NFC
        ("🌵🌵🌻abcde", 8, None),
        ("correct horse " * 73, 8, None),  # 1022 characters
        ("correct horse " * 74, 8, "password_long"),
        ("x" * 1_000_000, 8, "password_long"),
        ("\0nul is kept", 8, None),
        ("half a pair \ud800", 8, None),
    ],
)
def test_length(password: str, minimum: int, code: str | None) -> None:
    assert judged(password, minimum=minimum) == code


@pytest.mark.requirement("FR-550")
@pytest.mark.parametrize(
    "password",
    [
        "password",
        "PassWord",
        "Password123!",
        "password1234567",
        "!!!!!dragon!!!!!",
        "iloveyou",
        "aaaaaaaaaaaaaaa",
        "abcabcabcabcabcab",
        "passwordpassword",
        "12345678",
        "123456789012345",
        "9876543210",
        "abcdefghijklmno",
        "qwertyuiopasdfgh",
        "Anna.Lindqvist",
        "anna.lindqvist@example.org",
        "anna.lindqvist2026",
        "example.org",
        "ærø van dæmmen",
        "ÆRØVANDÆMMEN",
        unicodedata.normalize("NFD", "ÆRØVANDÆMMEN"),
        "Dæmmen1987",
        "task-api",
        "TaskAPI1",
    ],
)
def test_what_is_tried_first_is_refused(password: str) -> None:
    assert judged(password) == "password_common"


@pytest.mark.requirement("FR-549", "FR-550")
@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery staple",
        "only-letters-here",
        "829150734661",  # digits alone are no word
        "anna likes plums",
        "tr0ub4dor&3",
        "пароль длинный и свой",
        "æ9æ9æ8æ9",
    ],
)
def test_no_kind_of_character_is_demanded(password: str) -> None:
    assert judged(password) is None


@pytest.mark.requirement("FR-550")
def test_somebody_without_a_name_is_judged_alike() -> None:
    assert judged("ærø van dæmmen", name=None) is None
    assert judged("anna.lindqvist", name=None) == "password_common"


@pytest.mark.requirement("FR-549")
def test_the_field_of_the_request_is_named() -> None:
    with pytest.raises(ValidationFailed) as refused:
        judge_password("short", minimum=8, email="a@b", name=None, field="new")

    assert refused.value.details[0].field == "new"
    assert "8 characters" in refused.value.details[0].message


@pytest.mark.requirement("FR-550")
def test_a_long_list_is_known() -> None:
    assert all(is_common(password) for password in ("letmein", "zxcvbnm123456789", "starwars"))
    assert not is_common("correct horse battery staple")
