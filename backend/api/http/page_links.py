"""Links to the other pages of a list, as a header (RFC 8288)."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from fastapi import Request


def page_links(request: Request, next_cursor: str | None) -> dict[str, str]:
    """Return a Link header to the first page and, if any, the next page of the same list, with the same parameters.

    Everything that the client chose is percent-encoded, so it cannot break out of its link.
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
