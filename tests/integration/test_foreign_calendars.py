"""Calendars of other programs: what is meant is stored, and what is not kept as it was is reported."""

from __future__ import annotations

import httpx
import pytest

from tests.fixtures.task_files import CALENDAR, Report, counts_of, report_of, send, tasks_of


def calendar(*lines: str) -> str:
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", *lines, "END:VCALENDAR", ""])


def todo(*lines: str, title: str | None = "a") -> str:
    return "\r\n".join(["BEGIN:VTODO", *([f"SUMMARY:{title}"] if title is not None else []), *lines, "END:VTODO"])


def import_(client: httpx.Client, *components: str) -> Report:
    """Import a calendar; returns the report."""
    return report_of(send(client, calendar(*components).encode(), CALENDAR))


@pytest.mark.requirement("FR-414")
def test_what_is_beside_the_tasks_of_a_calendar_is_skipped(client: httpx.Client) -> None:
    alarm = "BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT15M\r\nEND:VALARM"
    kinds = ("VEVENT", "VJOURNAL", "VFREEBUSY")
    others = [f"BEGIN:{kind}\r\nUID:{kind}\r\nSUMMARY:{kind}\r\nEND:{kind}" for kind in kinds]
    event_with_alarm = f"BEGIN:VEVENT\r\n{alarm}\r\nEND:VEVENT"

    report = import_(client, *others, todo(alarm), event_with_alarm)

    assert counts_of(report) == {"created": 1, "skipped": len(kinds) + 2}
    assert [task["title"] for task in tasks_of(client)] == ["a"]
