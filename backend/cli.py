"""task-api: serve, migrate, purge, token, openapi. Puts the parts together, and is the only place that prints."""

from __future__ import annotations

import argparse
import gc
import json
import os
import re
import secrets
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import structlog
from fastapi import FastAPI
from pydantic import SecretStr

from backend.api.listener import listen
from backend.api.main import create_app
from backend.api.server import Server, server_config
from backend.api.supervisor import Supervisor
from backend.config import Settings, load_settings
from backend.database import migrations
from backend.database.embedded import EmbeddedPostgres
from backend.database.engine import build_engine
from backend.database.session import SessionFactory
from backend.errors import ConfigurationError, ServiceUnavailable
from backend.services import wall
from backend.services.purge_service import Purged, PurgeService
from backend.utils.auth import development_secret, issue_token
from backend.utils.logs import set_up_logs
from backend.utils.signals import leaving_in_order

EXIT_INTERRUPTED = 130  # by Ctrl-C, as shells have it
EXIT_TERMINATED = 143  # by SIGTERM
DEVELOPMENT_USER = "developer"
DEVELOPMENT_TTL = "24h"

logger = structlog.get_logger()

_TTL = re.compile(r"([1-9][0-9]{0,5})([smhd])", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code. What is set up wrongly is said in a line and ends with 1."""
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], None] = options.command
    try:
        command(options)
        sys.stdout.flush()
    except (ConfigurationError, ServiceUnavailable) as error:
        for line in str(error).splitlines():
            print(f"task-api: {line}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has read enough. Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def application() -> FastAPI:
    """Build the application from the environment: what every worker process runs."""
    app = create_app(_load_settings())
    # What is there by now stays. The collector need not look through it whenever a large body makes many objects.
    gc.collect()
    gc.freeze()
    return app


def _load_settings(**chosen: object) -> Settings:
    """Read the settings, and log as they say from now on."""
    settings = load_settings(**chosen)
    set_up_logs(settings.log_level, as_json=settings.environment == "production")
    return settings


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="task-api", description="A multi-user task service on Postgres.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", help="serve the API")
    serve.add_argument("--host", help="address to listen on (default: HOST)")
    serve.add_argument("--port", type=int, help="port to listen on; 0 picks a free one (default: PORT)")
    serve.add_argument("--workers", type=int, help="processes that serve requests (default: WORKERS)")
    serve.set_defaults(command=_serve)

    migrate = commands.add_parser("migrate", help="bring the database schema up to date")
    migrate.add_argument(
        "action",
        nargs="?",
        choices=("apply", "status", "rollback"),
        default="apply",
        help="apply what is pending (default), list all, or take the newest back",
    )
    migrate.set_defaults(command=_migrate)

    purge = commands.add_parser("purge", help="remove what is past its time: 30 days in the trash, 24 hours as a key")
    purge.set_defaults(command=_purge)

    token = commands.add_parser("token", help="print a bearer token, for development and tests")
    token.add_argument("user", metavar="USER", help="the user id that the token stands for")
    token.add_argument("--ttl", type=_ttl_seconds, default="1h", help="how long it is good: 30s, 15m, 1h, 7d")
    token.set_defaults(command=_token)

    openapi = commands.add_parser("openapi", help="print the contract; needs no database and no key")
    openapi.set_defaults(command=_openapi)
    return parser


def _ttl_seconds(text: str) -> int:
    match = _TTL.fullmatch(text)
    if not match:
        raise argparse.ArgumentTypeError("write a number and a unit: 30s, 15m, 1h, 7d")
    return int(match[1]) * _SECONDS[match[2]]


def _serve(options: argparse.Namespace) -> None:
    chosen = {name: getattr(options, name) for name in ("host", "port", "workers")}
    settings = _with_key(_load_settings(**{name: value for name, value in chosen.items() if value is not None}))
    # However one ends a server, it has then done what it was asked to.
    with (
        suppress(KeyboardInterrupt),
        leaving_in_order(exit_code=0, is_to_reload=settings.workers > 1),
        listen(settings.host, settings.port) as listener,
        _database(settings) as url,
    ):
        os.environ |= _made_here(settings, url)
        _prepare()
        _announce(settings, listener)
        _run_server(settings, listener)


def _prepare() -> None:
    """Do for workers what each would need, and say what is wrong once, and not by each of them again."""
    settings = load_settings()
    create_app(settings)
    assert settings.database_url is not None  # noqa: S101 - or there would be no application
    _prepare_schema(settings, settings.database_url.get_secret_value())


def _run_server(settings: Settings, listener: socket.socket) -> None:
    config = server_config("backend.cli:application", settings, factory=True, workers=settings.workers)
    if settings.workers == 1:
        Server(config).run(sockets=[listener])
    else:
        Supervisor(config, listener, _prepare).run()


@contextmanager
def _database(settings: Settings) -> Iterator[str]:
    """Give the database's URL; without one, run an embedded Postgres meanwhile."""
    if settings.database_url:
        yield settings.database_url.get_secret_value()
    else:
        with EmbeddedPostgres(settings.data_dir) as url:
            yield url


def _migration_url(settings: Settings, url: str) -> str:
    """Prefer the way round the pooler."""
    return settings.database_direct_url.get_secret_value() if settings.database_direct_url else url


def _prepare_schema(settings: Settings, url: str) -> None:
    migration_url = _migration_url(settings, url)
    if settings.environment == "development":
        migrations.apply(migration_url)
    else:
        _require_schema(migration_url)
    _check_wall(settings, url)


def _require_schema(migration_url: str) -> None:
    if pending := migrations.pending(migration_url):
        raise ConfigurationError(
            f"the database schema is outdated: {', '.join(pending)} not applied. Run: task-api migrate"
        )


def _check_wall(settings: Settings, url: str) -> None:
    """Look at the second wall the way requests come; in development one that does not stand is only said."""
    engine = build_engine(url, pool_size=1, timeout_seconds=settings.request_timeout_seconds)
    try:
        gaps = wall.find_gaps(SessionFactory(engine))
    finally:
        engine.dispose()
    if gaps and settings.environment == "production":
        raise ConfigurationError("\n".join(gaps))
    for gap in gaps:
        print(f"task-api: warning: {gap}", file=sys.stderr)


def _with_key(settings: Settings) -> Settings:
    """Add the development secret where nothing says who signs the tokens; production never gets here without."""
    if settings.jwt_secret or settings.jwt_jwks_url:
        return settings
    secret = development_secret(_secret_file(settings))
    return settings.model_copy(update={"jwt_secret": SecretStr(secret)})


def _secret_file(settings: Settings) -> Path:
    return settings.data_dir / "jwt-secret"


def _made_here(settings: Settings, url: str) -> dict[str, str]:
    """Hand on to worker processes what nobody has set: all else they read themselves, also when they are replaced."""
    given = load_settings()
    made: dict[str, str] = {}
    if given.database_url is None:
        made["DATABASE_URL"] = url
    if settings.jwt_secret and given.jwt_secret is None:
        made["JWT_SECRET"] = settings.jwt_secret.get_secret_value()
    return made


def _announce(settings: Settings, listener: socket.socket) -> None:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    address = f"http://{host}:{listener.getsockname()[1]}"
    if settings.environment == "production":
        logger.info("serving", address=address)
        return
    print(f"Task API  {address}\nDocs      {address}/docs")
    if settings.jwt_secret:
        token = _issue(settings, DEVELOPMENT_USER, _ttl_seconds(DEVELOPMENT_TTL))
        print(f"Token     for user {DEVELOPMENT_USER!r}, good for {DEVELOPMENT_TTL}:\n{token}\n\nCreate a task:")
        print(
            f"curl -X POST {address}/api/tasks -H 'Authorization: Bearer {token}' "
            """-H 'Content-Type: application/json' -d '{"title": "Buy milk"}'"""
        )
    sys.stdout.flush()


def _migrate(options: argparse.Namespace) -> None:
    settings = _load_settings()
    with leaving_in_order(EXIT_TERMINATED), _database(settings) as url:
        migration_url = _migration_url(settings, url)
        if options.action == "status":
            for migration in migrations.status(migration_url):
                print("applied" if migration.applied else "pending", migration.id)
        elif options.action == "rollback":
            print("rolled back", migrations.rollback(migration_url) or "nothing: no migration is applied")
        else:
            print("applied", ", ".join(migrations.apply(migration_url)) or "nothing: the schema is current")


def _purge(_options: argparse.Namespace) -> None:
    settings = _load_settings()
    with leaving_in_order(EXIT_TERMINATED), _database(settings) as url:
        _require_schema(_migration_url(settings, url))
        engine = build_engine(url, pool_size=1, timeout_seconds=settings.request_timeout_seconds)
        try:
            removed = sum(PurgeService(SessionFactory(engine)).steps(), Purged())
        finally:
            engine.dispose()
        print("removed", removed)


def _token(options: argparse.Namespace) -> None:
    settings = load_settings()
    if settings.environment == "production" or settings.jwt_jwks_url:
        raise ConfigurationError("tokens come from your issuer; this command makes them for development only")
    if not settings.jwt_secret and not _secret_file(settings).exists():
        place = _secret_file(settings).absolute()
        print(f"task-api: made {place}: only a service with this DATA_DIR accepts the token", file=sys.stderr)
    print(_issue(_with_key(settings), options.user, options.ttl))


def _issue(settings: Settings, user_id: str, ttl_seconds: int) -> str:
    assert settings.jwt_secret is not None  # noqa: S101 - the callers have made sure
    return issue_token(
        settings.jwt_secret.get_secret_value(),
        user_id,
        ttl_seconds=ttl_seconds,
        issuer=settings.jwt_issuer,
        audience=next(iter(settings.jwt_audience), None),
        authorized_party=next(iter(settings.jwt_authorized_parties), None),
    )


def _openapi(_options: argparse.Namespace) -> None:
    # Not read from the environment: the contract is the same however the service is set up.
    settings = Settings.model_construct(
        database_url=SecretStr("postgresql://"), jwt_secret=SecretStr(secrets.token_urlsafe(48))
    )
    print(json.dumps(create_app(settings).openapi(), indent=2, ensure_ascii=False))


if __name__ == "__main__":
    sys.exit(main())
