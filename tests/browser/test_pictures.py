"""The pictures in the README are of the page as it is, and can be taken anew."""

from __future__ import annotations

import struct
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser

from tests.fixtures.calls.tasks import create
from tests.pictures import EXAMPLES, SCHEMES, SIZE, take


def size_of(picture: Path) -> dict[str, int]:
    """Read the size in the head of a PNG."""
    content = picture.read_bytes()
    assert content.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", content[16:24])
    return {"width": width, "height": height}


@pytest.mark.requirement("FR-447")
def test_the_pictures_can_be_taken_anew(browser: Browser, user: httpx.Client, tmp_path: Path) -> None:
    create(user, "Buy milk")
    token = user.headers["Authorization"].removeprefix("Bearer ")

    take(browser, f"{user.base_url}/app#token={token}", tmp_path)

    taken = [tmp_path / f"picture-{scheme}.png" for scheme in SCHEMES]
    assert [size_of(picture) for picture in taken] == [SIZE, SIZE]
    assert taken[0].read_bytes() != taken[1].read_bytes()
    assert {size_of(EXAMPLES / picture.name)["width"] for picture in taken} == {SIZE["width"]}
