"""The call with the most parameters has them in groups (`x-group`), in the order in which people need them."""

from __future__ import annotations

from typing import Any

GROUPS = {
    "Text and labels": ("q", "labels", "labels_any"),
    "State": ("status", "completed", "priority", "overdue", "deleted"),
    "Due and other dates": (
        *("due_before", "due_after", "has_due", "timezone"),
        *("created_after", "created_before", "updated_after", "updated_before"),
    ),
    "Place": ("list_id", "in_archived", "parent_id", "ids"),
    "Order and page": ("sort", "order", "limit", "cursor"),
    "What the answer has": ("include", "include_total", "include_counts", "If-None-Match"),
}
_MANY = 10
_PLACES = [name for names in GROUPS.values() for name in names]
_GROUP_OF = {name: group for group, names in GROUPS.items() for name in names}


def group(parameters: list[dict[str, Any]]) -> None:
    """Sort the parameters by groups if they are many, and say in each parameter what its group is."""
    if len(parameters) >= _MANY:
        parameters.sort(key=lambda parameter: _PLACES.index(parameter["name"]))
        for parameter in parameters:
            parameter["x-group"] = _GROUP_OF[parameter["name"]]
