"""How time, memory and disk grow with the number of runs: the commands of a first night and of a second one, in two databases.

    python benchmarks/scaling.py                             10 thousand, 100 thousand, 1 and 5 million runs; hours
    python benchmarks/scaling.py --runs 10000                one size, a minute
    python benchmarks/scaling.py --runs 1000000 --destination duckdb --write docs/scaling.md

What was measured is kept in scaling.json, and the tables show all of it. Five million runs take 11 GB of memory in the
process that serves them.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import psycopg2

from document import describe_machine, replace_part
from history import DAY_MS, QUIET_DAYS, REGION, History
from measure import HERE, PageServer
from scaling_tables import DESTINATIONS, SIZES, STAGES, Stage, render_stages
from usage import Usage, folder_bytes, run_measured
from verify import count, expect

sys.path.append(str(HERE.parent / "tests"))

RESULTS: Final = HERE / "scaling.json"
DAYS: Final = 30
# Of so many runs one is a stream, which was submitted up to a month ago and ends in the night.
STREAM_OF: Final = 10_000
DATABASE: Final = "emr.duckdb"
CREDENTIALS: Final = "DESTINATION__POSTGRES__CREDENTIALS"
INPUTS: Final = {
    "rates.csv": "region_id,workspace_id,resource_queue_id,currency,price_per_cu_hour,price_kind,valid_from,valid_to,source\n"
    f"{REGION},,,USD,0.050302,list,2025-01-01,,list price\n",
    "owners.csv": "owner,tag_key,tag_value,creator,resource_queue_id,workspace_id,job_name,valid_from,valid_to\n"
    "data/platform,team,data-platform,,,,,,\n"
    "growth,team,growth,,,,,,\n"
    "risk,team,risk,,,,,,\n"
    "finance,,,,,,*_ledger_*,,\n",
}


class Warehouse:
    """A database of one kind, in a folder: runs the commands on it, and counts what they have loaded."""

    def __init__(self, destination: str, folder: Path, stack: ExitStack) -> None:
        self._folder = folder
        self._options = ["--destination", destination]
        # The server does not check them.
        self._variables = dict.fromkeys(("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET"), "benchmark")
        self._servers: list[int] = []
        self._watched = [folder]
        self._ask: Callable[[str], Sequence[Any]] | None = None
        if destination == "postgres":
            from postgres import postgres_server  # noqa: PLC0415  # of the tests

            server = stack.enter_context(postgres_server())
            address = server.new_database("scaling")
            self._variables[CREDENTIALS] = address
            self._servers = [int((server.data / "postmaster.pid").read_text().split()[0])]
            self._watched.append(server.data)
            connection = stack.enter_context(closing(psycopg2.connect(address)))
            connection.autocommit = True
            self._ask = lambda query: _answer(connection, query)
        (folder / "inputs").mkdir()
        for name, text in INPUTS.items():
            (folder / "inputs" / name).write_text(text)

    def run(self, label: str, command: str, *options: str) -> Usage:
        """Run a command of `emr-usage`."""
        program = Path(sys.executable).with_name("emr-usage")
        return run_measured(
            label,
            [str(program), command, *self._options, *options],
            self._folder,
            variables=self._variables,
            servers=self._servers,
            watched=self._watched,
        )

    def check(self, label: str, expected: dict[str, int]) -> None:
        """Compare the rows of every table with what was served.

        Raises:
            SystemExit: there are more or fewer.
        """
        if self._ask:
            counts = count(self._ask, "this-source")
        else:
            command = [sys.executable, str(HERE / "verify.py"), str(self._folder / DATABASE), "this-source"]
            counts = json.loads(run_measured(label, command, self._folder).output)
        if counts != expected:
            raise SystemExit(f"{label} loaded something else: {counts}, expected {expected}")

    def database_mb(self) -> float:
        """Return the size of the database, without logs and working files; millions of bytes."""
        if self._ask:
            return float(self._ask("SELECT pg_database_size(current_database())")[0]) / 1e6
        return (self._folder / DATABASE).stat().st_size / 1e6

    def disk_mb(self) -> float:
        """Return the size of everything: database, logs and working files; millions of bytes."""
        return sum(map(folder_bytes, self._watched)) / 1e6


def _answer(connection: Any, query: str) -> Sequence[Any]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        row: Sequence[Any] = cursor.fetchone()
        return row


def measure(destination: str, runs: int) -> list[Stage]:
    """Run all stages: the first load and build, a night's, and the report. The night is a day's share of the runs."""
    # The night passed an hour ago: an open run is charged until it was observed, which is now.
    start_ms = int(time.time() * 1000) - 3_600_000 - (DAYS + QUIET_DAYS + 1) * DAY_MS
    history = History(runs, DAYS, runs // DAYS, carried=runs // STREAM_OF, start_ms=start_ms)
    stages: list[Stage] = []
    with TemporaryDirectory(prefix="emr-usage-scaling-") as name, ExitStack() as stack:
        warehouse = Warehouse(destination, Path(name), stack)
        before_mb = warehouse.disk_mb()

        def stage(title: str, command: str, *options: str, server: PageServer | None = None) -> None:
            label = f"{runs:,} runs, {destination}, {title}"
            usage = warehouse.run(label, command, *options)
            requests: int = server.control()["requests"] if server else 0
            done = Stage(
                *(destination, runs, title, round(usage.wall_seconds, 1), round(usage.peak_mb), round(usage.disk_mb - before_mb)),
                *(round(warehouse.database_mb()), requests),
            )
            stages.append(done)
            told = f"{done.seconds:,.1f} s, memory {done.memory_mb:,.0f} MB, disk {done.disk_mb:,.0f} MB"
            print(f"{datetime.now(UTC):%H:%M:%S} {label}: {told}", file=sys.stderr, flush=True)

        def load(title: str, open_runs: int) -> None:
            as_of = datetime.fromtimestamp(history.now_ms / 1000, UTC).isoformat()
            reach = ("--as-of", as_of, "--initial-days", str(DAYS + QUIET_DAYS))
            # The rows that it serves take memory, which a build needs.
            with PageServer(history) as server:
                stage(title, "load", "--region", REGION, "--endpoint", server.endpoint, *reach, server=server)
            warehouse.check(title, expect("this-source", history.total, open_runs))

        load(STAGES[0], history.carried)
        stage(STAGES[1], "build")
        history.is_night = True
        load(STAGES[2], 0)
        stage(STAGES[3], "build")
        month = datetime.fromtimestamp(start_ms / 1000 + DAYS * 43_200, UTC)
        stage(STAGES[4], "report", "--month", f"{month:%Y-%m}")
    return stages


def keep(measured: list[Stage]) -> list[Stage]:
    """Replace in the file what has been measured again, and return all that is in it."""
    known = [Stage(**each) for each in json.loads(RESULTS.read_text())] if RESULTS.exists() else []
    again = {(each.destination, each.runs) for each in measured}
    stages = [each for each in known if (each.destination, each.runs) not in again] + measured
    stages.sort(key=lambda each: (DESTINATIONS.index(each.destination), each.runs, STAGES.index(each.title)))
    RESULTS.write_text("[\n" + ",\n".join(json.dumps(vars(each)) for each in stages) + "\n]\n")
    return stages


def main() -> None:
    """Measure each size in each database; print the tables, and write them into a document where asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, action="append", help="of the history; may be repeated")
    parser.add_argument("--destination", choices=DESTINATIONS, action="append", help="may be repeated; otherwise both")
    parser.add_argument("--write", type=Path, metavar="FILE", help="also write the tables into this document")
    given = parser.parse_args()
    # A plain kill must not leave the servers behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("killed"))
    load_average = os.getloadavg()[0]
    for runs in sorted(given.runs or SIZES):
        for destination in given.destination or DESTINATIONS:
            stages = keep(measure(destination, runs))
            tables = f"{describe_machine(load_average)}\n\n{render_stages(stages)}"
            if given.write:
                given.write.write_text(replace_part(given.write.read_text(encoding="utf-8"), "stages", tables), encoding="utf-8")
    print(tables)


if __name__ == "__main__":
    main()
