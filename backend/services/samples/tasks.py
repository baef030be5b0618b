"""Invents tasks and lists. Each depends only on a seed, its user and its number, so it is always the same."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from uuid import UUID, uuid5

from backend.models.access_token import AccessTokenCreate
from backend.models.list import ListCreate
from backend.models.task import Priority, Status
from backend.services.samples.words import COLORS, DESCRIPTIONS, LABELS, LISTS, SHARED, TITLES, WORDS

NAMES = ("alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy")

_ORIGIN = UUID("6f0d5a0c-7f0e-4b55-9c8e-0d1f3a2b4c5d")  # namespace of the ids
_OLDEST = timedelta(days=180)
# Of twenty tasks in a row, these are open, and due so many hours ahead, on a day or at a time. So today has some.
_NEAR = {3: (0, True), 4: (2, False), 5: (24, True), 6: (26, False), 7: (-30, True)}
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class SampleTask:
    """An invented task. Its times are offsets back from the moment it is stored; that of its due leads ahead."""

    id: UUID
    title: str
    description: str | None
    created: timedelta
    updated: timedelta
    completed: timedelta | None
    due: timedelta | None  # ahead of that moment, if positive
    is_due_on_a_day: bool
    priority: Priority | None
    labels: list[str]
    list_id: UUID | None
    parent_id: UUID | None
    open_status: Status  # while it is not completed


def sample_user(number: int) -> str:
    """Return the user with this number, from 1 on: alice, bob and so on, then user-0011."""
    return NAMES[number - 1] if number <= len(NAMES) else f"user-{number:04}"


def sample_lists(user_id: str) -> list[ListCreate]:
    """Invent the user's lists, the same for each seed."""
    return [
        ListCreate(id=_list_id(user_id, name), name=name, color=color)
        for name, color in zip(LISTS, COLORS, strict=True)
    ]


def sample_token(user_id: str) -> AccessTokenCreate:
    """Invent a token that shares one of the user's lists."""
    name, scopes = "Shared with the neighbours", ["tasks:read", "tasks:write"]
    return AccessTokenCreate.model_validate(
        {"name": name, "scopes": scopes, "expires_in_days": 90, "list_id": str(_list_id(user_id, SHARED))}
    )


def _list_id(user_id: str, name: str) -> UUID:
    return uuid5(_ORIGIN, f"lists/{user_id}/{name}")


def sample_task(seed: int, user_id: str, number: int) -> SampleTask:
    """Invent the user's task with this number."""
    name = _name(seed, user_id, number)
    random = Random(name)  # noqa: S311 - nothing is kept secret by it
    title = _fill(random.choice(TITLES), random)
    description = None
    if random.random() < 0.5:  # noqa: PLR2004 - half of them
        description = " ".join(_fill(text, random) for text in random.sample(DESCRIPTIONS, random.randint(1, 2)))
    created = _OLDEST * random.random() ** 2  # recent ones are more frequent
    later = created * random.random()
    # Most old tasks are completed; some of the others were edited.
    completed = later if random.random() < 0.3 + 0.5 * (created / _OLDEST) else None
    updated = later if completed is not None or random.random() < 0.2 else created  # noqa: PLR2004 - a fifth
    due = timedelta(hours=random.randint(-500, 1000)) if random.random() < 0.5 else None  # noqa: PLR2004 - half of them
    is_due_on_a_day = random.random() < 0.7  # noqa: PLR2004 - most
    priority = random.choice([*Priority, None, None, None])
    labels = random.sample(LABELS, random.choice((0, 0, 1, 1, 2)))
    # Many are where they were first written down: in the inbox.
    list_name = random.choice([*LISTS, None, None])
    list_id = None if list_name is None else _list_id(user_id, list_name)
    # Of ten tasks in a row, some are subtasks of the first.
    first = number - number % 10
    is_subtask = first not in {0, number} and random.random() < 0.3  # noqa: PLR2004 - a third
    parent_id = uuid5(_ORIGIN, _name(seed, user_id, first)) if is_subtask else None
    # Of the open ones, some are begun, and some will never be done.
    open_status = random.choice([Status.IN_PROGRESS, Status.CANCELLED, *[Status.TODO] * 5])
    if (near := _NEAR.get(number % 20)) is not None:
        due, is_due_on_a_day, completed, open_status = timedelta(hours=near[0]), near[1], None, Status.TODO
    texts = (uuid5(_ORIGIN, name), title, description)
    places = (list_id, parent_id)
    return SampleTask(*texts, created, updated, completed, due, is_due_on_a_day, priority, labels, *places, open_status)


def _name(seed: int, user_id: str, number: int) -> str:
    return f"{seed}/{user_id}/{number}"


def _fill(text: str, random: Random) -> str:
    """Replace each name in braces with a word from its list."""
    filled = _PLACEHOLDER.sub(lambda name: random.choice(WORDS[name[1]]), text)
    return filled[0].upper() + filled[1:]
