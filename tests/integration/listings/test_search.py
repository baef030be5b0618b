"""Finding tasks by their words."""

from __future__ import annotations

import unicodedata

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.models.task_query import TaskQuery
from backend.models.values.search_text import has_word
from tests.fixtures.calls.api import API
from tests.fixtures.calls.listing import titles
from tests.fixtures.calls.tasks import create, error_of
from tests.fixtures.postgres.tenant_statements import listing_of

TITLES = {
    "Buy milk": None,
    "Buy oat milk, please": None,
    "Bread": "with MILK and honey",
    "Call Anna": "about the oat/spelt flour at https://shop.example/milkshake?id=5",
    "Äpfel schälen": None,
    "Κάλεσε τη Μαρία": None,
    "Купить Хлеб": None,
    "شراء الحليب": None,
    "买牛奶 和面包": None,
    "<b>markup</b> &amp; it's e-mail": None,
    "and this or that": None,
    "दूध लाना": None,
    "明日牛乳を買う": "ﾊﾟﾝも",
    "Pack 茶, today": None,
    "100\uff05茶": "pack today",
    "ซื้อนมและขนมปัง": None,
    unicodedata.normalize("NFD", "Crème brûlée"): None,
    unicodedata.normalize("NFD", "がっこう"): None,
}

FOUND = {
    "milk": {"Buy milk", "Buy oat milk, please", "Bread", "Call Anna"},
    "MILK": {"Buy milk", "Buy oat milk, please", "Bread", "Call Anna"},
    '"milk"': {"Buy milk", "Buy oat milk, please", "Bread"},
    "milk buy": {"Buy milk", "Buy oat milk, please"},
    "mil": {"Buy milk", "Buy oat milk, please", "Bread", "Call Anna"},
    "mil buy": set(),
    '"buy milk"': {"Buy milk"},
    '"milk buy"': set(),
    "oat flour": {"Call Anna"},
    "milk -oat": {"Buy milk", "Bread"},
    '-"oat milk" mil': {"Buy milk", "Bread", "Call Anna"},
    "milk -oa": {"Buy milk", "Buy oat milk, please", "Bread"},
    "bread or honey or spel": {"Bread", "Call Anna"},
    "please!": {"Buy oat milk, please"},
    "oat/spelt": {"Call Anna"},
    "shop.example": {"Call Anna"},
    "milkshak": {"Call Anna"},
    "ÄPFEL": {"Äpfel schälen"},
    "äpf": {"Äpfel schälen"},
    "SCHÄLEN": {"Äpfel schälen"},
    "ΜΑΡΊΑ": {"Κάλεσε τη Μαρία"},
    "хлеб": {"Купить Хлеб"},
    "КУП": {"Купить Хлеб"},
    "الحليب": {"شراء الحليب"},
    "买牛": {"买牛奶 和面包"},
    "和面包": {"买牛奶 和面包"},
    "牛奶": {"买牛奶 和面包"},
    "面包 牛奶": {"买牛奶 和面包"},
    "面包 -牛奶": set(),
    '"买牛奶 和面包"': {"买牛奶 和面包"},
    '"pack 茶 today"': {"Pack 茶, today", "100\uff05茶"},
    "牛奶 or honey": {"Bread"},
    "买牛奶 or honey": {"Bread", "买牛奶 和面包"},
    "茶": {"Pack 茶, today", "100\uff05茶"},
    "100\uff05茶": {"Pack 茶, today", "100\uff05茶"},
    "茶 -茶/today": {"100\uff05茶"},
    "牛\uff3c": {"买牛奶 和面包", "明日牛乳を買う"},
    "牛乳": {"明日牛乳を買う"},
    "牛乳 パン": {"明日牛乳を買う"},
    "ขนมปัง": {"ซื้อนมและขนมปัง"},
    "crème": {unicodedata.normalize("NFD", "Crème brûlée")},
    unicodedata.normalize("NFD", "BRÛLÉ"): {unicodedata.normalize("NFD", "Crème brûlée")},
    unicodedata.normalize("NFD", "schä"): {"Äpfel schälen"},
    "crème -brûlée": set(),
    "がっこう": {unicodedata.normalize("NFD", "がっこう")},
    "दूध": {"दूध लाना"},
    "markup amp": {"<b>markup</b> &amp; it's e-mail"},
    "e-mail": {"<b>markup</b> &amp; it's e-mail"},
    "it's": {"<b>markup</b> &amp; it's e-mail"},
    "this/or": {"and this or that"},
    "milking": set(),
    "buying": set(),
}


@pytest.mark.requirement("FR-129")
def test_words_are_found_wherever_they_stand(client: httpx.Client) -> None:
    for title, description in TITLES.items():
        create(client, title, description=description)

    found = {q: set(titles(client, q=q)) for q in FOUND}

    assert found == FOUND


@pytest.mark.requirement("FR-129")
def test_what_was_written_just_now_is_found(client: httpx.Client) -> None:
    task = create(client, "Buy milk")
    client.patch(f"/api/tasks/{task['id']}", json={"title": "Buy bread", "description": "or rolls"})

    assert titles(client, q="milk") == []
    assert titles(client, q="rolls") == ["Buy bread"]


@pytest.mark.requirement("FR-129")
@pytest.mark.parametrize("q", [" ", "-", "!?", '""', "_", "\U0001f36e", "…", "a\x00", "a" * 501, "\u0301"])
def test_a_search_without_a_word_is_refused(client: httpx.Client, q: str) -> None:
    error = error_of(client.get("/api/tasks", params={"q": q}), 422, "VALIDATION_ERROR")

    assert [detail["field"] for detail in error["details"]] == ["query.q"]


PARTS = ["a", "milk", "or", "OR", "-", '"', "'", "\\", ":*", "&", "|", "!", "(", ")", "<->", "<2>", " ", "\t", "%s",
         "%", "''", "$$", "\U0001f36e", "é", "ß", "İ", "牛", "\u200d", "\u2019", "\ufffd", "and", "not", "1e5", "3.14",
         "@", "/", "a@b.c", "<b>", "&amp;", ":", "*", ":A", "\u00a0"]  # fmt: skip
TYPED = st.one_of(
    st.lists(st.sampled_from(PARTS), min_size=1, max_size=40).map("".join),
    st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), min_size=1, max_size=500),
).filter(lambda text: len(text) <= 500 and has_word(text))


@pytest.mark.requirement("FR-129")
@given(q=TYPED)
@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None)
def test_nothing_that_is_typed_is_an_error(api: API, user_id: str, q: str) -> None:
    lists = listing_of(api.app.state.sessions.engine, user_id)

    assert lists.list(TaskQuery(q=q)).json == "[]"


@pytest.mark.requirement("FR-129")
@pytest.mark.parametrize(
    "q", ["a" * 500, "\U00020000" * 500, "or " * 166, '-"a b" ' * 71, '"' + "a " * 249, "a-" * 250, "(" * 499 + "a"]
)
def test_the_longest_searches_are_answered(client: httpx.Client, q: str) -> None:
    create(client, "Buy milk")

    assert len(q) <= 500
    assert set(titles(client, q=q)) <= {"Buy milk"}
    if "\U00020000" in q:
        create(client, q)
        assert titles(client, q=q) == [q]
