"""Settings: every environment variable, read from the environment or `.env`; frozen, and never show secrets."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from backend.errors import ConfigurationError

MIN_SECRET_BYTES = 32
OPENSSL = "openssl rand -base64 48"  # makes a random secret
SHORT_SECRET = f"must have at least {MIN_SECRET_BYTES} bytes. Make one with: {OPENSSL}"
NOT_HTTPS = "must be an https:// URL (http:// only for localhost)"
LOCAL_HOSTS = {"localhost", "127.0.0.1", "::1"}
# Origins of pages on this machine, on any port. An IPv6 address stands in brackets.
LOCAL_ORIGINS = r"https?://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?"

EXAMPLES = Path(__file__).parents[1] / "examples"  # in a checkout; an installed package has none


def is_https_or_local(url: str) -> bool:
    """Return whether nobody in between can change what this address answers: https, or http to this machine."""
    parts = urlsplit(url)
    return (
        bool(parts.hostname)
        and has_possible_port(url)
        and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOCAL_HOSTS))
    )


def has_possible_port(url: str) -> bool:
    """Return whether an address has no port, or one from 1 to 65535."""
    try:
        return urlsplit(url).port != 0
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Rate:
    """A number of requests in a number of seconds."""

    requests: int
    seconds: int

    @classmethod
    def parse(cls, text: str) -> Rate:
        """Read a rate like 600/minute; raises ValueError for anything else."""
        match = _RATE.fullmatch(text)
        if match is None:
            raise ValueError("must look like 600/minute: a number, a slash, and second, minute, hour or day")
        return cls(int(match[1]), _SECONDS[match[2]])


_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
_RATE = re.compile(rf"([1-9][0-9]{{0,8}})/({'|'.join(_SECONDS)})", re.ASCII)
StringList = Annotated[tuple[str, ...], NoDecode]


class Settings(BaseSettings):
    """The settings of this process. Each field is the environment variable of the same name in capitals."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",  # .env may hold variables of other programs
        frozen=True,
        hide_input_in_errors=True,  # pydantic would print a rejected secret
    )

    environment: Literal["development", "production"] = Field(
        "development",
        description="`production` refuses to start without database, key, current schema and row-level security",
    )
    host: str = Field("127.0.0.1", description="address to listen on; `0.0.0.0` for every network")
    port: int = Field(8000, ge=0, le=65535, description="port to listen on; 0 picks a free one")
    workers: int = Field(1, ge=1, le=64, description="processes that serve requests")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="lowest level that is logged")
    slow_statement_seconds: float = Field(
        0.5, ge=0, description="statements that take longer than this are logged; 0 logs none"
    )

    database_url: SecretStr | None = Field(
        None, description="URL of your Postgres, as Neon shows it; unset: an embedded Postgres in DATA_DIR"
    )
    database_direct_url: SecretStr | None = Field(
        None, description="the same database without the pooler, for migrations"
    )
    database_pool_size: int = Field(10, ge=1, le=100, description="connections kept by each worker")
    data_dir: Path = Field(Path(".data"), description="where the embedded Postgres and the development secret live")

    jwt_secret: SecretStr | None = Field(None, description="shared HS256 secret of at least 32 bytes")
    jwt_previous_secret: SecretStr | None = Field(
        None, description="the secret before JWT_SECRET; its tokens stay valid until you unset it"
    )
    jwt_jwks_url: str | None = Field(
        None, description="where the issuer publishes its public keys (JWKS), instead of a secret"
    )
    jwt_issuer: str | None = Field(
        None, description="required `iss` of a token, exactly (a final slash counts); unset: not checked"
    )
    jwt_audience: StringList = Field(
        (), description="accepted `aud` values, comma-separated or a JSON list; unset: not checked"
    )

    jwt_authorized_parties: StringList = Field(
        (), description="accepted `azp` values (the frontends of Clerk or Auth0), in the same form; unset: not checked"
    )

    sign_in: bool | None = Field(
        None,
        description="whether people register and log in here, with an address and a password; unset: only in "
        "development",
    )
    sign_in_secret: SecretStr | None = Field(
        None,
        description="secret of at least 32 bytes for the tokens of this sign-in; in production, SIGN_IN needs it",
    )
    sign_in_previous_secret: SecretStr | None = Field(
        None, description="the secret before SIGN_IN_SECRET; its tokens stay valid until you unset it"
    )
    sign_up: bool = Field(
        True, description="whether anybody may register; with `false`, only whoever has an invitation"
    )
    password_min_length: int | None = Field(
        None, ge=8, le=64, description="least length of a password; unset: 15 in production, 8 in development"
    )

    cors_origins: StringList = Field(
        (),
        description="origins of browser frontends, comma-separated or a JSON list; unset: none in production, those "
        "of this machine in development",
    )
    request_timeout_seconds: float = Field(
        10, gt=0, le=300, description="maximum time for the database work of a request, including waiting"
    )
    client_timeout_seconds: float = Field(
        20, gt=0, le=300, description="maximum time for a client to send its headers, and again for its body"
    )
    max_body_bytes: int = Field(1024 * 1024, ge=1024, description="maximum size of a request body, in bytes")
    max_import_bytes: int = Field(
        64 * 1024 * 1024, ge=1024, description="maximum size of a file for POST /api/tasks/import, in bytes"
    )
    max_concurrent_requests: int = Field(
        500,
        ge=1,
        description="requests that a worker handles at once, at most half of them from one user; others get 503",
    )
    require_if_match: bool = Field(
        False, description="whether changing a task requires its ETag in If-Match; without one, the answer is 428"
    )
    max_tasks_per_user: int = Field(
        100_000, ge=1, description="maximum number of tasks of a user, including those in the trash"
    )
    rate_limit_enabled: bool = Field(True, description="whether requests are rate-limited")
    rate_limit: str = Field("600/minute", description="requests of one user, per `second`, `minute`, `hour` or `day`")
    rate_limit_anonymous: str = Field(
        "120/minute", description="requests without a valid token from one address, counted by each worker"
    )
    rate_limit_sign_up: str | None = Field(
        None,
        description="registrations from a network, counted by each worker; unset: `5/hour` in production, "
        "`100/hour` in development",
    )
    trusted_proxies: str = Field(
        "127.0.0.1,::1", description="addresses or networks of proxies whose X-Forwarded-For and -Proto are trusted"
    )

    @property
    def origin_pattern(self) -> str | None:
        """Return the pattern of origins that are allowed without being listed, if any: in development, our own."""
        is_open = self.environment == "development" and not self.cors_origins
        return LOCAL_ORIGINS if is_open else None

    @property
    def signs_in(self) -> bool:
        """Return whether people sign in here."""
        return self.environment == "development" if self.sign_in is None else self.sign_in

    @property
    def least_password_length(self) -> int:
        """Return how long a new password must be: in production as NIST SP 800-63B-4, section 3.1.1.2, asks."""
        return self.password_min_length or (15 if self.environment == "production" else 8)

    @property
    def sign_up_rate(self) -> str:
        """Return the rate of registrations from a network."""
        return self.rate_limit_sign_up or ("5/hour" if self.environment == "production" else "100/hour")

    @property
    def examples(self) -> Path | None:
        """Return the folder of the example page, if there is one to serve: in development, from a checkout."""
        has_page = self.environment == "development" and (EXAMPLES / "task-api.js").is_file()
        return EXAMPLES if has_page else None

    @field_validator("jwt_audience", "jwt_authorized_parties", "cors_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        """Accept `a, b` as well as `["a", "b"]`."""
        if not isinstance(value, str):
            return value
        if value.lstrip().startswith("["):
            try:
                return tuple(json.loads(value))
            except ValueError:
                raise ValueError('is not a valid JSON list. Write a, b or ["a", "b"]') from None
        return tuple(part.strip() for part in value.split(",") if part.strip())

    @field_validator("cors_origins")
    @classmethod
    def _origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        plain = tuple(origin.removesuffix("/").lower() for origin in origins)  # as browsers send them
        for origin in plain:
            parts = urlsplit(origin)
            if parts.scheme not in ("http", "https") or origin != f"{parts.scheme}://{parts.netloc}" or parts.username:
                raise ValueError(
                    "each origin must look like https://app.example.com, without a path; * is not accepted"
                )
            if not has_possible_port(origin):
                raise ValueError("each port must be a number from 1 to 65535")
            if "*" in origin or origin.endswith({"http": ":80", "https": ":443"}[parts.scheme]):
                raise ValueError("each origin must be one host, without the default port (80 for http, 443 for https)")
        return plain

    @field_validator("data_dir")
    @classmethod
    def _from_home(cls, folder: Path) -> Path:
        try:
            return folder.expanduser()
        except RuntimeError:
            raise ValueError("the home folder for ~ cannot be found. Write the full path") from None

    @field_validator("rate_limit", "rate_limit_anonymous", "rate_limit_sign_up")
    @classmethod
    def _rate(cls, rate: str | None) -> str | None:
        if rate is not None:
            Rate.parse(rate)
        return rate

    @field_validator("trusted_proxies")
    @classmethod
    def _proxies(cls, proxies: str) -> str:
        for proxy in proxies.split(","):
            try:
                ip_network(proxy.strip())
            except ValueError:
                # uvicorn would take it for a host name, and trust nobody.
                raise ValueError("each must be an address or a network like 10.0.0.0/8; * is not accepted") from None
        return proxies

    @field_validator("jwt_secret", "jwt_previous_secret", "sign_in_secret", "sign_in_previous_secret")
    @classmethod
    def _strong(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None and len(secret.get_secret_value().encode()) < MIN_SECRET_BYTES:
            raise ValueError(SHORT_SECRET)
        return secret

    @field_validator("jwt_jwks_url")
    @classmethod
    def _https_or_local(cls, url: str | None) -> str | None:
        if url is not None and not has_possible_port(url):
            raise ValueError("the port must be a number from 1 to 65535")
        if url is not None and not is_https_or_local(url):
            raise ValueError(NOT_HTTPS)
        return url

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.jwt_secret and self.jwt_jwks_url:
            raise ValueError("set JWT_SECRET or JWT_JWKS_URL, not both")
        if self.jwt_previous_secret and not self.jwt_secret:
            raise ValueError("JWT_PREVIOUS_SECRET is set, but JWT_SECRET is not: set it to the new secret")
        if self.jwt_previous_secret and self.jwt_previous_secret == self.jwt_secret:
            raise ValueError("JWT_PREVIOUS_SECRET is the same as JWT_SECRET: set JWT_SECRET to the new secret")
        if self.database_direct_url and not self.database_url:
            raise ValueError("DATABASE_DIRECT_URL is set, but DATABASE_URL is not: set both, for the same database")
        return self

    @model_validator(mode="after")
    def _complete_sign_in(self) -> Self:
        if self.sign_in_previous_secret and not self.sign_in_secret:
            raise ValueError("SIGN_IN_PREVIOUS_SECRET is set, but SIGN_IN_SECRET is not: set it to the new secret")
        if self.sign_in_previous_secret and self.sign_in_previous_secret == self.sign_in_secret:
            raise ValueError("SIGN_IN_PREVIOUS_SECRET is the same as SIGN_IN_SECRET: set that to the new secret")
        return self

    @model_validator(mode="after")
    def _ready_for_production(self) -> Self:
        if self.environment != "production":
            return self
        if not self.database_url:
            raise ValueError("production needs DATABASE_URL, the connection string of your Postgres")
        if not (self.jwt_secret or self.jwt_jwks_url or self.sign_in):
            raise ValueError(
                "production needs JWT_SECRET or JWT_JWKS_URL, to verify your users' tokens, or SIGN_IN=true"
            )
        if self.sign_in and not self.sign_in_secret:
            raise ValueError(f"production needs SIGN_IN_SECRET for SIGN_IN. Make one with: {OPENSSL}")
        return self


def load_settings(**chosen: object) -> Settings:
    """Read the settings; `chosen` ones win. Raises ConfigurationError with one line for each problem."""
    try:
        return Settings(**chosen)  # type: ignore[arg-type]  # validated like everything else
    except UnicodeDecodeError:
        raise ConfigurationError(".env: is not UTF-8 text. Save it in UTF-8") from None
    except ValidationError as error:
        lines = [_line(problem["loc"], problem["msg"]) for problem in error.errors(include_input=False)]
        raise ConfigurationError("\n".join(lines)) from None


def _line(location: tuple[int | str, ...], message: str) -> str:
    text = message.removeprefix("Value error, ")
    return f"{str(location[0]).upper()}: {text}" if location else text
