"""Lists every address of a database, to be tried one by one: libpq does so itself only when it may block."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Any


def each_address(parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return connection parameters for each host in them, and for each address that its name resolves to.

    Looks names up. A name that is not found is left to libpq, which reports it.
    """
    hosts = _split(parameters, "host")
    addresses, ports = _split(parameters, "hostaddr"), _split(parameters, "port")
    count = max(len(hosts), len(addresses))
    return [
        {**parameters, **host, **address, **port}
        for host, given, port in zip(
            _for_each(hosts, "host", count),
            _for_each(addresses, "hostaddr", count),
            _for_each(ports, "port", count),
            strict=True,
        )
        for address in ([given] if given.get("hostaddr") else _looked_up(host.get("host", "")))
    ]


def _split(parameters: Mapping[str, Any], name: str) -> list[str]:
    return str(parameters.get(name) or "").split(",")


def _for_each(values: list[str], name: str, count: int) -> list[dict[str, str]]:
    """Give each host its value; a single value is for all hosts."""
    all_values = values * count if len(values) == 1 else values
    return [{name: value} if value else {} for value in all_values]


def _looked_up(host: str) -> list[dict[str, str]]:
    """Return the addresses of a name if it has several; a single one, or a socket folder, is left to libpq."""
    if not host or host.startswith(("/", "@")):
        return [{}]
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return [{}]
    addresses = list(dict.fromkeys(str(address[0]) for *_, address in found))
    return [{"hostaddr": address} for address in addresses] if len(addresses) > 1 else [{}]
