"""The claims that a properly signed token must and must not have."""

from __future__ import annotations

import pytest

from tests.fixtures.identity.tokens import SECRET, USER, hmac_token
from tests.fixtures.identity.verifying import NOW, good, refusal_of, secret_verifier, user_of


@pytest.mark.requirement("FR-003", "FR-074")
@pytest.mark.parametrize("expires_at", [NOW, NOW - 1, NOW - 0.001, 0, -1, -5.5])
def test_an_expired_token_is_refused_without_leeway(expires_at: float) -> None:
    assert refusal_of(secret_verifier(), hmac_token(SECRET, good(exp=expires_at))) == "The token has expired."


@pytest.mark.requirement("FR-003", "FR-074")
def test_a_token_without_an_end_is_refused() -> None:
    message = refusal_of(secret_verifier(), hmac_token(SECRET, good("exp")))
    assert message == "The token has no expiry (exp)."


@pytest.mark.requirement("FR-003", "FR-074")
@pytest.mark.parametrize(
    "value",
    ["null", "[]", "{}", "true", "false", '"1900000000"', '""', "1e400", "-1e400", "1" + "0" * 400, "1900000000000"],
)
@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
def test_a_date_that_is_none_is_refused(name: str, value: str) -> None:
    payload = f'{{"sub":"user-1","exp":{NOW + 60},"{name}":{value}}}'.encode()
    assert refusal_of(secret_verifier(), hmac_token(SECRET, payload)) == f"The token's {name} is not a date."


@pytest.mark.requirement("FR-003", "FR-074")
@pytest.mark.parametrize("value", ["Infinity", "-Infinity", "NaN"])
@pytest.mark.parametrize("name", ["exp", "nbf", "iat", "score"])
def test_numbers_that_json_does_not_have_are_refused(name: str, value: str) -> None:
    payload = f'{{"sub":"user-1","exp":{NOW + 60},"{name}":{value}}}'.encode()
    assert refusal_of(secret_verifier(), hmac_token(SECRET, payload)) == "The bearer token is not a JSON Web Token."


@pytest.mark.requirement("FR-074")
@pytest.mark.parametrize("expires_at", [NOW + 0.5, int(NOW) + 1, 253_402_300_799])
def test_dates_may_have_fractions_and_lie_far_ahead(expires_at: float) -> None:
    assert user_of(secret_verifier(), hmac_token(SECRET, good(exp=expires_at))) == USER


@pytest.mark.requirement("FR-003", "FR-074")
@pytest.mark.parametrize("name", ["nbf", "iat"])
def test_a_token_from_the_future_is_refused_beyond_half_a_minute(name: str) -> None:
    late = hmac_token(SECRET, good(**{name: NOW + 30.5}))
    assert refusal_of(secret_verifier(), late) == "The token is not valid yet."
    assert user_of(secret_verifier(), hmac_token(SECRET, good(**{name: NOW + 30}))) == USER


@pytest.mark.requirement("FR-074")
def test_neither_nbf_nor_iat_is_needed() -> None:
    assert user_of(secret_verifier(), hmac_token(SECRET, good("iat"))) == USER


@pytest.mark.requirement("FR-007", "FR-075")
@pytest.mark.parametrize("said", [None, "", "https://A.example", "https://a.example/", ["https://a.example"], {}, 1])
def test_another_issuer_is_refused(said: object) -> None:
    message = refusal_of(secret_verifier(issuer="https://a.example"), hmac_token(SECRET, good(iss=said)))
    assert message == "The token's issuer is not accepted."


@pytest.mark.requirement("FR-007", "FR-075")
def test_an_issuer_is_required_when_configured_and_ignored_when_not() -> None:
    assert "issuer" in refusal_of(secret_verifier(issuer="https://a.example"), hmac_token(SECRET, good()))
    assert (
        user_of(secret_verifier(issuer="https://a.example"), hmac_token(SECRET, good(iss="https://a.example"))) == USER
    )
    assert user_of(secret_verifier(), hmac_token(SECRET, good(iss="https://anybody.example"))) == USER


