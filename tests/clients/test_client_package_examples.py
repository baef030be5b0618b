"""The examples of the Python client: the page for Streamlit by Streamlit's own test of pages, and the bot's answers."""

from __future__ import annotations

import asyncio
import importlib.util
from pathlib import Path
from types import ModuleType

import httpx
import pytest
from streamlit.testing.v1 import AppTest
from task_api_client import AsyncClient, Client, Session

from tests.fixtures.calls.api import API
from tests.fixtures.documents.requirements import ROOT
from tests.fixtures.http.client_package import token_of
from tests.fixtures.running.waiting import PATIENCE_SECONDS

EXAMPLES = ROOT / "clients/python/examples"
MAX_LINES = 50

pytestmark = pytest.mark.requirement("FR-590")


@pytest.fixture(autouse=True)
def _no_proxy_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def page(api: API, user_id: str, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """The page, of somebody who has signed in."""
    monkeypatch.setenv("TASK_API", api.base_url)
    page = AppTest.from_file(str(EXAMPLES / "streamlit_page.py"), default_timeout=PATIENCE_SECONDS)
    page.session_state["session"] = Session(token_of(user_id), "")
    return page


@pytest.fixture
def bot() -> ModuleType:
    """The module of the bot."""
    found = importlib.util.spec_from_file_location("telegram_bot", EXAMPLES / "telegram_bot.py")
    assert found
    assert found.loader
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def test_the_page_adds_and_completes_tasks(page: AppTest, client: httpx.Client) -> None:
    page.run()
    page.text_input[0].input("Buy milk")
    page.button[0].click().run()
    assert [box.label for box in page.checkbox] == ["Buy milk"]
    assert not page.exception

    page.checkbox[0].check().run()

    assert [box.label for box in page.checkbox] == []
    assert client.get("/api/tasks?status=done").json()["data"][0]["title"] == "Buy milk"


def test_the_page_says_what_went_wrong(page: AppTest) -> None:
    page.session_state["session"] = Session("nonsense", "")
    page.run()

    assert len(page.error) == 1
    assert not page.exception


def test_the_bot_notes_lists_and_completes(bot: ModuleType, api: API, user_id: str) -> None:
    said = ["Buy milk", "Buy tea", "/list", "/done 1", "/done 7", "/list", "/done 1", "/list", "x" * 501]

    async def talk() -> list[str]:
        async with AsyncClient(api.base_url, token_of(user_id)) as tasks:
            return [await bot.answer(tasks, text) for text in said]

    *answers, refused = asyncio.run(talk())

    assert answers == [
        "Noted: Buy milk",
        "Noted: Buy tea",
        "1. Buy milk\n2. Buy tea",
        "Done: Buy milk",
        "There is none.",
        "1. Buy tea",
        "Done: Buy tea",
        "All done.",
    ]
    assert refused.endswith("(VALIDATION_ERROR)")


@pytest.mark.parametrize("name", ["streamlit_page.py", "telegram_bot.py"])
def test_an_example_is_short(name: str) -> None:
    assert len(Path(EXAMPLES / name).read_text(encoding="utf-8").splitlines()) <= MAX_LINES
    assert Client.__name__ in (EXAMPLES / name).read_text(encoding="utf-8")
