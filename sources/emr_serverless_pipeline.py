"""Loads the last week of job runs, and a month of history on request.

Run it in a project made with `dlt init emr_serverless duckdb`:

    python emr_serverless_pipeline.py                          # what is new; the first time the last week
    python emr_serverless_pipeline.py 2026-01-01 2026-02-01    # a month of history
"""

import sys
from datetime import UTC, datetime

import dlt

from emr_serverless import Backfill, emr_serverless, run


def utc(day: str) -> datetime:
    """Return a day's midnight, UTC."""
    return datetime.fromisoformat(day).replace(tzinfo=UTC)


def load(backfill: Backfill | None = None) -> None:
    """Load what is new since the last run, the first time the last seven days; or a backfill."""
    pipeline = dlt.pipeline("emr_serverless", destination="duckdb", dataset_name="emr_raw")
    done = run(pipeline, emr_serverless(initial_days=7, backfill=backfill))
    print(f"{done.stats.rows:,} runs loaded")
    for result in done.stats.incomplete:
        print(f"Incomplete: {result}")


if __name__ == "__main__":
    if len(sys.argv) == 1:
        load()
    else:
        first, after = sys.argv[1:3]
        load(Backfill(utc(first), utc(after)))
