"""Properly signed tokens with unacceptable claims, over HTTP, for every signing algorithm."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from backend.config import Settings
from tests.fixtures.identity.doors import AUDIENCE, ISSUER, PARTY, Door, good_claims, opened_doors, passed, refused


@pytest.fixture(scope="module")
def doors(settings: Settings) -> Iterator[tuple[Door, ...]]:
    with opened_doors(settings) as doors:
        yield doors


def none_passes(doors: tuple[Door, ...], payload: object) -> None:
    messages = {refused(door.api, f"Bearer {door.token(payload)}") for door in doors}
    assert len(messages) == 1, "one reason, whatever it is signed with"
    assert messages != {"The token's signature is not valid."}
    for door in doors:
        passed(door.api, f"Bearer {door.token()}")


def saying(name: str, value: str) -> bytes:
    """Return the payload of a good token with one claim set to this raw text, which may be invalid JSON."""
    return json.dumps(good_claims(name))[:-1].encode() + f',"{name}":{value}}}'.encode()


NO_DATES = [
    *("true", "false", '"123"', '"1900000000"', '""', "null", "[]", "[1900000000]", "{}", '{"exp":1900000000}'),
    *("Infinity", "-Infinity", "NaN", "1e400", "-1e400", "1e308", "-1e308", str(10**30), str(-(10**30)), "9" * 400),
    *("9" * 4301, "253402300800", "1900000000000", '"Infinity"', '"NaN"'),
]


@pytest.mark.requirement("FR-074")
@pytest.mark.parametrize("value", NO_DATES, ids=lambda value: value[:20])
@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
def test_what_is_no_date_is_refused(doors: tuple[Door, ...], name: str, value: str) -> None:
    none_passes(doors, saying(name, value))


@pytest.mark.requirement("FR-074")
@pytest.mark.parametrize("value", ["0", "-0.0", "-1", "-1e9", "1e-400", "1000000000", "1.5"])
def test_a_token_that_has_expired_is_refused(doors: tuple[Door, ...], value: str) -> None:
    none_passes(doors, saying("exp", value))


@pytest.mark.requirement("FR-074")
def test_a_token_that_never_expires_is_refused(doors: tuple[Door, ...]) -> None:
    none_passes(doors, good_claims("exp"))
    none_passes(doors, {"EXP": 1, "Exp": 1, **good_claims("exp")})


@pytest.mark.requirement("FR-074")
@pytest.mark.parametrize("name", ["iat", "nbf"])
@pytest.mark.parametrize("ahead", [60, 3600, 10**9])
def test_a_token_from_the_future_is_refused(doors: tuple[Door, ...], name: str, ahead: int) -> None:
    now = int(time.time())
    none_passes(doors, good_claims(**{name: now + ahead, "exp": now + ahead + 900}))


@pytest.mark.requirement("FR-074")
def test_dates_that_are_dates_pass(doors: tuple[Door, ...]) -> None:
    for door in doors:
        for changes in ({"iat": -1}, {"nbf": 0.5}, {"iat": 10}, {"exp": 253_402_300_799}, {"exp": time.time() + 60.5}):
            passed(door.api, f"Bearer {door.token(good_claims(**changes))}")
        passed(door.api, f"Bearer {door.token(good_claims('iat'))}")


@pytest.mark.requirement("FR-075")
def test_a_token_for_nobody_is_refused_and_one_of_several_audiences_is_enough(doors: tuple[Door, ...]) -> None:
    none_passes(doors, good_claims("aud"))
    for audience in ("second", [AUDIENCE], ["else", AUDIENCE], [AUDIENCE, f"{ISSUER}/userinfo"]):
        for door in doors:
            passed(door.api, f"Bearer {door.token(good_claims(aud=audience))}")


NOT_FOR_US: list[object] = [
    *(None, "", " ", True, 0, 1, {}, {AUDIENCE: True}, [], [[]], [None], ["else"], [[AUDIENCE]], [{"aud": AUDIENCE}]),
    *([AUDIENCE, None], [AUDIENCE, 1], [1, AUDIENCE], [AUDIENCE, [AUDIENCE]], [AUDIENCE, {}], [AUDIENCE, True]),
    *(AUDIENCE + "/", AUDIENCE.upper(), f" {AUDIENCE}", f"{AUDIENCE},second", f"{AUDIENCE} second", AUDIENCE[:-1]),
]


@pytest.mark.requirement("FR-075")
@pytest.mark.parametrize("audience", NOT_FOR_US, ids=repr)
def test_another_audience_is_refused(doors: tuple[Door, ...], audience: object) -> None:
    none_passes(doors, good_claims(aud=audience))


OTHERS = [
    *(None, "", True, 1, [], {}, [ISSUER], {"iss": ISSUER}, ISSUER + "/", ISSUER.upper(), ISSUER + " ", ISSUER[:-1]),
    *(ISSUER.replace("https", "http"), ISSUER + ":443", ISSUER + "\x00", "\ud800", AUDIENCE),
]


@pytest.mark.requirement("FR-075")
@pytest.mark.parametrize("issuer", OTHERS, ids=repr)
def test_another_issuer_is_refused_also_by_a_final_slash(doors: tuple[Door, ...], issuer: object) -> None:
    none_passes(doors, good_claims(iss=issuer))


@pytest.mark.requirement("FR-075")
def test_a_token_of_nobody_is_refused(doors: tuple[Door, ...]) -> None:
    none_passes(doors, good_claims("iss"))


PARTIES = [
    *(None, "", True, 1, 0, [], {}, [PARTY], {"azp": PARTY}, PARTY + "/", PARTY.upper(), f"{PARTY},second-app"),
    *("https://evil.example.com", f"{PARTY}.evil.example.com", PARTY[:-1], "\ud800"),
]


@pytest.mark.requirement("FR-076")
@pytest.mark.parametrize("party", PARTIES, ids=repr)
def test_another_party_is_refused(doors: tuple[Door, ...], party: object) -> None:
    none_passes(doors, good_claims(azp=party))


@pytest.mark.requirement("FR-076")
def test_a_token_that_names_no_party_is_refused_and_each_authorized_one_passes(doors: tuple[Door, ...]) -> None:
    none_passes(doors, good_claims("azp"))
    for door in doors:
        passed(door.api, f"Bearer {door.token(good_claims(azp='second-app'))}")


SUBJECTS = [
    *("", "\x00", "a\x00b", "\x01", "a\n", "\r", "\t", "\x1b[31m", "\x7f", "\x80", "\x85", "\x9f"),
    *("\ud800", "\udfff", "a\udc00b", "\udfff\ud800", "x" * 256, "😀" * 256),
    *(None, True, False, 0, 1, -1.5, [], ["a"], {}, {"id": "a"}),
]


@pytest.mark.requirement("FR-008", "FR-073")
@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: ascii(subject)[:20])
def test_what_can_be_no_user_is_refused(doors: tuple[Door, ...], subject: object) -> None:
    none_passes(doors, good_claims(sub=subject))


@pytest.mark.requirement("FR-008", "FR-073")
def test_a_token_of_no_user_is_refused(doors: tuple[Door, ...]) -> None:
    none_passes(doors, good_claims("sub"))


@pytest.mark.requirement("FR-073")
def test_no_refusal_repeats_what_the_token_says(doors: tuple[Door, ...]) -> None:
    canary = "canary-7261"
    changes: list[dict[str, object]] = [{name: canary} for name in ("exp", "nbf", "iat", "iss", "aud", "azp")]
    changes.append({"sub": canary + "\x00"})
    headers: list[dict[str, object]] = [{"alg": canary}, {"kid": [canary]}, {"crit": [canary]}]
    for door in doors:
        tokens = [canary, f"{door.token()}.{canary}", *(door.token(**header) for header in headers)]
        tokens += [door.token(good_claims(**changed)) for changed in changes]
        for token in tokens:
            assert canary not in refused(door.api, f"Bearer {token}")