@pytest.mark.requirement("FR-007", "FR-075")
@pytest.mark.parametrize("said", [None, "", "c", "A", "ab", "a b", [], ["c"], [["a"]], ["a", 1], {"a": "a"}, 1, True])
def test_another_audience_is_refused(said: object) -> None:
    message = refusal_of(secret_verifier(audiences=("a", "b")), hmac_token(SECRET, good(aud=said)))
    assert message == "The token was not issued for this audience."


@pytest.mark.requirement("FR-007", "FR-075")
@pytest.mark.parametrize("said", ["a", "b", ["a"], ["x", "b"]])
def test_one_of_the_configured_audiences_is_enough(said: object) -> None:
    assert user_of(secret_verifier(audiences=("a", "b")), hmac_token(SECRET, good(aud=said))) == USER


@pytest.mark.requirement("FR-007", "FR-075")
def test_an_audience_is_required_when_configured_and_ignored_when_not() -> None:
    assert "audience" in refusal_of(secret_verifier(audiences=("a",)), hmac_token(SECRET, good()))
    assert user_of(secret_verifier(), hmac_token(SECRET, good(aud={"any": "thing"}))) == USER


@pytest.mark.requirement("FR-076")
@pytest.mark.parametrize("said", [None, "", "c", "A", "a/", "a,b", ["a"], {"a": "a"}, 1, True])
def test_another_authorized_party_is_refused(said: object) -> None:
    message = refusal_of(secret_verifier(authorized_parties=("a", "b")), hmac_token(SECRET, good(azp=said)))
    assert message == "The token was not issued to an authorized party (azp)."


@pytest.mark.requirement("FR-076")
def test_an_authorized_party_is_required_when_configured_and_ignored_when_not() -> None:
    verifier = secret_verifier(authorized_parties=("a", "b"))
    assert "azp" in refusal_of(verifier, hmac_token(SECRET, good()))
    for party in ("a", "b"):
        assert user_of(verifier, hmac_token(SECRET, good(azp=party))) == USER
    assert user_of(secret_verifier(), hmac_token(SECRET, good(azp=["anything"]))) == USER


@pytest.mark.requirement("FR-008")
@pytest.mark.parametrize(
    "subject",
    [
        "",
        "a\x00b",
        "\x00",
        "a\n",
        "\x1f",
        "\x7f",
        "\x80",
        "\x9f",
        "\ud800",
        "a\udfffb",
        "x" * 256,
        None,
        1,
        ["a"],
        True,
    ],
)
def test_a_subject_that_is_no_user_id_is_refused(subject: object) -> None:
    message = refusal_of(secret_verifier(), hmac_token(SECRET, good(sub=subject)))
    assert message == "The token has no valid user id (sub)."


@pytest.mark.requirement("FR-008")
def test_a_token_without_a_subject_is_refused() -> None:
    assert "sub" in refusal_of(secret_verifier(), hmac_token(SECRET, good("sub")))


@pytest.mark.requirement("FR-001", "FR-008")
@pytest.mark.parametrize("subject", ["x" * 255, "😀" * 255, "a b", " a", "\xa0", "auth0|1", "null", "../x", "%00"])
def test_any_other_subject_is_the_user_id_unchanged(subject: str) -> None:
    assert user_of(secret_verifier(), hmac_token(SECRET, good(sub=subject))) == subject


@pytest.mark.requirement("FR-001")
def test_only_the_subject_names_the_user() -> None:
    said = {"user_id": "mallory", "id": "mallory", "uid": "mallory", "email": "mallory@example.com"}
    assert user_of(secret_verifier(), hmac_token(SECRET, good(**said))) == USER


@pytest.mark.requirement("FR-003")
def test_no_refusal_repeats_what_the_token_says() -> None:
    canary = "canary-7261"
    verifier = secret_verifier(issuer="i", audiences=("a",))
    said: list[dict[str, object]] = [
        {"iss": canary},
        {"iss": "i", "aud": canary},
        {"iss": "i", "aud": "a", "sub": canary + "\x00"},
        {"exp": canary},
        {"iss": canary, "exp": 1},
    ]
    tokens = [hmac_token(SECRET, good(**changes)) for changes in said]
    tokens += [canary, hmac_token(canary, good()), hmac_token(SECRET, good(), alg=canary)]
    for token in tokens:
        assert canary not in refusal_of(verifier, token)
