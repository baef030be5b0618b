"""The field for a new task on the example page: what it understands, and what it makes of it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.fixtures.browsers.app import Board, opened
from tests.fixtures.browsers.chromium import Watched
from tests.fixtures.calls.lists import make
from tests.fixtures.calls.tasks import Task

pytestmark = pytest.mark.requirement("FR-450")

NOW = "2026-11-25T14:30:00"  # a Wednesday, where the user is
PARSE = """async ([text, now, ignored]) => {
  const { parse, fieldsOf } = await import("/app/web/parse.js");
  const lists = [{ id: "h", name: "Home", color: "#228b22" }, { id: "hg", name: "Home garden", color: null }];
  const found = parse(text, { lists, now: new Date(now), ignored: new Set(ignored) });
  const fields = fieldsOf(found, new Date(now));
  const local = (time) => time && new Date(time).toLocaleString("sv-SE").slice(0, 16);
  return { ...fields, ...(fields.due_at && { due_at: local(fields.due_at), timezone: Boolean(fields.timezone) }),
    chips: found.found.map(({ words }) => words) };
}"""
DAYS = {
    "tomorrow": "2026-11-26",
    "Today": "2026-11-25",
    "fri": "2026-11-27",
    "wednesday": "2026-12-02",
    "next monday": "2026-11-30",
    "on Saturday": "2026-11-28",
    "next week": "2026-11-30",
    "next sat": "2026-11-28",
    "on sun": "2026-11-29",
    "in 3 days": "2026-11-28",
    "in 2 weeks": "2026-12-09",
    "2027-01-31": "2027-01-31",
    "24 dec": "2026-12-24",
    "December 24th": "2026-12-24",
    "3 Jan": "2027-01-03",
    "1 Feb 2028": "2028-02-01",
    "24 dec.": "2026-12-24",
}
TIMES = {
    "tomorrow 9am": "2026-11-26 09:00",
    "tomorrow at 9:30pm": "2026-11-26 21:30",
    "9:15 tomorrow": "2026-11-26 09:15",
    "fri noon": "2026-11-27 12:00",
    "12am tomorrow": "2026-11-26 00:00",
    "12 pm tomorrow": "2026-11-26 12:00",
    "16:00": "2026-11-25 16:00",
    "at 9am": "2026-11-26 09:00",
    "sat 8pm": "2026-11-28 20:00",
    "Sat at 8:30pm": "2026-11-28 20:30",
    "sun, 9pm": "2026-11-29 21:00",
    "noon sat": "2026-11-28 12:00",
}
PLAIN = (
    "Buy milk, bread,",
    "Buy milk",
    "Mail ada@example.com",
    "Read p4",
    "Room 24:61",
    "Sat in the sun",
    "C# and #Nothing",
    "At 13am",
    "31 november",
    "tomorrow's plan",
    "See https://example.com/#Home",
    "2026-02-30",
    "monthly report",
    "@",
)


@pytest.fixture
def read(visit: Watched, user: httpx.Client) -> Any:
    """A function that reads a text as the page does."""
    visit.page.goto(f"{user.base_url}/app/web/")

    def parsed(text: str, *ignored: str, now: str = NOW) -> dict[str, Any]:
        found: dict[str, Any] = visit.page.evaluate(PARSE, [text, now, list(ignored)])
        return found

    return parsed


def test_all_of_it_is_understood_together_in_any_order(read: Any) -> None:
    assert read("Call the dentist tomorrow 9am p1 @phone #Home") == {
        "title": "Call the dentist", "due_at": "2026-11-26 09:00", "timezone": True, "priority": "high",
        "labels": ["phone"], "list_id": "h", "chips": ["Tomorrow", "09:00", "High", "@phone", "Home"],
    }  # fmt: skip
    assert read("p3 #home garden, @a-b water @c_2 @a-b the roses in 3 days") == {
        "title": ", water the roses", "due_date": "2026-11-28", "priority": "low",
        "labels": ["a-b", "c_2"], "list_id": "hg",
        "chips": ["Low", "Home garden", "@a-b", "@c_2", "@a-b", "Sat 28 Nov"],
    }  # fmt: skip


@pytest.mark.parametrize(("text", "day"), DAYS.items())
def test_a_day_is_understood(read: Any, text: str, day: str) -> None:
    said = read(f"Pay {text} the rent")

    assert (said["title"], said["due_date"]) == ("Pay the rent", day)


@pytest.mark.parametrize(("text", "moment"), TIMES.items())
def test_a_time_is_understood(read: Any, text: str, moment: str) -> None:
    said = read(f"Pay the rent {text}")

    assert (said["title"], said["due_at"]) == ("Pay the rent", moment)


@pytest.mark.parametrize("text", PLAIN)
def test_what_only_looks_like_it_stays_in_the_title(read: Any, text: str) -> None:
    assert read(text) == {"title": text, "chips": []}


def test_what_was_taken_back_stays_in_the_title(read: Any) -> None:
    text = "Watch Today p1 tomorrow @home"

    assert read(text, "Today", "p1", "@home") == {
        "title": "Watch Today p1 @home", "due_date": "2026-11-26", "chips": ["Tomorrow"],
    }  # fmt: skip
    assert read("Tomorrow never dies", "Tomorrow")["title"] == "Tomorrow never dies"


def task_of(user: httpx.Client) -> Task:
    (task,) = user.get("/api/tasks").json()["data"]
    return dict(task)


def chips(board: Board) -> list[str]:
    return board.page.locator("#add .chip").all_inner_texts()


def test_chips_show_it_and_can_be_taken_away(visit: Watched, user: httpx.Client) -> None:
    home = make(user, "Home", color="#228b22")
    board = opened(visit, user, "all/list")
    board.list_named("Home").wait_for()

    board.field().fill("Watch tomorrow p1 @phone #Home")
    assert chips(board) == ["Tomorrow", "High", "@phone", "Home"]
    assert (
        visit.page.locator("#add .dot").evaluate("(dot) => getComputedStyle(dot).backgroundColor") == "rgb(34, 139, 34)"
    )
    visit.page.get_by_role("button", name="Not a priority: High").click()
    assert (chips(board), board.focused()) == (["Tomorrow", "@phone", "Home"], "New task")
    board.press("Enter")
    board.says("“Watch p1” is added.")

    task = task_of(user)
    tomorrow = (date.today() + timedelta(days=1)).isoformat()  # noqa: DTZ011 - as the browser on this machine sees it
    assert (task["title"], task["due_date"], task["priority"]) == ("Watch p1", tomorrow, None)
    assert (task["labels"], task["list_id"]) == (["phone"], home["id"])
    assert (board.field().input_value(), chips(board), board.focused()) == ("", [], "New task")
    assert visit.is_calm(), visit


def test_the_place_is_understood_too(visit: Watched, user: httpx.Client) -> None:
    home = make(user, "Home")
    board = opened(visit, user, "today/list")

    board.field().fill("Buy milk")
    assert chips(board) == ["Today"]
    board.press("Enter")
    board.title("Buy milk").wait_for()
    assert task_of(user)["due_date"] == datetime.now(UTC).astimezone().date().isoformat()
    board.field().fill("Buy tea")
    visit.page.get_by_role("button", name="Not a date: Today").click()
    board.press("Enter")
    board.says("“Buy tea” is added to “Inbox”.")
    board.go(f"list/{home['id']}/list")
    board.add("Paint p2")
    board.title("Paint").wait_for()
    (task,) = user.get("/api/tasks", params={"list_id": home["id"]}).json()["data"]
    assert (task["title"], task["priority"]) == ("Paint", "medium")
    assert visit.is_calm(), visit


def test_an_address_can_bring_a_new_task(visit: Watched, user: httpx.Client) -> None:
    board = opened(visit, user)
    visit.page.goto(f"{user.base_url}/app/web/?add=Read%20this%20p1")

    board.settled()
    assert board.field().input_value() == "Read this p1"
    assert chips(board) == ["High"]
