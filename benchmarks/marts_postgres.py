"""How long the marts take in PostgreSQL, compared with DuckDB in the same run: a first build, and one in which nothing changed.

python benchmarks/marts_postgres.py            200,000 runs, a server of its own, about two minutes
python benchmarks/marts_postgres.py 1000000
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import duckdb
import psycopg2

from emr_usage.build import BuildResult, build
from emr_usage.defaults import set_environment_defaults
from emr_usage.target import Target
from marts import HISTORY, write

sys.path.append(str(Path(__file__).parents[1] / "tests"))

RUNS: Final = 200_000
# Trials of each build, in turns; the fastest counts, because other programs only slow a build down.
TRIALS: Final = 3
CREDENTIALS: Final = "DESTINATION__POSTGRES__CREDENTIALS"
TYPES: Final = {"VARCHAR": "text", "DOUBLE": "numeric(18, 6)", "TIMESTAMP WITH TIME ZONE": "timestamptz"}


def copy_tables(database: Path, address: str) -> None:
    """Copy the raw tables of a DuckDB file into an empty PostgreSQL database."""
    file = database.with_suffix(".csv")
    with duckdb.connect(str(database)) as source, closing(psycopg2.connect(address)) as target, target, target.cursor() as cursor:
        source.execute("SET enable_progress_bar = false")
        cursor.execute("CREATE SCHEMA emr_raw")
        for (table,) in source.execute("SELECT table_name FROM duckdb_tables()").fetchall():
            columns = source.execute(
                "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = ?", [table]
            ).fetchall()
            typed = ", ".join(f"{name} {TYPES.get(kind, kind)}" for name, kind in columns)
            cursor.execute(f"CREATE TABLE emr_raw.{table} ({typed})")
            source.execute(f"COPY emr_raw.{table} TO '{file}' (HEADER false, NULLSTR '\\N')")
            with file.open() as rows:
                cursor.copy_expert(f"COPY emr_raw.{table} FROM STDIN (FORMAT csv, NULL '\\N')", rows)


def build_marts(destination: str, database: Path) -> BuildResult:
    """Build the marts of a destination."""
    set_environment_defaults()
    return build(Target(destination, database))


def in_process(action: Callable[..., Any], *arguments: Any) -> tuple[Any, float]:
    """Run a function in a process of its own; return its result and the seconds of the whole process."""
    began = time.perf_counter()
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        result = process.submit(action, *arguments).result()
    return result, time.perf_counter() - began


def main() -> None:
    """Measure both in turns, and print a table."""
    from postgres import postgres_server  # noqa: PLC0415  # of the tests

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="?", type=int, default=RUNS)
    runs: int = parser.parse_args().runs
    seconds: dict[tuple[str, str], list[float]] = {}
    with TemporaryDirectory() as folder, postgres_server() as server:
        os.chdir(folder)
        for trial in range(TRIALS):
            database = Path(folder, f"trial-{trial}.duckdb")
            os.environ[CREDENTIALS] = server.new_database("marts")
            in_process(write, database, HISTORY, runs)
            copy_tables(database, os.environ[CREDENTIALS])
            for step in ("first build", "nothing changed"):
                for destination in ("duckdb", "postgres"):
                    seconds.setdefault((step, destination), []).append(in_process(build_marts, destination, database)[1])
    print(f"| {runs:,} runs | DuckDB s | PostgreSQL s | ratio |", "|---|--:|--:|--:|", sep="\n")
    for step in ("first build", "nothing changed"):
        duck, postgres = (min(seconds[step, name]) for name in ("duckdb", "postgres"))
        print(f"| {step} | {duck:.1f} | {postgres:.1f} | {postgres / duck:.1f} |")


if __name__ == "__main__":
    main()
