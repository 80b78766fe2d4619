"""Compares this source with its rivals and with the floor, all measured in the same run; prints Markdown tables.

    python benchmarks/compare.py                              everything, about fifteen minutes on two quiet cores
    python benchmarks/compare.py --quick                      everything small, less than a minute
    python benchmarks/compare.py --only floor --only this-source
    python benchmarks/compare.py --write docs/benchmarks.md   the page of the documents too

The large history takes about 2.5 GB of memory in the server's process.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from account_requests import ACCOUNTS, count_requests
from document import render_page, render_tables
from history import QUIET_DAYS, History
from measure import Contender, PageServer, Trial, check_database, run_contender
from results import Results, Row
from verify import expect

FLOOR: Final = Contender("floor", "floor", "floor.py")
THIS: Final = Contender("this-source", "this source", "this_source.py")
DEFAULTS: Final = Contender("rest-api-defaults", "rest_api, defaults", "rest_api.py", "defaults")
PARQUET: Final = Contender("rest-api-parquet", "rest_api, parquet", "rest_api.py", "parquet")
CONTENDERS: Final = (DEFAULTS, PARQUET, FLOOR, THIS)
CONNECTIONS, NIGHTLY, REQUESTS = "connections", "nightly", "requests"
SLOW_MS: Final = 100
MANY_CONNECTIONS: Final = 16


@dataclass(frozen=True)
class Scale:
    """How much is measured.

    Attributes:
        runs: of the history that most load.
        defaults_runs: of what rest_api gets with its defaults.
        serial_runs: of what rest_api gets where every page takes its time.
        large_runs: of the history that the night is loaded onto.
        night_runs: that change in the night.
        days: over which the runs were submitted.
        repeats: of the night, of the floor and of this source, and of rest_api with Parquet where answers take no time.
    """

    runs: int = 100_000
    defaults_runs: int = 10_000
    serial_runs: int = 20_000
    large_runs: int = 1_000_000
    night_runs: int = 10_000
    days: int = 30
    repeats: int = 3


QUICK: Final = Scale(5_000, 500, 1_000, 20_000, 500, days=3, repeats=1)


class Suite:
    """One run of the benchmarks, in a folder that is thrown away."""

    def __init__(self, scale: Scale, folder: Path, stack: ExitStack) -> None:
        self._scale = scale
        self._folder = folder
        self._stack = stack
        self._servers: dict[tuple[int, bool], PageServer] = {}

    def compare_contenders(self, chosen: frozenset[str]) -> list[Row]:
        """Measure the chosen contenders on each history, those whose ratios are targets in turn."""
        rows = []
        for latency_ms, is_documented in ((0, False), (0, True), (SLOW_MS, False)):
            compared = (PARQUET, FLOOR, THIS) if is_documented else CONTENDERS
            trials: dict[Contender, list[Trial]] = {contender: [] for contender in compared if contender.name in chosen}
            for repeat in range(self._scale.repeats):
                for contender, taken in trials.items():
                    if not repeat or contender in (FLOOR, THIS) or (contender is PARQUET and not latency_ms):
                        runs = self._runs(contender, latency_ms)
                        taken.append(self._load(contender, runs, latency_ms, is_documented=is_documented))
            rows += [
                Row(contender.label, latency_ms, self._runs(contender, latency_ms), taken, is_documented)
                for contender, taken in trials.items()
            ]
        return rows

    def compare_connections(self) -> list[Row]:
        """Measure this source with many connections and with one, where every answer takes its time."""
        runs = self._scale.runs
        many = [self._load(THIS, runs, SLOW_MS, MANY_CONNECTIONS) for _ in range(self._scale.repeats)]
        one = [self._load(THIS, runs, SLOW_MS, 1)]
        return [Row(f"{MANY_CONNECTIONS} connections", SLOW_MS, runs, many), Row("1 connection", SLOW_MS, runs, one)]

    def load_nightly(self) -> list[Row]:
        """Measure the load of the large history, and of the same night onto it and onto a history of a tenth."""
        scale = self._scale
        rows = []
        for number, runs in enumerate((scale.large_runs, scale.large_runs // 10)):
            history = History(runs, scale.days, scale.night_runs)
            server = self._stack.enter_context(PageServer(history))
            base = self._folder / f"base-{number}"
            base.mkdir()
            first = self._measure(THIS, server, base, expect(THIS.name, history.total, history.carried))
            server.pass_night()
            nights = [self._load_night(server, base, history.total) for _ in range(scale.repeats)]
            rows += [
                Row(f"a history of {runs:,}", 0, runs, [first]),
                Row(f"the night, onto {runs:,}", 0, scale.night_runs, nights),
            ]
        return rows

    def _load_night(self, server: PageServer, base: Path, runs: int) -> Trial:
        folder = self._folder / "night"
        shutil.copytree(base, folder)
        trial = self._measure(THIS, server, folder, expect(THIS.name, runs, 0))
        shutil.rmtree(folder)
        return trial

    def _runs(self, contender: Contender, latency_ms: int) -> int:
        if contender is DEFAULTS:
            return self._scale.defaults_runs
        return self._scale.serial_runs if contender is PARQUET and latency_ms else self._scale.runs

    def _load(
        self, contender: Contender, runs: int, latency_ms: int, connections: int | None = None, *, is_documented: bool = False
    ) -> Trial:
        """Load a whole history into a new database."""
        served = (runs, is_documented)
        if served not in self._servers:
            history = History(runs, self._scale.days, is_documented=is_documented)
            self._servers[served] = self._stack.enter_context(PageServer(history))
        server = self._servers[served]
        server.control(latency_ms=latency_ms)
        folder = self._folder / "load"
        folder.mkdir()
        trial = self._measure(contender, server, folder, expect(contender.name, runs, None), connections)
        shutil.rmtree(folder)
        return trial

    def _measure(
        self, contender: Contender, server: PageServer, folder: Path, expected: dict[str, int], connections: int | None = None
    ) -> Trial:
        days = server.history.days + (QUIET_DAYS if server.history.night_runs else 0)
        trial = run_contender(contender, server, folder, days, connections)
        check_database(contender, folder, expected)
        told = f"{trial.wall_seconds:.1f} s, {trial.cpu_seconds:.1f} s CPU, {trial.peak_mb:,.0f} MB, {trial.requests:,} requests"
        print(f"{contender.label}, {expected['runs']:,} runs: {told}", file=sys.stderr, flush=True)
        return trial


def measure(scale: Scale, chosen: frozenset[str]) -> Results:
    """Measure the chosen parts."""
    results = Results()
    with TemporaryDirectory(prefix="emr-usage-bench-") as folder, ExitStack() as stack:
        suite = Suite(scale, Path(folder), stack)
        results.contenders = suite.compare_contenders(chosen)
        if CONNECTIONS in chosen:
            results.connections = suite.compare_connections()
    if NIGHTLY in chosen:
        with TemporaryDirectory(prefix="emr-usage-bench-") as folder, ExitStack() as stack:
            results.nightly = Suite(scale, Path(folder), stack).load_nightly()
    if REQUESTS in chosen:
        results.requests = [count_requests(account) for account in ACCOUNTS]
    return results


def main() -> None:
    """Measure, print, and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = (*(contender.name for contender in CONTENDERS), CONNECTIONS, NIGHTLY, REQUESTS)
    parser.add_argument("--quick", action="store_true", help="everything small: figures to look at, not to quote")
    parser.add_argument("--only", action="append", choices=parts, help="leave the others out; may be repeated")
    parser.add_argument("--write", type=Path, metavar="FILE", help="also write the page of the documents")
    given = parser.parse_args()
    # A plain kill must not leave the servers behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("killed"))
    is_whole = not (given.quick or given.only)
    scale = QUICK if given.quick else Scale()
    load_average = os.getloadavg()[0]
    print(f"Load average before: {load_average:.1f} on {os.cpu_count()} cores", file=sys.stderr)
    tables = render_tables(
        measure(scale, frozenset(given.only or parts)), THIS.label, FLOOR.label, PARQUET.label, with_targets=not given.quick
    )
    print(tables)
    if given.write:
        given.write.write_text(
            render_page(tables, load_average, scale.repeats, scale.night_runs, is_whole=is_whole), encoding="utf-8"
        )


if __name__ == "__main__":
    main()
