"""task-api seed: fills the database with sample tasks."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import suppress

from backend.commands.database import bring_up_to_date, database, migration_url, set_up
from backend.commands.program import program
from backend.commands.progress import progress
from backend.commands.sessions import sessions_on
from backend.config import Settings
from backend.database.session import SessionFactory
from backend.errors import ConfigurationError, ValidationFailed
from backend.server.signals import EXIT_TERMINATED, leaving_in_order
from backend.services.access_tokens.rules import TooManyAccessTokens
from backend.services.access_tokens.service import AccessTokenService
from backend.services.labels.rules import TooManyLabels
from backend.services.lists.rules import ListConflict, TooManyLists
from backend.services.lists.service import ListService
from backend.services.samples.service import SeedService
from backend.services.samples.tasks import sample_lists, sample_task, sample_token, sample_user
from backend.services.tasks.rules import TooManyTasks

STEP = 500  # tasks stored at once
_SHOWN = 5  # users named in the output


def run(options: argparse.Namespace) -> None:
    """Add the missing tasks, and print how many and what to do next."""
    settings = set_up()
    _check(settings, options)
    added = 0
    with leaving_in_order(EXIT_TERMINATED), database(settings) as url:
        bring_up_to_date(migration_url(settings, url))
        with sessions_on(url, settings) as sessions, progress(options.users * options.tasks, "tasks") as advance:
            for done, new in _steps(sessions, settings, options):
                added += new
                advance(done)
    where = "" if settings.database_url else f" to the database in {settings.data_dir.absolute()}"
    print(f"added {added} task{'' if added == 1 else 's'}{where}")
    print(f"Users: {_names(options.users)}\nA token for one of them: {program()} token {sample_user(1)}")


def _check(settings: Settings, options: argparse.Namespace) -> None:
    if settings.environment == "production":
        raise ConfigurationError("seed adds sample users and tasks, so it does not run with ENVIRONMENT=production")
    if options.tasks > settings.max_tasks_per_user:
        raise ConfigurationError(
            f"MAX_TASKS_PER_USER allows only {settings.max_tasks_per_user} tasks. Raise it, or set a lower --tasks"
        )


def _steps(sessions: SessionFactory, settings: Settings, options: argparse.Namespace) -> Iterator[tuple[int, int]]:
    """Store the tasks in steps; yields for each step how many tasks it covered, and how many of them were missing."""
    for user_id in map(sample_user, range(1, options.users + 1)):
        service = SeedService(sessions, user_id, settings.max_tasks_per_user)
        _add_lists(ListService(sessions, user_id))
        _share_a_list(AccessTokenService(sessions, user_id))
        for first in range(0, options.tasks, STEP):
            numbers = range(first, min(first + STEP, options.tasks))
            try:
                added = service.add([sample_task(options.seed, user_id, number) for number in numbers])
            except TooManyTasks:
                raise ConfigurationError(
                    f"{user_id} also has other tasks, and MAX_TASKS_PER_USER allows only "
                    f"{settings.max_tasks_per_user}. Raise it, or set a lower --tasks"
                ) from None
            except TooManyLabels as error:
                raise ConfigurationError(f"{user_id} also has other labels. {error.message}") from None
            yield len(numbers), added


def _add_lists(service: ListService) -> None:
    for sample in sample_lists(service.user_id):
        try:
            service.create(sample)
        except TooManyLists as error:
            raise ConfigurationError(f"{service.user_id} also has other lists. {error.message}") from None
        except ListConflict:
            pass  # it is in the trash


def _share_a_list(service: AccessTokenService) -> None:
    """Make a token for one of the lists, if there is none. Nobody sees its secret: it can be revoked, and made anew."""
    sample = sample_token(service.user_id)
    if f'"{sample.list_id}"' in service.list():
        return
    with suppress(TooManyAccessTokens, ValidationFailed):  # the list is in the trash
        service.create(sample)


def _names(users: int) -> str:
    """Name the first users and the last one."""
    first = ", ".join(sample_user(number) for number in range(1, min(users, _SHOWN) + 1))
    return f"{first} … {sample_user(users)}" if users > _SHOWN else first
