"""Counts what a contender has loaded, and prints it as JSON.

A process of its own: DuckDB's memory must not count in the process that starts the contenders, because a child's peak begins
at its parent's.

    python benchmarks/verify.py bench.duckdb this-source
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import duckdb

from history import ARGUMENTS, CONFIGURATIONS, TAGS

# A child table's name with the source and the floor, its name with rest_api, and its rows for each run.
CHILDREN: Final = (
    ("job_run_tags", "job_runs__tags", TAGS),
    ("job_run_configurations", "job_runs__configuration_overrides__configurations", CONFIGURATIONS),
    ("job_run_arguments", "job_runs__job_driver__spark_submit__entry_point_arguments", ARGUMENTS),
)
LOGS: Final = "job_run_logs"


def count(ask: Callable[[str], Sequence[Any]], contender: str) -> dict[str, int]:
    """Return runs, distinct runs, runs without an end, and the rows of each child table.

    Args:
        ask: returns the row that answers a query.
        contender: whose tables they are.
    """
    is_rest_api = contender.startswith("rest-api")
    key = "workspaceId, jobRunId" if contender == "floor" else "workspace_id, job_run_id"
    end = "endTime" if contender == "floor" else "end_time"
    runs = f"SELECT count(*), count(DISTINCT ({key})), count(*) - count({end}) FROM emr_raw.job_runs"  # noqa: S608  # ours
    counts = dict(zip(("runs", "distinct", "open"), ask(runs), strict=True))
    tables = {own: theirs if is_rest_api else own for own, theirs, _ in CHILDREN}
    if not is_rest_api:
        tables[LOGS] = LOGS
    for name, table in tables.items():
        (counts[name],) = ask(f"SELECT count(*) FROM emr_raw.{table}")  # noqa: S608  # ours
    return counts


def expect(contender: str, runs: int, open_runs: int | None) -> dict[str, int]:
    """Return what `count` must be for so many runs."""
    expected = {"runs": runs, "distinct": runs} | {name: runs * each for name, _, each in CHILDREN}
    if open_runs is not None:
        expected["open"] = open_runs
    if not contender.startswith("rest-api"):
        expected[LOGS] = runs
    return expected


def main() -> None:
    """Count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("database", type=Path)
    parser.add_argument("contender")
    given = parser.parse_args()
    with duckdb.connect(str(given.database)) as connection:
        print(json.dumps(count(lambda query: connection.execute(query).fetchall()[0], given.contender)))


if __name__ == "__main__":
    main()
