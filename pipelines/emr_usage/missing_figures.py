"""Final runs without CU-hours, long after their end: their usage is in no sum."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import dlt
from dlt.destinations.sql_client import SqlClientBase

from emr_serverless import SETTLE_DAYS, STATE_SECTION

# An open run has no end time.
MISSING_SQL = """
SELECT count(*), coalesce(sum(CASE WHEN state = 'Cancelled' THEN 1 ELSE 0 END), 0)
FROM job_runs WHERE cu_hours IS NULL AND end_time < %s
"""


@dataclass(frozen=True)
class MissingFigures:
    """How many runs still have no figures, long after their end.

    Attributes:
        runs: number of runs.
        cancelled: how many of them were cancelled; one that never started has no figures and used nothing.
        days: how long after its end a run is requested again, the setting `settle_days`.
    """

    runs: int
    cancelled: int
    days: float

    def __str__(self) -> str:
        cancelled = f", {self.cancelled:,} of them cancelled" if self.cancelled else ""
        return f"{self.runs:,} runs{cancelled} ended more than {self.days:g} days ago and have no CU-hours; they are in no cost."


def settle_days(pipeline: dlt.Pipeline) -> float:
    """Return the setting of the last load."""
    source_state = pipeline.state.get("sources", {}).get(pipeline.default_schema_name or "", {})
    return float(source_state.get(STATE_SECTION, {}).get("settle_days", SETTLE_DAYS))


def count_missing_figures(client: SqlClientBase[Any], now: datetime, days: float) -> MissingFigures:
    """Count the runs without figures in the table `job_runs`.

    Args:
        client: of the raw dataset.
        now: UTC.
        days: how long after its end a run is requested again.
    """
    ((runs, cancelled),) = client.execute_sql(MISSING_SQL, now - timedelta(days=days)) or [(0, 0)]
    return MissingFigures(int(runs), int(cancelled), days)
