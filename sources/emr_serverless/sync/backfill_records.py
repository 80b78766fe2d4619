"""What backfills with pipelines of their own have left in the destination for other loads, which do not see their state."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from ..resources.job_runs import JOB_RUNS
from ..settings import SETTLE_DAYS
from .options import Backfill, epoch_ms

# Packages of backfills that were committed since a time, or that were not yet reported as committed.
PACKAGES_SQL: Final = """
SELECT DISTINCT windows.workspace_id, windows._dlt_load_id
FROM {extraction_windows} AS windows LEFT JOIN {_dlt_loads} AS loads ON loads.load_id = windows._dlt_load_id
WHERE windows.mode = 'backfill' AND (loads.inserted_at IS NULL OR loads.inserted_at >= %s)
"""
# Runs that no load has read after a backfill, and that may still change.
UNFINISHED_SQL: Final = """
SELECT workspace_id, region_id, job_run_id, state, end_time FROM {job_runs}
WHERE _dlt_load_id IN (SELECT _dlt_load_id FROM {extraction_windows} WHERE mode = 'backfill')
  AND (end_time IS NULL OR state IN ({open_states}) OR (coalesce(cu_hours, 0) = 0 AND end_time >= %s))
"""
FIELDS_SQL: Final = "SELECT resource, path, first_seen, last_seen, count FROM {unknown_fields}"
PIPELINES_SQL: Final = "SELECT DISTINCT pipeline_name FROM {_dlt_pipeline_state} WHERE left(pipeline_name, %s) = %s"

# Runs a query whose tables are in braces, with a value for each `%s`, and returns its rows; none where a table is missing.
Ask = Callable[..., list[Any]]


@dataclass(frozen=True)
class UnfinishedRun:
    """A run that may still change, with its end in epoch milliseconds."""

    workspace_id: str
    region_id: str
    job_run_id: str
    state: str | None
    end_ms: int | None


@dataclass(frozen=True)
class BackfillRecords:
    """What backfills have left.

    Attributes:
        packages: workspaces and dlt's load ids of packages that may have replaced rows of the packages that `sent` names.
        unfinished: runs that may still change.
        unknown_fields: rows of the table, as dlt's state of the source keeps them, by resource and path.
    """

    packages: frozenset[tuple[str, str]] = frozenset()
    unfinished: tuple[UnfinishedRun, ...] = ()
    unknown_fields: Mapping[str, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict)


def read_backfill_records(ask: Ask, state: Mapping[str, Any], sent: Iterable[str], now: datetime) -> BackfillRecords:
    """Return what backfills have left in a destination.

    Args:
        ask: runs a query.
        state: section `sync` of dlt's state, for the setting `settle_days` of the last load.
        sent: dlt's load ids of the packages in question.
        now: the real time, UTC.
    """
    # A load id is the time when its package began.
    since = datetime.fromtimestamp(min(map(float, sent)), UTC) if sent else now
    states = JOB_RUNS.windowed.open_states
    settled = now - timedelta(days=state.get("settle_days", SETTLE_DAYS))
    found = ask(UNFINISHED_SQL.replace("{open_states}", ", ".join(["%s"] * len(states))), *states, settled)
    fields: dict[str, dict[str, dict[str, Any]]] = {}
    for resource, path, first_seen, last_seen, count in ask(FIELDS_SQL):
        counted = {"first_ms": epoch_ms(first_seen), "last_ms": epoch_ms(last_seen), "rows": count, "reported": True}
        fields.setdefault(resource, {})[path] = counted
    return BackfillRecords(
        frozenset((workspace_id, package) for workspace_id, package in ask(PACKAGES_SQL, since)),
        tuple(
            UnfinishedRun(workspace_id, region_id, job_run_id, run_state, epoch_ms(end_time) if end_time else None)
            for workspace_id, region_id, job_run_id, run_state, end_time in found
        ),
        fields,
    )


def read_progress(ask: Ask, read_state: Callable[[str], Mapping[str, Any]], backfill: Backfill) -> dict[str, int]:
    """Return how far a range is certified by all backfills of it that have pipelines of their own, by key of `state_key`.

    Args:
        ask: runs a query.
        read_state: returns section `sync` of the state of a pipeline.
        backfill: the range.
    """
    prefix = backfill.pipeline_prefix
    progress: dict[str, int] = {}
    for (pipeline_name,) in ask(PIPELINES_SQL, len(prefix), prefix):
        for key, through_ms in read_state(pipeline_name).get("backfills", {}).get(backfill.name, {}).items():
            progress[key] = max(progress.get(key, through_ms), through_ms)
    return progress
