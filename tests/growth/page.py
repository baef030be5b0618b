"""The numbers of `docs/growing.md`: its tables and picture, written from the results of the benchmark and of growth.

The texts around them name no measured number.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PAGE, PICTURE = ROOT / "docs/growing.md", ROOT / "docs/growing.svg"
RESULTS, BENCHMARK = Path(__file__).with_name("results.json"), ROOT / "tests/benchmarks/results.json"
SETTING, SERVICE = "Postgres 18", "this service"  # with one worker, over a direct connection
SHARES = {"get": 60, "list of 50": 20, "PUT": 10, "create": 10}  # of 100 requests of the mix, as in the benchmark
CALLS = (*SHARES, "mix")
REQUESTS_A_DAY, BUSIEST_HOUR, BUSY = 200, 0.1, 0.7  # of a user; its share of the day; how busy a processor may be
COMPUTES, PROJECTS = (1, 2, 4, 8, 16), 100  # sizes of Neon's, and how many there may be
POOL_SIZE = 10

POPULATIONS = ("plain", "64", "million", "generic")

Setup = tuple[str, float, str]  # what it is, requests a second, and what runs out first


@cache
def costs() -> dict[str, tuple[float, float]]:
    """Return the CPU time of each call in µs: of the service, and of Postgres."""
    found = json.loads(BENCHMARK.read_text(encoding="utf-8"))["results"]
    mine = [each for each in found if (each["setting"], each["contender"]) == (SETTING, SERVICE)]
    return {each["workload"]: (each["server_cpu_us"], each["postgres_cpu_us"]) for each in mine}


@cache
def growth() -> dict[str, Any]:
    """Return what `store` has written."""
    stored: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8"))
    return stored


def store(measured: Sequence[Any], gigabytes: dict[str, float], remark: str) -> None:
    """Store the numbers of a run, and what disturbed it."""
    found = [asdict(each) for each in measured if is_dataclass(each) and not isinstance(each, type)]
    text = json.dumps({"remark": remark, "gigabytes": gigabytes, "results": found}, indent=1)
    RESULTS.write_text(f"{text}\n", encoding="utf-8")
    growth.cache_clear()


def users(requests_per_second: float) -> float:
    """Return how many users send this many requests in their busiest hour, if processors stay as busy as they may."""
    return requests_per_second * BUSY * 3600 / (REQUESTS_A_DAY * BUSIEST_HOUR)


def setups() -> Iterator[Setup]:
    """Yield what carries how many requests of the mix."""
    server, postgres = costs()["mix"]
    yield "1 worker, Postgres elsewhere", 1e6 / server, "the worker"
    for cores in (2, 8):
        yield f"1 machine of {cores} cores, with its Postgres", cores * 1e6 / (server + postgres), "the machine"
    for size in COMPUTES:
        yield f"several hosts on a Neon compute of {size} CU", size * 1e6 / postgres, "Postgres"
    yield f"{PROJECTS} Neon projects of 8 CU each", PROJECTS * 8e6 / postgres, "Postgres"


def capacity() -> Iterator[Sequence[str]]:
    """Yield the rows of what carries how much."""
    for name, requests, limit in setups():
        yield name, _rounded(requests), _rounded(users(requests)), limit


def computes() -> Iterator[Sequence[str]]:
    """Yield the rows of Neon's computes: what they carry, and how many workers and connections that takes."""
    server, postgres = costs()["mix"]
    for size in COMPUTES:
        requests = size * 1e6 / postgres
        workers = math.ceil(requests * server / 1e6)
        yield f"{size}", _rounded(requests), _rounded(users(requests)), f"{workers}", f"{workers * POOL_SIZE:,}"


def calls() -> Iterator[Sequence[str]]:
    """Yield the rows of what each call costs."""
    for name in CALLS:
        server, postgres = costs()[name]
        yield name, f"{server:,.0f}", f"{postgres:,.0f}", _rounded(1e6 / postgres)


def simulation() -> Iterator[Sequence[str]]:
    """Yield the rows of the simulation; a population that was not measured has dashes."""
    found = {(each["workload"], each["population"]): each for each in growth()["results"]}

    def cell(name: str, population: str, number: str, digits: int) -> str:
        one = found.get((name, population))
        return f"{one[number]:,.{digits}f}" if one else "-"

    for name in CALLS:
        times = [cell(name, each, "p50_ms", 1) for each in POPULATIONS]
        cpu = [cell(name, each, "postgres_cpu_us", 0) for each in POPULATIONS]
        yield name, *times, *cpu, cell(name, "million", "blocks_read", 1)
    sizes = growth()["gigabytes"]
    yield "size in GB", *(f"{sizes[each]:.2g}" for each in POPULATIONS[:3]), *[""] * 6


