"""Links to the other pages of a list, as a header (RFC 8288)."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from fastapi import Request


def page_links(request: Request, next_cursor: str | None) -> dict[str, str]:
    """Name the first page of the same list, and the next one where there is one: the same address, and its parameters.

    Everything that the client chose is percent-encoded, so it stays where it belongs, whatever it is.
    """
    path = quote(request.scope["path"])
    parameters = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
    pages = {"first": parameters}
    if next_cursor is not None:
        pages["next"] = [*parameters, ("cursor", next_cursor)]
    links = (f'<{path}{_query(query)}>; rel="{name}"' for name, query in pages.items())
    return {"Link": ", ".join(links)}


def _query(parameters: list[tuple[str, str]]) -> str:
    return "?" + urlencode(parameters, quote_via=quote) if parameters else ""
