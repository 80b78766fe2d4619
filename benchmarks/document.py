"""Writes the results as Markdown: the tables that are printed, and the page of the documents around them."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

from account_requests import render_requests
from results import Results, Row

CAUTION: Final = "\n\n**This is a part, or a small run: figures to look at, not to quote.**"
PAGE: Final = """\
# Benchmarks

<!-- Written by `make bench`'s own program; change benchmarks/document.py, not this file. -->

    make bench

One command, everything measured in the same run, in about fifteen minutes. `.venv/bin/python benchmarks/compare.py -h` tells how
to measure a part, or everything small in less than a minute, or how to write this page.{caution}

## Machine

{machine}

{tables}

## How it is measured

- Every contender is a fresh Python process that loads into a new DuckDB file on local disk. Wall time, CPU time and peak
  memory are the system's own account of that process and its children (`wait4`): starting Python and its imports are included.
- The pages come from a process of its own over loopback, from rows encoded beforehand; a page is a join of slices. "server
  busy" is the server's CPU time over the wall time: far below 1 it is not the server that is measured. It shares the machine.
- The history is generated and always the same: three workspaces that hold five, three and two of every ten runs, 30 days, for
  each run 3 tags, 2 configuration items, 4 arguments and its logs; about 1.8 KB of JSON for each run. One run in seven has a
  field that is not documented, except where the table says so.
- The memory is that of the contender and of all processes that it starts, what they share counted once
  (sampled four times a second).
- This source, the floor and, where answers take no time, `rest_api` with Parquet are measured in turn, {repeats} each; times are
  medians (smallest - largest), peaks the largest. The others are measured once: their distance is larger than the noise.
- After each load the number of runs, of distinct runs and of rows in every child table is compared with what was served; a
  contender that loads anything else ends the benchmark. That holds for the floor too.
- rows/s are job runs over wall time; their children and the audit are not counted, but loaded. MB are millions of bytes.

## What to know before quoting them

- **Compare rows/s with the other rows of the same run**, not with those of another machine.
- **DuckDB uses the memory it is given**, which decides the peaks of the large history and of the night onto it.
- **The floor promises nothing.** Threads, httpx, orjson, Arrow and a plain insert, with this source's windows, columns and
  child tables; it does not sign, redact, certify, deduplicate, merge or remember. Its distance to this source is what those cost.
- **This source signs every request; the others do not.** `rest_api` would need a signature of its own for the real API.
- `rest_api` here reads the history once, without an incremental cursor, and with the keys and disposition of its documents. It
  follows `nextToken` and so has one request in flight. With its defaults it gets fewer runs, because of the memory it takes; at
  100 ms also with Parquet files, because the time is then a matter of pages alone.
- **The history is kinder than life.** No run was submitted before the 30 days, so nearly every window of the end axis is
  certified by the count of one page of 20 rows. Where many runs outlive a day's bound or began before the first load,
  these windows are read in full: up to twice the pages.
- Requests are counted against the emulator, which knows every filter. Before small workspaces were read by a census and
  ranges were cut by their counts, a workspace took 198 for the first load and 18 for a night (docs/decisions/0015).
- No request fails, is throttled or is slow by chance.
- The night consists of {night_runs:,} changed runs, of which three in ten were open and have ended. It is loaded onto two
  histories, one a tenth of the other: what a night takes should not depend on what is loaded already.
