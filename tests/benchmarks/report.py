"""The report of a run as Markdown: pure functions of its numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tests.benchmarks.results import Report, Result
from tests.benchmarks.targets import JUDGED, Target, judge
from tests.benchmarks.workloads import BEFORE, CONVENTIONAL, FASTIFY, SERVICE

_COLUMNS = {
    "requests_per_second": ("requests/s", 0),
    "p50_ms": ("p50 ms", 1),
    "p99_ms": ("p99 ms", 1),
    "server_cpu_us": ("server CPU µs", 0),
    "postgres_cpu_us": ("Postgres CPU µs", 0),
    "whole_cpu_us": ("CPU µs", 0),
}
_HOW = f"""\
Written by `make bench`. {{machine}}; {{versions}}. {{date}}.

- *{SERVICE}*: as it ships, in production mode, with row-level security, request ids, access log and rate limits.
- *{CONVENTIONAL}*: FastAPI and SQLModel as their tutorials have it, on uvicorn with its access log. Each request tries
  its connection and looks up its user, each write is committed and read again. It may open as many connections as there
  are requests at once, for with fewer it can stop for good; the others have pools of 10.
- *{FASTIFY}*: Fastify with postgres.js, which prepares its statements, and with its access log. A change is a single
  statement. It has no row-level security, keys or limits.
- *{BEFORE}*: this service from another checkout, where it was compared.

Postgres runs as a default server does: it waits for the disk at each commit, with group commit. Only autovacuum is off,
and after each round that writes, what it made is removed and the tables are vacuumed. Clients are 16 connections
of wrk, on loopback and the same processors. Each row is the median of {{rounds}} that alternate, after a warm-up. A
round with an answer that is not a success, or without any, counts as failed and for nothing else. CPU time is user and
system time for each request: of the server's processes, of Postgres, and of both. Each worker is a process.

{{workloads}}
"""


def markdown(report: Report) -> str:
    """Format the whole report."""
    workloads = "\n".join(f"- {name}: {description}." for name, description in report.workloads.items())
    known = {name: getattr(report, name) for name in ("machine", "versions", "date", "rounds")}
    parts = ["# Results", summary(report), "## How", _HOW.format(workloads=workloads, **known)]
    parts += ["## Targets", _table(["setting", "ratio", "aim", "measured", ""], map(_target_cells, judge(report)))]
    head = ["workload", "contender", *(words for words, _ in _COLUMNS.values())]
    for setting in dict.fromkeys(result.setting for result in report.results):
        parts += [f"## {setting}", _table(head, (_cells(each) for each in report.results if each.setting == setting))]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _table(head: list[str], rows: Iterable[list[str]], texts: int = 2) -> str:
    dashes = ["---"] * texts + ["--:"] * (len(head) - texts)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, dashes, *rows))


def _cells(result: Result) -> list[str]:
    failed = f" ({result.failed_rounds} rounds failed)" if result.failed_rounds else ""
    numbers = [_number(getattr(result, name), digits) for name, (_, digits) in _COLUMNS.items()]
    return [result.workload, result.contender + failed, *numbers]


def _target_cells(target: Target) -> list[str]:
    ratio = f"{target.workload}: {_COLUMNS[target.number][0]} by that of {target.other}"
    verdict = "met" if target.is_met else "**missed**"
    return [target.setting, ratio, f"{target.sign} {target.bound:.2f}", _number(target.measured, 2), verdict]


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:,.{digits}f}"


def summary(report: Report) -> str:
    """Format the summary with which the report begins."""
    setting, targets = JUDGED[0], judge(report)
    met = sum(target.is_met for target in targets)
    times = [f"times {CONVENTIONAL}", f"times {FASTIFY}"]
    return f"""\
{report.remark}

{report.machine}, {report.date}. {setting}, which waits for the disk; one worker, 16 connections:

{_table(["", "requests/s", *times, "CPU µs", *times], _summed(report, setting), 1)}

CPU is that of the server and of Postgres, for each request. Of {len(targets)} targets, {met} are met and
{len(targets) - met} are missed."""


def _summed(report: Report, setting: str) -> Iterator[list[str]]:
    for mine in report.results:
        if (mine.setting, mine.contender) == (setting, SERVICE):
            cells = [mine.workload]
            for name in ("requests_per_second", "whole_cpu_us"):
                where = (setting, mine.workload)
                ratios = (report.ratio(name, where, SERVICE, other) for other in (CONVENTIONAL, FASTIFY))
                cells += [_number(getattr(mine, name), 0), *(_number(each, 2) for each in ratios)]
            yield cells
