"""Settings: read from the environment and .env, refused with a line that says what to set, never showing secrets."""

from __future__ import annotations

import os
import traceback
from pathlib import Path

import pytest
from pydantic import ValidationError

from backend.commands.token import with_key
from backend.config import Settings, load_settings
from backend.errors import ConfigurationError
from backend.identity.from_settings import own_issuer_of, sign_in_secrets_of
from backend.identity.sealed import SignInSecrets

SECRET = "a-secret-that-nobody-must-ever-see-printed"  # noqa: S105 - it protects nothing
OTHER_SECRET = "another-secret-that-nobody-must-ever-see"  # noqa: S105
DATABASE = "postgresql://somebody:hunter2@db.example.com/tasks"


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Remove our variables and any .env; returns the folder where a test may put one."""
    for name in os.environ:
        if name.lower() in Settings.model_fields:
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refusal(**chosen: object) -> list[str]:
    """Return the error lines for these settings."""
    with pytest.raises(ConfigurationError) as caught:
        load_settings(**chosen)
    return str(caught.value).splitlines()


@pytest.mark.requirement("FR-059", "FR-067")
def test_development_needs_no_setting_at_all() -> None:
    settings = load_settings()

    assert (settings.environment, settings.host, settings.port, settings.workers) == (
        "development",
        "127.0.0.1",
        8000,
        1,
    )
    assert (settings.database_url, settings.jwt_secret, settings.jwt_jwks_url) == (None, None, None)
    assert (settings.cors_origins, settings.jwt_audience, settings.jwt_issuer) == ((), (), None)
    assert settings.data_dir == Path(".data")
    assert (settings.request_timeout_seconds, settings.max_body_bytes) == (10, 1024 * 1024)


@pytest.mark.requirement("FR-067")
def test_what_is_chosen_wins_over_the_environment_and_that_over_the_file(
    monkeypatch: pytest.MonkeyPatch, nothing_set: Path
) -> None:
    (nothing_set / ".env").write_text("PORT=1\nHOST=file\nWORKERS=2\nSOMEBODY_ELSES=variable\n")
    monkeypatch.setenv("PORT", "2")
    monkeypatch.setenv("HOST", "environment")

    settings = load_settings(port=3)

    assert (settings.port, settings.host, settings.workers) == (3, "environment", 2)


@pytest.mark.requirement("FR-067")
def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PORT", "DATABASE_URL", "JWT_SECRET", "CORS_ORIGINS"):
        monkeypatch.setenv(name, "")

    assert load_settings() == Settings()


@pytest.mark.requirement("FR-067")
@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a", ("a",)),
        ("a,b", ("a", "b")),
        (" a , b ,, ", ("a", "b")),
        ('["a", "b"]', ("a", "b")),
        (' ["a,b"]', ("a,b",)),
        ("[]", ()),
        (",", ()),
    ],
)
def test_a_list_is_written_with_commas_or_as_json(
    monkeypatch: pytest.MonkeyPatch, text: str, values: tuple[str, ...]
) -> None:
    monkeypatch.setenv("JWT_AUDIENCE", text)

    assert load_settings().jwt_audience == values
    assert load_settings(jwt_audience=values).jwt_audience == values


@pytest.mark.requirement("FR-067")
@pytest.mark.parametrize("text", ["[", '["a"', "[a]", "[1]", '["a", null]'])
def test_a_broken_json_list_is_refused(text: str) -> None:
    lines = refusal(jwt_audience=text)

    assert len(lines) == 1
    assert lines[0].startswith("JWT_AUDIENCE: ")


@pytest.mark.requirement("FR-050", "FR-067")
def test_origins_are_kept_as_browsers_send_them() -> None:
    settings = load_settings(cors_origins="https://App.example.com/, http://localhost:3000")

    assert settings.cors_origins == ("https://app.example.com", "http://localhost:3000")


@pytest.mark.requirement("FR-050", "FR-067")
@pytest.mark.parametrize(
    "origin",
    [
        *("*", "null", "app.example.com", "ftp://app.example.com", "https://", "https://["),
        *("https://app.example.com/path", "https://app.example.com?query", "https://app.example.com#part"),
        *("https://app.example.com:port", "https://app.example.com:99999999", "https://app.example.com:0"),
        *("https://me@app.example.com", "https://*.example.com", "https://app.example.com:443", "http://localhost:80"),
    ],
)
def test_what_is_no_origin_is_refused(origin: str) -> None:
    (line,) = refusal(cors_origins=f"https://good.example.com,{origin}")

    assert line.startswith("CORS_ORIGINS: ")


@pytest.mark.requirement("FR-067")
@pytest.mark.parametrize("port", ["port", "99999999", "-1", "0"])
def test_an_impossible_port_is_refused_by_name(port: str) -> None:
    said = "must be a number from 1 to 65535"

    assert refusal(jwt_jwks_url=f"https://issuer.example.com:{port}/jwks") == [f"JWT_JWKS_URL: the port {said}"]
    assert refusal(cors_origins=f"https://app.example.com:{port}") == [f"CORS_ORIGINS: each port {said}"]


@pytest.mark.requirement("FR-067")
@pytest.mark.parametrize("secret", ["short", "a" * 31, " "])
def test_a_weak_secret_is_refused_with_advice_and_not_repeated(secret: str) -> None:
    (line,) = refusal(jwt_secret=secret)

    assert line == "JWT_SECRET: must have at least 32 bytes. Make one with: openssl rand -base64 48"


@pytest.mark.requirement("FR-067")
def test_a_secret_is_measured_in_bytes() -> None:
    assert load_settings(jwt_secret="é" * 16).jwt_secret is not None


@pytest.mark.requirement("FR-067")
@pytest.mark.parametrize(
    "url",
    ["https://issuer.example.com/jwks", "http://localhost:3000/jwks", "http://127.0.0.1/jwks", "http://[::1]:1/jwks"],
)
def test_keys_are_fetched_over_tls_or_from_this_machine(url: str) -> None:
    assert load_settings(jwt_jwks_url=url).jwt_jwks_url == url


@pytest.mark.requirement("FR-067")
@pytest.mark.parametrize(
    "url",
    [
        "http://issuer.example.com/jwks",
        "issuer.example.com/jwks",
        "https:///jwks",
        "file:///etc/passwd",
        "ftp://localhost/jwks",
        "http://localhost.evil.example/",
    ],
)
def test_an_address_of_keys_that_others_can_forge_is_refused(url: str) -> None:
    assert refusal(jwt_jwks_url=url) == ["JWT_JWKS_URL: must be an https:// URL (http:// only for localhost)"]


@pytest.mark.requirement("FR-067")
def test_a_secret_and_an_address_of_keys_are_one_too_many() -> None:
    lines = refusal(jwt_secret=SECRET, jwt_jwks_url="https://issuer.example.com/jwks")

    assert lines == ["set JWT_SECRET or JWT_JWKS_URL, not both"]


@pytest.mark.requirement("FR-067")
def test_production_needs_a_database_and_a_key() -> None:
    assert refusal(environment="production") == [
        "production needs DATABASE_URL, the connection string of your Postgres"
    ]
    assert refusal(environment="production", database_url=DATABASE) == [
        "production needs JWT_SECRET or JWT_JWKS_URL, to verify your users' tokens, or SIGN_IN=true"
    ]
    assert load_settings(environment="production", database_url=DATABASE, jwt_secret=SECRET).environment == "production"
    assert load_settings(environment="production", database_url=DATABASE, jwt_jwks_url="https://issuer.example.com")


@pytest.mark.requirement("FR-520")
def test_the_sign_in_is_on_in_development_and_in_production_only_if_it_is_asked_for() -> None:
    production: dict[str, object] = {"environment": "production", "database_url": DATABASE}
    assert refusal(**production, sign_in=True) == [
        "production needs SIGN_IN_SECRET for SIGN_IN. Make one with: openssl rand -base64 48"
    ]
    alone = load_settings(**production, sign_in=True, sign_in_secret=SECRET)
    beside = load_settings(**production, jwt_secret=SECRET)

    assert load_settings().signs_in
    assert not load_settings(sign_in=False).signs_in
    assert alone.signs_in
    assert not beside.signs_in
    assert own_issuer_of(alone) is not None
    assert own_issuer_of(beside) is None


@pytest.mark.requirement("FR-520", "FR-536")
def test_secrets_of_the_sign_in_are_refused_like_those_of_an_issuer() -> None:
    short = "must have at least 32 bytes. Make one with: openssl rand -base64 48"
    assert refusal(sign_in_secret="short") == [f"SIGN_IN_SECRET: {short}"]  # noqa: S106
    assert refusal(sign_in_previous_secret=SECRET) == [
        "SIGN_IN_PREVIOUS_SECRET is set, but SIGN_IN_SECRET is not: set it to the new secret"
    ]
    assert refusal(sign_in_previous_secret=SECRET, sign_in_secret=SECRET) == [
        "SIGN_IN_PREVIOUS_SECRET is the same as SIGN_IN_SECRET: set that to the new secret"
    ]


@pytest.mark.requirement("FR-520")
def test_without_a_secret_of_its_own_the_sign_in_uses_the_one_of_development() -> None:
    keys = "https://issuer.example.com/jwks"
    both = load_settings(sign_in_secret=OTHER_SECRET, sign_in_previous_secret=SECRET)

    assert sign_in_secrets_of(load_settings(jwt_secret=SECRET)) == SignInSecrets(SECRET)
    assert sign_in_secrets_of(load_settings(jwt_secret=SECRET, sign_in_secret=OTHER_SECRET)) == (OTHER_SECRET, None)
    assert sign_in_secrets_of(both) == SignInSecrets(OTHER_SECRET, SECRET)
    assert sign_in_secrets_of(load_settings(jwt_jwks_url=keys)) is None
    with pytest.raises(ConfigurationError, match="SIGN_IN_SECRET: is not set, and SIGN_IN needs it"):
        sign_in_secrets_of(load_settings(jwt_jwks_url=keys, sign_in=True))


@pytest.mark.requirement("FR-520")
def test_development_makes_the_secret_of_the_sign_in_beside_another_issuer(tmp_path: Path) -> None:
    beside = load_settings(jwt_jwks_url="https://issuer.example.com/jwks", data_dir=tmp_path)
    made = with_key(beside).sign_in_secret
    production = load_settings(environment="production", database_url=DATABASE, sign_in=True, sign_in_secret=SECRET)

    assert made is not None
    assert made == with_key(beside).sign_in_secret
    assert with_key(beside.model_copy(update={"sign_in": False})).sign_in_secret is None
    assert with_key(production) is production
    assert [path.name for path in tmp_path.iterdir()] == ["sign-in-secret"]


@pytest.mark.requirement("FR-521", "FR-527")
def test_production_asks_for_longer_passwords_and_allows_fewer_registrations() -> None:
    production = load_settings(environment="production", database_url=DATABASE, jwt_secret=SECRET)
    chosen = load_settings(password_min_length=12, rate_limit_sign_up="2/day")

    assert (load_settings().least_password_length, production.least_password_length) == (8, 15)
    assert (load_settings().sign_up_rate, production.sign_up_rate) == ("100/hour", "5/hour")
    assert (chosen.least_password_length, chosen.sign_up_rate) == (12, "2/day")
    assert refusal(rate_limit_sign_up="often") == [
        "RATE_LIMIT_SIGN_UP: must look like 600/minute: a number, a slash, and second, minute, hour or day"
    ]


@pytest.mark.requirement("FR-067")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("password_min_length", "7"),
        ("password_min_length", "65"),
        ("environment", "staging"),
        ("port", "65536"),
        ("port", "-1"),
        ("port", "http"),
        ("workers", "0"),
        ("workers", "65"),
        ("log_level", "loud"),
        ("database_pool_size", "0"),
        ("database_pool_size", "101"),
        ("request_timeout_seconds", "0"),
        ("request_timeout_seconds", "301"),
        ("request_timeout_seconds", "nan"),
        ("max_body_bytes", "1023"),
    ],
)
def test_a_value_out_of_range_is_refused_by_the_name_of_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name.upper(), value)

    (line,) = refusal()

    assert line.startswith(f"{name.upper()}: ")
    assert len(line) > len(name) + 10


@pytest.mark.requirement("FR-067")
def test_everything_that_is_wrong_is_said_at_once() -> None:
    lines = refusal(port="http", workers=0, jwt_secret="short")  # noqa: S106 - it is refused

    assert sorted(line.partition(":")[0] for line in lines) == ["JWT_SECRET", "PORT", "WORKERS"]


@pytest.mark.requirement("FR-067")
def test_secrets_are_never_printed() -> None:
    settings = load_settings(jwt_secret=SECRET, database_url=DATABASE, database_direct_url=DATABASE)
    printed = [repr(settings), str(settings), str(settings.model_dump()), settings.model_dump_json()]
    with pytest.raises(ConfigurationError) as caught:
        load_settings(
            jwt_secret=SECRET, database_url=DATABASE, environment="production", jwt_jwks_url="https://a", port=-1
        )
    printed += traceback.format_exception(caught.value)

    with pytest.raises(ValidationError) as refused:
        Settings.model_validate({"jwt_secret": "hunter2", "database_url": DATABASE})
    printed += [str(refused.value), repr(refused.value)]

    assert not [text for text in printed if SECRET in text or "hunter2" in text]


def test_settings_do_not_change() -> None:
    settings = load_settings()

    with pytest.raises(ValidationError, match="frozen"):
        settings.port = 1  # type: ignore[misc]  # the point


def test_every_setting_says_what_it_is_for() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


@pytest.mark.requirement("FR-067")
def test_a_direct_address_alone_is_refused() -> None:
    (line,) = refusal(database_direct_url="postgresql://h/d")

    assert line == "DATABASE_DIRECT_URL is set, but DATABASE_URL is not: set both, for the same database"


@pytest.mark.requirement("FR-067")
def test_a_settings_file_that_is_not_text_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_bytes("PORT=1".encode("utf-16"))

    assert refusal() == [".env: is not UTF-8 text. Save it in UTF-8"]


@pytest.mark.requirement("FR-248")
def test_a_home_folder_is_found_or_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert load_settings(data_dir="~/data").data_dir == tmp_path / "data"

    (line,) = refusal(data_dir="~nobody-has-this-name/data")
    assert line == "DATA_DIR: the home folder for ~ cannot be found. Write the full path"
