"""Odd spellings of addresses and odd headers never bypass the token, never redirect, and always get the envelope."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import httpx
import pytest

from tests.fixtures.calls.api import ORIGIN
from tests.fixtures.calls.tasks import JSON, create, everything_of
from tests.fixtures.documents.contract import Operation, operations
from tests.fixtures.http.wire import send
from tests.fixtures.inputs.hostile import MARK, good_body

PRIVATE = {name: operation for name, operation in operations().items() if operation.is_private}
JSON_BODY = {b"Content-Type": JSON["Content-Type"].encode()}


def _encoded(path: str, characters: str) -> str:
    return "".join(f"%{ord(each):02x}" if each in characters else each for each in path)


# Each takes the path of a real operation.
SPELLINGS: dict[str, Callable[[str], str]] = {
    "as it is": lambda path: path,
    "absolute": lambda path: f"http://else.where{path}",
    "absolute of our own": lambda path: f"http://127.0.0.1{path}",
    "double slash": lambda path: "/" + path,
    "double slashes": lambda path: path.replace("/", "//"),
    "host": lambda path: "//else.where" + path,
    "slash behind": lambda path: path + "/",
    "slashes behind": lambda path: path + "//",
    "upper case": str.upper,
    "mixed case": str.title,
    "dot": lambda path: "/." + path,
    "dots": lambda path: "/x/.." + path,
    "dots of health": lambda path: "/health/.." + path,
    "encoded dots": lambda path: "/docs/%2e%2e" + path,
    "dot behind": lambda path: path + "/.",
    "dots behind": lambda path: path + "/../me",
    "encoded dots behind": lambda path: path + "/%2e%2e/me",
    "encoded slashes": lambda path: "/" + _encoded(path[1:], "/"),
    "encoded first slash": lambda path: "/%2f" + path[1:],
    "encoded slash only": lambda path: "%2f" + path[1:],
    "encoded letters": lambda path: _encoded(path, "apitskme"),
    "encoded in upper case": lambda path: quote(path, safe="").replace("%2F", "/").replace("a", "%61"),
    "encoded twice": lambda path: _encoded(path, "a").replace("%", "%25"),
    "backslash": lambda path: "/" + path[1:].replace("/", "\\"),
    "encoded backslash": lambda path: "/" + path[1:].replace("/", "%5c"),
    "parameter": lambda path: path + ";x=1",
    "parameter first": lambda path: path.replace("/api", "/api;x=1"),
    "NUL": lambda path: path + "%00",
    "NUL first": lambda path: "/%00" + path,
    "line break": lambda path: path + "%0a",
    "line break and slash": lambda path: path + "%0a/",
    "line break and more": lambda path: path + "%0ax",
    "blank": lambda path: path + "%20",
    "tab first": lambda path: "/%09" + path[1:],
    "question mark": lambda path: path + "%3f",
    "hash": lambda path: path + "%23",
    "fragment": lambda path: path + "#x",
    "wide letters": lambda path: path.replace("a", "%ef%bd%81"),
    "overlong slash": lambda path: path.replace("/", "%c0%af"),
    "byte 255": lambda path: path + "%ff",
    "half an escape": lambda path: path + "%",
    "health": lambda path: "/health" + path,
    "suffix": lambda path: path + ".json",
    "no slash": lambda path: path[1:],
    "asterisk": lambda _path: "*",
}


SAME_ADDRESS = {
    "as it is", "absolute", "absolute of our own", "fragment", "encoded letters", "encoded slashes",
    "encoded in upper case", "slash behind",
}  # fmt: skip


@pytest.mark.requirement("FR-089")
@pytest.mark.parametrize("operation", PRIVATE.values(), ids=PRIVATE)
def test_no_spelling_of_an_address_leads_round_the_token(
    client: httpx.Client, anonymous: httpx.Client, operation: Operation
) -> None:
    task = create(client, "as it was")
    before, body = everything_of(client), good_body(operation) or b""
    for name, spell in SPELLINGS.items():
        target = spell(operation.address(task["id"])).encode()

        nobody = send(anonymous, target, operation.method, headers=JSON_BODY, body=body)

        assert "location" not in nobody.headers
        if nobody.status_code != 401:
            # Not even the owner finds anything there.
            owner = send(client, target, operation.method, headers=JSON_BODY, body=body)
            assert owner.status_code == nobody.status_code
            assert nobody.status_code in {400, 404}, name
        if nobody.status_code != 400:  # an invalid address never reaches the application
            assert nobody.json()["error"]["request_id"] == nobody.headers["X-Request-Id"]
    assert everything_of(client) == before


@pytest.mark.requirement("FR-089")
@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "get"])
def test_an_odd_spelling_is_another_address_where_nothing_is(client: httpx.Client, method: str) -> None:
    before = everything_of(client)
    for name in SPELLINGS.keys() - SAME_ADDRESS:
        for path in ("/api/tasks", "/api/me"):
            response = send(client, SPELLINGS[name](path).encode(), method)

            assert response.status_code in {400, 404, 405, 422}, name  # 422: the id `.`, and no body
            assert "location" not in response.headers
    assert everything_of(client) == before


NAMES = [
    "X-Request-Id", "Origin", "Accept", "Accept-Encoding", "If-Match", "If-Modified-Since", "Range", "Cookie",
    "Referer", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded", "X-HTTP-Method-Override",
    "X-Original-URL",
    "Access-Control-Request-Headers", "Access-Control-Request-Method", "Traceparent", "TE", "X-User-Id",
]  # fmt: skip
VALUES = [
    b"", b"\xff\xfe", b'"', b"*", b"null", b"-1", b"9" * 400, b"a" * 4000, b"%00", b"[", b"]", b"[::1", b"x:y:z",
    b"a/b?c#d", b"/api/me", b"${jndi:ldap://x}", "\u00e9\U0001f36e".encode(), b";;;,,,==", b"DELETE", b"https",
    b"1.2.3.4:99999", b"bytes=0-1", b"%s%n", MARK.encode(), ORIGIN.encode(),
]  # fmt: skip


@pytest.mark.requirement("FR-089")
@pytest.mark.parametrize("name", NAMES)
def test_an_odd_header_changes_no_answer(client: httpx.Client, anonymous: httpx.Client, name: str) -> None:
    create(client, "as it was")
    before, plain = everything_of(client), client.get("/api/tasks").content
    for value in VALUES:
        headers = {name.encode(): value}
        good = send(client, b"/api/tasks", headers=headers)
        assert (good.status_code, good.content) == (200, plain), value
        for sender, status in ((client, 405), (anonymous, 401)):
            refused = send(sender, b"/api/tasks", "PUT", headers=headers)
            assert refused.status_code == status, value
            assert refused.json()["error"]["request_id"] == refused.headers["X-Request-Id"]
            assert refused.headers.get("Allow", "GET, HEAD, POST") == "GET, HEAD, POST"
            assert MARK not in refused.text or name == "X-Request-Id"
    assert everything_of(client) == before
