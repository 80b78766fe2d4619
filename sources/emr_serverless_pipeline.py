"""Loads the last week of job runs, and a month of history on request.

Run it in a project made with `dlt init emr_serverless duckdb`:

    python emr_serverless_pipeline.py                          # what is new; the first time the last week
    python emr_serverless_pipeline.py 2026-01-01 2026-02-01    # a month of history
"""

import sys
from datetime import UTC, datetime

import dlt

from emr_serverless import Backfill, Load, emr_serverless, prepare


def now() -> datetime:
    """Return the real time, UTC."""
    return datetime.now(UTC)


def utc(day: str) -> datetime:
    """Return a day's midnight, UTC."""
    return datetime.fromisoformat(day).replace(tzinfo=UTC)


def run(load: Load) -> None:
    """Run a load to its end, package by package."""
    pipeline = dlt.pipeline("emr_serverless", destination="duckdb", dataset_name="emr_raw")
    prepare(pipeline)
    with load:
        while load.unfinished:
            print(pipeline.run(emr_serverless(load, initial_days=7)))


def load_last_week() -> None:
    """Load what is new since the last run; the first time, the last seven days."""
    run(Load(now))


def backfill(first: str, after: str) -> None:
    """Load the runs submitted in [first, after), given as days."""
    run(Load(now, backfill=Backfill(utc(first), utc(after))))


if __name__ == "__main__":
    if len(sys.argv) == 1:
        load_last_week()
    else:
        backfill(*sys.argv[1:3])
