"""Which days of a month are complete: the time sectors of FOCUS's recency metadata, from what is certified."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from dlt.destinations.sql_client import SqlClientBase

from emr_usage.build import MARTS_DATASET
from emr_usage.query import query_rows
from emr_usage.report import Month
from emr_usage.report.coverage import find_coverage

_WORKSPACES: Final = f"SELECT workspace_id, last_asked_at FROM {MARTS_DATASET}.workspaces"  # noqa: S608  # the dataset's name is ours
_CERTIFIED: Final = f"""
SELECT workspace_id, axis, certified_from, certified_until FROM {MARTS_DATASET}.certified_ranges
WHERE certified_from < %s AND certified_until > %s ORDER BY workspace_id, axis, certified_from
"""  # noqa: S608
_WINDOWS: Final = f"""
SELECT window_start, window_end FROM {MARTS_DATASET}.incomplete_windows
WHERE window_start IS NULL OR (window_start < %s AND window_end >= %s)
"""  # noqa: S608
_AWAITED: Final = f"""
SELECT is_final, ran_from, ran_until FROM {MARTS_DATASET}.job_runs_without_usage
WHERE billing_month = %s AND (NOT is_final OR is_awaited)
"""  # noqa: S608
_OPEN: Final = f"""
SELECT MIN(outcome_date) AS first_date FROM {MARTS_DATASET}.job_run_costs
WHERE NOT is_final AND outcome_date >= %s AND outcome_date < %s
"""  # noqa: S608
# The ends below belong to their ranges.
_MOMENT: Final = timedelta(microseconds=1)

Sector = tuple[datetime, datetime, bool]


def find_time_sectors(client: SqlClientBase[Any], month: Month, billing_time_zone: str) -> list[Sector]:
    """Return the begin and exclusive end of each billing day of a month, UTC, and whether the day is complete.

    A day is complete under the conditions that make a month final: it is certified for all workspaces, by submit time and by end
    time; no incomplete range touches it; no figure of a run that ran on it is pending; and no open run was last observed on it or
    earlier in the month. So all days are complete exactly when the month is final.

    Args:
        client: of the marts.
        month: the month.
        billing_time_zone: of its days.
    """
    first, after = month.bounds(billing_time_zone)
    workspaces = query_rows(client, _WORKSPACES)
    coverage = find_coverage(workspaces, query_rows(client, _CERTIFIED, after, first), first, after)
    missing = [gap for part in coverage for gap in part.gaps] if coverage else [(first, after)]
    missing += [
        # A range without bounds, such as a list of open runs, concerns the whole month.
        (window["window_start"], window["window_end"] + _MOMENT) if window["window_start"] else (first, after)
        for window in query_rows(client, _WINDOWS, after, first)
    ]
    missing += [
        (run["ran_from"], run["ran_until"] + _MOMENT if run["is_final"] else after)
        for run in query_rows(client, _AWAITED, month.first)
    ]
    ((last_seen,),) = (row.values() for row in query_rows(client, _OPEN, month.first, month.next.first))
    if last_seen:
        missing.append((_midnight(last_seen, billing_time_zone), after))
    sectors = []
    for day in month.days:
        begin, end = (_midnight(each, billing_time_zone) for each in (day, day + timedelta(days=1)))
        sectors.append((begin, end, not any(since < end and until > begin for since, until in missing)))
    return sectors


def _midnight(day: date, billing_time_zone: str) -> datetime:
    return datetime.combine(day, time.min, ZoneInfo(billing_time_zone))