- Extraction rates are runs over the time between a load's first request and its last answer, seen by the server.
- A shared or virtual machine makes times vary by some ten percent, CPU time included; compare figures of one run only.
"""


def render_tables(results: Results, this_source: str, floor: str, rival: str, *, with_targets: bool) -> str:
    """Return every table that was measured; the targets are for the full size."""
    parts: list[str] = []
    if results.contenders:
        parts += ["## Contenders", _contenders(results, floor)]
    if results.connections:
        parts += ["## Connections, at 100 ms for each answer", _connections(results.connections)]
    if results.nightly:
        parts += ["## A large history, and a night onto it", _nightly(results.nightly)]
    if results.requests:
        parts += ["## Requests of an account of many small workspaces", render_requests(results.requests)]
    targets = results.targets(this_source, floor, rival)
    if targets and with_targets:
        lines = [(target.what, target.bound, target.measured, "yes" if target.is_met else "**no**") for target in targets]
        parts += ["## Targets, set by the design beforehand", render_table(("", "target", "measured", "met"), lines)]
    return "\n\n".join(parts)


def render_page(tables: str, load_average: float, repeats: int, night_runs: int, *, is_whole: bool) -> str:
    """Return the whole page of the documents."""
    times = f"{repeats} times" if repeats > 1 else "once"
    return PAGE.format(
        caution="" if is_whole else CAUTION,
        machine=describe_machine(load_average),
        tables=tables,
        repeats=times,
        night_runs=night_runs,
    )


def _contenders(results: Results, floor: str) -> str:
    head = ("contender", "fields", "latency", "runs", "wall s", "rows/s", "CPU s", "peak MB", "of the floor", "server busy")
    lines = []
    for row in results.contenders:
        reference = results.same_work(row, floor)
        ratio = f"{row.rows_per_second / reference.rows_per_second:.2f}" if reference else ""
        cells = (f"{row.rows_per_second:,.0f}", f"{row.cpu_seconds:.1f}", f"{row.peak_mb:,.0f}", ratio, f"{row.server_busy:.2f}")
        fields = "documented" if row.is_documented else "and unknown"
        lines.append((row.label, fields, f"{row.latency_ms} ms", f"{row.runs:,}", _wall(row), *cells))
    return render_table(head, lines)


def _connections(rows: Sequence[Row]) -> str:
    head = ("this source with", "runs", "requests", "wall s", "extracting s", "extracted rows/s", "times the serial rate")
    serial = rows[-1].extracted_per_second
    lines = [
        (
            row.label,
            f"{row.runs:,}",
            f"{row.trials[0].requests:,}",
            _wall(row),
            f"{row.runs / row.extracted_per_second:.1f}",
            f"{row.extracted_per_second:,.0f}",
            f"{row.extracted_per_second / serial:.1f}",
        )
        for row in rows
    ]
    return render_table(head, lines)


def _nightly(rows: Sequence[Row]) -> str:
    head = ("this source loads", "runs", "wall s", "from the first request s", "rows/s", "CPU s", "peak MB")
    lines = [
        (
            row.label,
            f"{row.runs:,}",
            _wall(row),
            f"{row.work_seconds:.1f}",
            f"{row.rows_per_second:,.0f}",
            f"{row.cpu_seconds:.1f}",
            f"{row.peak_mb:,.0f}",
        )
        for row in rows
    ]
    return render_table(head, lines)


def _wall(row: Row) -> str:
    walls = sorted(trial.wall_seconds for trial in row.trials)
    return f"{row.wall_seconds:.1f}" + (f" ({walls[0]:.1f} - {walls[-1]:.1f})" if len(walls) > 1 else "")


def render_table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table whose first column is text, the others numbers."""
    widths = [max(map(len, column)) for column in zip(head, *lines, strict=True)]
    texts = [
        [
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        for line in (head, *lines)
    ]
    rule = ["-" * width if place == 0 else "-" * (width - 1) + ":" for place, width in enumerate(widths)]
    return "\n".join(f"| {' | '.join(line)} |" for line in (texts[0], rule, *texts[1:]))


def replace_part(text: str, name: str, part: str) -> str:
    """Return a document in which what is between the two comments with a name is replaced.

    Raises:
        ValueError: it has no such comments.
    """
    before, begin, rest = text.partition(f"<!-- {name}: begin -->\n")
    _, end, after = rest.partition(f"<!-- {name}: end -->")
    if not begin or not end:
        raise ValueError(f"the document has no part {name}")
    return f"{before}{begin}\n{part}\n\n{end}{after}"


def describe_machine(load_average: float) -> str:
    """Return the machine, the versions and the date, as a Markdown list."""
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    packages = ", ".join(f"{name} {version(name)}" for name in ("dlt", "duckdb", "pyarrow", "httpx", "orjson"))
    return "\n".join(
        (
            f"- {_cpu_model()}, {os.cpu_count()} cores, {memory_gb:.0f} GB of memory, {platform.system()} {platform.release()}",
            f"- Python {platform.python_version()}, {packages}",
            f"- {datetime.now(UTC):%Y-%m-%d}; load average before the first load: {load_average:.1f}",
        )
    )


def _cpu_model() -> str:
    if sys.platform == "darwin":
        command = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
