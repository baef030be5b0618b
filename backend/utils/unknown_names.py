"""What to say about a name that does not exist: which one was probably meant, and which there are."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from difflib import get_close_matches

MAX_NAME_LENGTH = 100  # a longer name is neither repeated nor compared with others
MAX_MESSAGE_LENGTH = 400
MAX_SUGGESTIONS = 3
MIN_PART_LENGTH = 3  # shorter ones are part of too many names

SIMILAR = 0.7  # from 0, nothing in common, to 1
# What other services call it.
_ELSEWHERE = {
    "tags": "labels",
    "deadline": "due_date",
    "name": "title",
    "text": "title",
    "content": "description",
    "notes": "description",
    "done": "completed",
    "state": "status",
    "project_id": "list_id",
    "pending": "todo",
    "open": "todo",
    "not_started": "todo",
    "doing": "in_progress",
    "started": "in_progress",
    "complete": "done",
    "completed": "done",
    "closed": "done",
    "urgent": "high",
    "normal": "medium",
}

# Other names could change how a page or a terminal shows the message.
_HARMLESS = re.compile(rf"[\w .\[\]-]{{1,{MAX_NAME_LENGTH}}}", re.ASCII)
_NEW_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def unknown_name(name: str, known: Iterable[str], *, kind: str = "field", place: str = "") -> str:
    """Say that a name does not exist, and what there is; `place` is ours, and stands before the name."""
    names = list(known)
    said = f"There is no {kind} `{place}{name}`" if _HARMLESS.fullmatch(name) else f"There is no {kind} with this name"
    listed = f"{kind}s are: {', '.join(names)}" if len(names) > 1 else f"only {kind} is: {', '.join(names)}"
    if similar := similar_names(name, names):
        said += f"; did you mean {' or '.join(f'`{each}`' for each in similar)}?"
        complete, short = f"{said} The {listed}", said
    else:
        complete, short = f"{said}; the {listed}", f"{said}: check the spelling"
    return complete if len(complete) <= MAX_MESSAGE_LENGTH else short


def similar_names(name: str, known: list[str]) -> list[str]:
    """Return the names that were probably meant: the same in snake case, with it as a part, or else spelled alike."""
    if len(name) > MAX_NAME_LENGTH:
        return []
    if same := same_name(name, known):
        return [same]
    plain = _in_snake_case(name)
    elsewhere = _ELSEWHERE.get(plain)
    if elsewhere in known:
        return [elsewhere]
    if len(plain) >= MIN_PART_LENGTH:
        longer = [each for each in known if each.startswith(plain) or f"_{plain}_" in f"_{each}_"]
        if longer:
            return longer[:MAX_SUGGESTIONS]
    return get_close_matches(plain, known, n=1, cutoff=SIMILAR)


def same_name(name: str, known: Collection[str]) -> str | None:
    """Return the name that is the same in snake case: `due_date` for `dueDate`."""
    plain = _in_snake_case(name) if len(name) <= MAX_NAME_LENGTH else None
    return plain if plain in known else None


def _in_snake_case(name: str) -> str:
    return _NEW_WORD.sub("_", name.strip()).replace("-", "_").replace(" ", "_").lower()
