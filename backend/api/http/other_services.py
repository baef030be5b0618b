"""Addresses that other task services have, and how the same is asked for here.

As with `similar_paths.py`, what is said depends on the address alone, and all that it names is public.
"""

from __future__ import annotations

import re

MAX_PATH_LENGTH = 100  # a longer path is not compared

_PART = r"[^/]+"
_OTHERS = r"(?:todos?|to-dos?|items)"  # what others call tasks
_TASKS = rf"(?:tasks?|{_OTHERS})"
# Addresses without what stands before the resource, in lower case, and what to say. The first that fits counts.
_SAID = {
    rf"{_TASKS}/{_PART}/(?:toggle|check|done|finish|reopen|un-?complete|complete[-_]).*": (
        "did you mean /api/tasks/{task_id}/complete?"
    ),
    rf"{_TASKS}/(?:search|find|query|filter)|search": "a search is GET /api/tasks?q=WORDS.",
    rf"(?:{_TASKS}/)?(?:stats?|statistics|counts?|summary)": (
        "GET /api/tasks?include_counts=true counts the tasks of each status."
    ),
    rf"{_TASKS}/(?:tags?|labels?|categories)|tags?|categories": "did you mean /api/labels?",
    rf"{_TASKS}/(?:lists?|projects?)|projects?|folders?": "did you mean /api/lists?",
    rf"{_TASKS}/(?:done|completed?|finished)": "GET /api/tasks?status=done lists them.",
    rf"{_TASKS}/(?:pending|open|active|todo)": "GET /api/tasks?status=pending lists them.",
    rf"{_TASKS}/overdue": "GET /api/tasks?overdue=true lists them.",
    rf"{_TASKS}/(?:today|upcoming)": "GET /api/tasks?status=pending&due_before=DAY&sort=due lists them.",
    rf"(?:{_TASKS}/)?(?:trash|deleted|bin)": "GET /api/tasks?deleted=true lists the trash.",
    rf"{_TASKS}/(?:bulk|many)\b.*": "did you mean /api/tasks/batch?",
    rf"(?:lists?|projects?)/{_PART}/{_TASKS}": "GET /api/tasks?list_id=ID lists the tasks of a list.",
    r"users?/(?:me|current|profile)|profile|account|whoami": "did you mean /api/me?",
    rf"(?:users?/)?{_PART}/{_TASKS}(?:/.*)?": "did you mean /api/tasks? The token says whose tasks they are.",
    rf"{_OTHERS}": "did you mean /api/tasks?",
    rf"{_OTHERS}/{_PART}(?:/.*)?": "did you mean /api/tasks/{task_id}?",
}
_PATTERNS = [(re.compile(pattern), said) for pattern, said in _SAID.items()]
_BEFORE = re.compile(r"(?:/|api(?=/)|v\d+(?=/))*")


def same_here(path: str) -> str | None:
    """Say how to ask for what the address usually means in other services; None if that is not known."""
    if len(path) > MAX_PATH_LENGTH:
        return None
    plain = _BEFORE.sub("", path.lower(), count=1).rstrip("/")
    return next((f"Not found; {said}" for pattern, said in _PATTERNS if pattern.fullmatch(plain)), None)