TABLES = {
    "| on what | requests a second | users | runs out first |": capacity,
    "| compute units | requests a second | users | workers | their connections |": computes,
    "| call | service, µs | Postgres, µs | calls a second on a compute unit |": calls,
    "| call | p50 plain | 64 | million | generic | CPU plain | 64 | million | generic | blocks |": simulation,
}


def _rounded(number: float) -> str:
    """Write a number with two digits that count."""
    return f"{float(f'{number:.1e}'):,.0f}"


def filled(text: str) -> str:
    """Return a page with its remarks and the rows of its tables written anew. Each table is found by its head."""
    said = json.loads(BENCHMARK.read_text(encoding="utf-8"))["remark"]
    for beginning, remark in (("About the measurement:", said), ("About the simulation:", growth()["remark"])):
        text = re.sub(
            rf"^{beginning} .*$", f"{beginning} {remark or 'nothing disturbed it.'}", text, flags=re.MULTILINE
        )
    for head, rows in TABLES.items():
        table = re.compile(rf"({re.escape(head)}\n.*\n)(?:\|.*\n)*")
        assert table.search(text), head
        text = table.sub(lambda found, rows=rows: f"{found[1]}{_lines(rows())}\n", text)  # type: ignore[misc]
    return text


def _lines(rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


# A picture of its own colours, light or dark as the reader's system: it can be read on any page, and on a phone.
_STYLE = """
svg{background:#fff;font:15px system-ui,sans-serif} text{fill:#222;stroke:#fff;stroke-width:4px;paint-order:stroke}
.rule{stroke:#bbb} .worker{fill:#3b7dd8} .machine{fill:#1f8a70} .postgres{fill:#c2641a}
@media(prefers-color-scheme:dark){svg{background:#1e2129} text{fill:#eee;stroke:#1e2129}
.rule{stroke:#555} .worker{fill:#7fb2f5} .machine{fill:#5fc9ac} .postgres{fill:#f0a060}}
"""
_KINDS = {"the worker": "worker", "the machine": "machine", "Postgres": "postgres"}
_MARKS = {10_000: "10 thousand users", 1_000_000: "1 million", 100_000_000: "100 million"}
_LEFT, _WIDTH, _ROW, _TOP, _RIGHT = 75, 380, 46, 36, 90


def picture() -> str:
    """Draw how many users each carries, as bars on a logarithmic scale."""
    found = list(setups())
    bottom = _TOP + _ROW * len(found)
    low, high = math.log10(min(_MARKS)), math.log10(max(_MARKS)) + 1

    def across(number: float) -> float:
        return _LEFT + _WIDTH * (math.log10(number) - low) / (high - low)

    parts = []
    for number, name in _MARKS.items():
        parts.append(f'<path class="rule" d="M{across(number):.0f} {_TOP - 8}V{bottom}"/>')
        parts.append(f'<text x="{across(number):.0f}" y="{_TOP - 16}" text-anchor="middle">{name}</text>')
    for row, (name, requests, limit) in enumerate(found):
        top, end = _TOP + _ROW * row, across(users(requests))
        parts.append(f'<text x="{_LEFT + 4}" y="{top + 16}">{name}</text>')
        parts.append(f'<path class="{_KINDS[limit]}" d="M{_LEFT} {top + 22}H{end:.0f}v16H{_LEFT}z"/>')
        parts.append(f'<text x="{end + 6:.0f}" y="{top + 36}">{_rounded(users(requests))}</text>')
    parts.append(f'<text x="{_LEFT}" y="{bottom + 32}">full first:</text>')
    for place, (limit, kind) in enumerate(_KINDS.items(), start=1):
        parts.append(f'<path class="{kind}" d="M{_LEFT - 45 + 125 * place} {bottom + 19}h15v15h-15z"/>')
        parts.append(f'<text x="{_LEFT - 25 + 125 * place}" y="{bottom + 32}">{limit}</text>')
    size = f'viewBox="0 0 {_LEFT + _WIDTH + _RIGHT} {bottom + 46}"'
    title = "How many users a worker, a machine, and hosts on Neon computes carry"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img"><title>{title}</title><style>{_STYLE}</style>'
    return "\n".join([head, *parts, "</svg>\n"])


def write() -> None:
    """Write the tables and the picture."""
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    PICTURE.write_text(picture(), encoding="utf-8")
