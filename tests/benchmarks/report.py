"""The report of a run as Markdown: pure functions of its numbers."""

from __future__ import annotations

from collections.abc import Iterator

from tests.benchmarks.results import (
    BARE,
    CONVENTIONAL,
    FLOOR,
    MAIN_CONNECTIONS,
    MAIN_WORKERS,
    SERVICE,
    Report,
    Result,
    main_setting,
    ratio,
    setting,
    settings_of,
)
from tests.benchmarks.targets import GET, Target, judge

_HEAD = """\
| workload | contender | requests/s | ratio | p50 ms | p99 ms | CPU µs | peak MB |
|---|---|--:|--:|--:|--:|--:|--:|"""
_EXPLAINED = f"""\
Written by `make bench`. {{machine}}; {{versions}}. {{date}}.

Contenders, on the same Postgres with the same tasks, on loopback, with wrk as the client on the same processors:

- *{SERVICE}*: as it ships, in production mode, with tenant filter, row-level security,
  request ids, access log and rate limits.
- *{CONVENTIONAL}*: FastAPI and SQLModel as their tutorials have it, on uvicorn with its access log. Each request tries
  its connection and looks up its user, each write is committed and read again. It may open as many connections as there
  are requests at once, for with fewer it can stop for good; the others have pools of 10.
- *{FLOOR}*: Starlette with raw psycopg2 and one statement for each call, on the same uvicorn. No validation, no
  row isolation.
- *{BARE}*: FastAPI, one handler in a thread that does nothing. It shows what the machine is worth.

Each row is the median of rounds that alternate ({{rounds}}), after a second to warm up; a round with an answer
that is not a success, or without any, counts as failed and for nothing else. After each round that writes, what it made
is removed and the tables are vacuumed. The ratio is that of the requests/s of {SERVICE} to those of the contender. CPU
is user and system time of the server's processes for each request, peak their resident memory at the most, both without
Postgres. Postgres runs with fsync off: the disk is the same for all, and not what is compared.

Workloads:

{{workloads}}
"""


def markdown(report: Report) -> str:
    """Format the whole report."""
    workloads = "\n".join(f"- {name}: {description}." for name, description in report.workloads.items())
    explained = _EXPLAINED.format(
        machine=report.machine,
        versions=report.versions,
        date=report.date,
        rounds=report.rounds,
        workloads=workloads,
    )
    parts = ["# Results", summary(report), "## How", explained, "## Targets", _targets(judge(report.results))]
    for workers, connections in settings_of(report.results):
        parts += [f"## {_words(workers, connections)}", table(setting(report.results, workers, connections))]
    if report.trends:
        parts += ["## Trends of the inside", "\n".join(report.trends.lines())]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _words(workers: int, connections: int) -> str:
    return f"{workers} worker{'s' * (workers > 1)}, {connections} connection{'s' * (connections > 1)}"


def table(results: dict[tuple[str, str], Result]) -> str:
    """Format a row for each workload and contender of a setting."""
    rows = [_row(result, results.get((result.workload, SERVICE))) for result in results.values()]
    return "\n".join([_HEAD, *rows])


def _row(result: Result, service: Result | None) -> str:
    times = ratio(service.requests_per_second if service else None, result.requests_per_second)
    cells = (
        result.workload,
        result.contender + (f" ({result.failed_rounds} rounds failed)" if result.failed_rounds else ""),
        number(result.requests_per_second, 0),
        number(times, 2),
        number(result.p50_ms, 1),
        number(result.p99_ms, 1),
        number(result.cpu_microseconds, 0),
        number(result.peak_megabytes, 0),
    )
    return f"| {' | '.join(cells)} |"


def number(value: float | None, digits: int) -> str:
    """Format a number, or a dash if there is none."""
    return "-" if value is None else f"{value:,.{digits}f}"


def _targets(targets: list[Target]) -> str:
    rows = [
        f"| {target.name} | {'≤' if target.is_upper else '≥'} {number(target.bound, 2)} | "
        f"{number(target.measured, 2)} | {'met' if target.is_met else '**missed**'} |"
        for target in targets
    ]
    return "\n".join(["| ratio | asked for | measured | |", "|---|--:|--:|---|", *rows])


def summary(report: Report) -> str:
    """Format the summary with which the report begins."""
    return "\n".join(_summary(report))


def _summary(report: Report) -> Iterator[str]:
    results = main_setting(report.results)
    setting_words = _words(MAIN_WORKERS, MAIN_CONNECTIONS)
    yield f"{report.machine}, {report.date}; {setting_words}, everything on. The usual FastAPI and SQLModel layout and"
    yield "Starlette with bare psycopg2, in the same minutes on the same Postgres:"
    yield ""
    yield "| | requests/s | p99 ms | CPU µs | times usual layout | times bare psycopg2 |"
    yield "|---|--:|--:|--:|--:|--:|"
    for workload in report.workloads:
        service = results.get((workload, SERVICE))
        if service is None:
            continue
        times = [_times(results, workload, other) for other in (CONVENTIONAL, FLOOR)]
        numbers = (service.requests_per_second, service.p99_ms, service.cpu_microseconds)
        cells = [number(value, digits) for value, digits in zip(numbers, (0, 1, 0), strict=True)]
        yield f"| {' | '.join([workload, *cells, *times])} |"
    yield ""
    targets = judge(report.results)
    missed = sum(not target.is_met for target in targets)
    bare = results.get((GET, BARE))
    cost = number(bare.cpu_microseconds if bare else None, 0)
    yield f"FastAPI with a handler that does nothing costs {cost} µs here. {missed} of {len(targets)} targets are"
    yield "missed. How it was measured, which these are, and more, is below."


def _times(results: dict[tuple[str, str], Result], workload: str, other: str) -> str:
    mine, theirs = results[workload, SERVICE], results.get((workload, other))
    return number(ratio(mine.requests_per_second, theirs.requests_per_second if theirs else None), 1)
