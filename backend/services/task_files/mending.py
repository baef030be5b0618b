"""Fits what files of other programs say into a task: a title, a description or labels that are too long for one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import cast

from backend.errors import Detail
from backend.formats.rows import FileRow
from backend.models.fields import MAX_DESCRIPTION_LENGTH, MAX_TITLE_LENGTH
from backend.models.values.label_names import MAX_LABEL_LENGTH, MAX_LABELS_OF_TASK, distinct_labels
from backend.utils.visible_text import is_visible, without_controls

_UNTITLED = "Untitled"
_NO_TITLE = Detail("title", "title_missing", "There is no title: it became the first line of the description")
_NO_TITLE_AT_ALL = Detail("title", "title_missing", f"There is no title: it became '{_UNTITLED}'")
KEPT_TITLE = Detail("title", "title_missing", "There is no title: the task keeps the one that it has")
_SHORTENED = "This was too long, and was cut to {} characters"
_LONG_TITLE = Detail("title", "shortened", _SHORTENED.format(MAX_TITLE_LENGTH))
_LABELS = "labels"
_NO_LABEL = re.compile(r"[,\x00-\x1f\x7f-\x9f]+")
_RESPELLED = Detail(_LABELS, "label_respelled", "A label cannot have commas or control characters: they became spaces")
_LONG_LABEL = Detail(_LABELS, "shortened", _SHORTENED.format(MAX_LABEL_LENGTH))
_MANY_LABELS = Detail(
    _LABELS, "labels_dropped", f"A task has at most {MAX_LABELS_OF_TASK} labels: the rest were left out"
)


def fitted(row: FileRow) -> tuple[dict[str, object], tuple[Detail, ...]]:
    """Return the fields of a row as a task can have them, and what was mended for that."""
    fields = dict(row.fields)
    mends = (*_mend_title(fields), *_mend_description(fields), *_mend_labels(fields))
    return fields, mends


def title_from(description: str | None) -> tuple[str, tuple[Detail, ...]]:
    """Return the title of a new task whose row has none, and what to say about it."""
    lines = (without_controls(line).strip() for line in (description or "").splitlines())
    title = next(filter(is_visible, lines), None)
    if title is None:
        return _UNTITLED, (_NO_TITLE_AT_ALL,)
    return title[:MAX_TITLE_LENGTH].strip(), (_NO_TITLE, _LONG_TITLE)[: 1 + (len(title) > MAX_TITLE_LENGTH)]


def _mend_title(fields: dict[str, object]) -> Iterator[Detail]:
    title = str(fields.get("title") or "").strip()
    if len(title) > MAX_TITLE_LENGTH:
        yield _LONG_TITLE
    if "title" in fields:
        fields["title"] = title[:MAX_TITLE_LENGTH] or None


def _mend_description(fields: dict[str, object]) -> Iterator[Detail]:
    text = fields.get("description")
    if isinstance(text, str) and len(text) > MAX_DESCRIPTION_LENGTH:
        fields["description"] = text[:MAX_DESCRIPTION_LENGTH]
        yield Detail("description", "shortened", _SHORTENED.format(MAX_DESCRIPTION_LENGTH))


def _mend_labels(fields: dict[str, object]) -> Iterator[Detail]:
    if _LABELS not in fields:
        return
    said = [label.strip() for label in cast("list[str]", fields[_LABELS])]
    spelled = [" ".join(_NO_LABEL.sub(" ", label).split()) if _NO_LABEL.search(label) else label for label in said]
    labels = distinct_labels(filter(None, (label[:MAX_LABEL_LENGTH].strip() for label in spelled)))
    if spelled != said:
        yield _RESPELLED
    if any(len(label) > MAX_LABEL_LENGTH for label in spelled):
        yield _LONG_LABEL
    if len(labels) > MAX_LABELS_OF_TASK:
        yield _MANY_LABELS
    fields[_LABELS] = labels[:MAX_LABELS_OF_TASK]
