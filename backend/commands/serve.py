"""task-api serve: runs the API, with an embedded Postgres if no database is set."""

from __future__ import annotations

import argparse
import os
import socket
import sys
from contextlib import suppress
from functools import partial

import structlog

from backend.commands.database import bring_up_to_date, database, migration_url, require_schema, set_up
from backend.commands.program import program
from backend.commands.token import issue, with_key
from backend.config import Settings, load_settings
from backend.database.engine import Engine
from backend.database.session import SessionFactory
from backend.errors import ConfigurationError
from backend.identity.from_settings import own_issuer_of, verifier_of
from backend.server.listener import address_of, listen, passed_listener
from backend.server.server import Server, server_config
from backend.server.signals import leaving_in_order
from backend.server.supervisor import Supervisor
from backend.services.health import rls_check
from backend.utils.descriptors import raise_limit

DEVELOPMENT_USER = "alice"  # whom `seed` gives tasks
DEVELOPMENT_TTL, DEVELOPMENT_TTL_SECONDS = "24h", 24 * 3600

logger = structlog.get_logger()


def run(options: argparse.Namespace) -> None:
    """Serve until told to stop."""
    raise_limit()
    chosen = {name: getattr(options, name) for name in ("host", "port", "workers")}
    settings = with_key(set_up(**{name: value for name, value in chosen.items() if value is not None}))
    # Stopping a server counts as success, however it is stopped.
    with (
        suppress(KeyboardInterrupt),
        leaving_in_order(exit_code=0, is_to_reload=settings.workers > 1),
        passed_listener() or listen(settings.host, settings.port) as listener,
        database(settings) as url,
    ):
        os.environ |= _made_here(settings, url)
        _prepare()
        _run_server(settings, listener)


def _prepare() -> None:
    """Prepare what every worker needs, so that a problem is reported once and not by each worker.

    The application is not built: with several workers, this process never needs it.
    """
    settings = load_settings()
    verifier_of(settings, own_issuer_of(settings))
    assert settings.database_url is not None  # noqa: S101 - it is set, or made here
    _prepare_schema(settings, settings.database_url.get_secret_value())


def _run_server(settings: Settings, listener: socket.socket) -> None:
    config = server_config("backend.server.worker_app:application", settings, factory=True, workers=settings.workers)
    announce = None
    if settings.environment == "production":
        logger.info("serving", address=address_of(listener))
    else:  # the last thing on the screen: what is logged at start stands above
        announce = partial(_announce, settings, address_of(listener))
    if settings.workers == 1:
        Server(config, announce).run(sockets=[listener])
    else:
        Supervisor(config, listener, _prepare, announce).run()


def _prepare_schema(settings: Settings, url: str) -> None:
    direct_url = migration_url(settings, url)
    if settings.environment != "development":
        require_schema(direct_url)
    else:
        bring_up_to_date(direct_url)
    _check_rls(settings, url)


def _check_rls(settings: Settings, url: str) -> None:
    """Check row-level security over the URL that requests use; only in production, a gap is an error."""
    engine = Engine(url, pool_size=1, timeout_seconds=settings.request_timeout_seconds)
    try:
        gaps = rls_check.find_gaps(SessionFactory(engine))
    finally:
        engine.dispose()
    if gaps and settings.environment == "production":
        raise ConfigurationError("\n".join(gaps))
    for gap in gaps:
        print(f"task-api: warning: {gap}", file=sys.stderr)


def _made_here(settings: Settings, url: str) -> dict[str, str]:
    """Return the settings that were made here, for the workers: they read all others themselves, even when replaced."""
    given = load_settings()
    made: dict[str, str] = {}
    if given.database_url is None:
        made["DATABASE_URL"] = url
    if settings.jwt_secret and given.jwt_secret is None:
        made["JWT_SECRET"] = settings.jwt_secret.get_secret_value()
    if settings.sign_in_secret and given.sign_in_secret is None:
        made["SIGN_IN_SECRET"] = settings.sign_in_secret.get_secret_value()
    return made


def _announce(settings: Settings, address: str) -> None:
    token = issue(settings, DEVELOPMENT_USER, DEVELOPMENT_TTL_SECONDS) if settings.jwt_secret else None
    print(f"Task API  {address}\nDocs      {address}/docs")
    if settings.examples:  # browsers do not send what follows the #
        print(f"App       {address}/app" + (f"#token={token}" if token else ""))
    if not settings.database_url:
        print(f"Samples   {program()} seed")
    if token:
        print(f"Token     for user {DEVELOPMENT_USER!r}, good for {DEVELOPMENT_TTL}:\n{token}\n\nCreate a task:")
        print(
            f"curl -w '\\n' {address}/api/tasks -H 'Authorization: Bearer {token}' "
            """-H 'Content-Type: application/json' -d '{"title": "Buy milk"}'"""
        )
    sys.stdout.flush()
