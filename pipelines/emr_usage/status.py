"""The status of a destination: how far each workspace is certified, what is open, what is missing."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import dlt
from dlt.destinations.sql_client import SqlClientBase

from emr_serverless import SETTLE_DAYS, read_checkpoint, region_and_workspace
from emr_serverless.arrow.schema import RAW_TABLES

from .loaded import require_load
from .missing_figures import MissingFigures, count_missing_figures
from .query import query_rows

# The newest load, and its windows that are incomplete.
LAST_LOAD_SQL = "SELECT max(load) FROM extraction_windows"
INCOMPLETE_SQL = """
SELECT workspace_id, axis, window_start, window_end, status, error_code, total_count, rows_distinct
FROM extraction_windows WHERE load = %s AND status <> 'complete'
ORDER BY workspace_id, axis, window_start
"""
WINDOWS_SQL = "SELECT status, count(*) FROM extraction_windows WHERE load = %s GROUP BY status"
REQUESTS_SQL = "SELECT coalesce(sum(requests), 0), coalesce(sum(throttled), 0) FROM extraction_windows"
TABLES_SQL = "SELECT table_name FROM information_schema.tables WHERE table_schema = %s"
WINDOW_STATUSES = ("complete", "short", "failed")
COUNTS_SQL = "SELECT workspace_id, count(*) FROM job_runs GROUP BY workspace_id"


@dataclass(frozen=True)
class WorkspaceStatus:
    """One workspace.

    Attributes:
        workspace_id: its id.
        started_through, ended_through: how far its axes are certified, UTC.
        started_lag_seconds, ended_lag_seconds: how far that is behind the clock.
        open_runs: number of runs that were open when they were last read.
        job_runs: number of runs in the table.
        hidden_defaults: parameters of the API whose absence hides runs; both forms are requested.
        forgotten: the load that was given --forget-workspace for it; None while it is loaded.
    """

    workspace_id: str
    started_through: datetime | None
    ended_through: datetime | None
    started_lag_seconds: float | None
    ended_lag_seconds: float | None
    open_runs: int
    job_runs: int
    hidden_defaults: list[str]
    forgotten: str | None = None


@dataclass(frozen=True)
class Status:
    """The status of a destination.

    Attributes:
        last_load: when the newest load began, as its audit rows name it.
        workspaces: every workspace that was loaded.
        incomplete: the newest load's windows that are short or failed, as rows of `extraction_windows`.
        missing_figures: final runs without figures.
        windows: the newest load's rows of `extraction_windows`, counted by status.
        table_rows: rows of each raw table.
        requests: HTTP requests of all rows of `extraction_windows`, retries included.
        throttled: those of them that the API throttled.
    """

    last_load: str
    missing_figures: MissingFigures
    windows: dict[str, int]
    table_rows: dict[str, int]
    requests: int
    throttled: int
    workspaces: list[WorkspaceStatus] = field(default_factory=list)
    incomplete: list[dict[str, Any]] = field(default_factory=list)

    @property
    def lag_seconds(self) -> float | None:
        """The largest lag of a workspace that is loaded; None where nothing is certified."""
        loaded = [workspace for workspace in self.workspaces if not workspace.forgotten]
        lags = [lag for workspace in loaded for lag in (workspace.started_lag_seconds, workspace.ended_lag_seconds)]
        return max((lag for lag in lags if lag is not None), default=None)


def read_status(pipeline: dlt.Pipeline, now: datetime) -> Status:
    """Return the status of a pipeline's destination at a time, UTC.

    Raises:
        NothingLoadedError: no load was ever recorded.
        Exception: the destination cannot be opened; see failures.py.
    """
    pipeline.sync_destination()
    # The working folder may be ahead of the database.
    state = read_checkpoint(pipeline, pipeline.default_schema_name or "", {}, now).state
    with pipeline.sql_client() as client:
        require_load(client)
        ((last_load,),) = client.execute_sql(LAST_LOAD_SQL) or []
        counts = {row[0]: row[1] for row in client.execute_sql(COUNTS_SQL) or []}
        incomplete = query_rows(client, INCOMPLETE_SQL, last_load)
        missing = count_missing_figures(client, now, state.get("settle_days", SETTLE_DAYS))
        windows = dict.fromkeys(WINDOW_STATUSES, 0)
        windows |= {row[0]: row[1] for row in client.execute_sql(WINDOWS_SQL, last_load) or []}
        ((requests, throttled),) = client.execute_sql(REQUESTS_SQL) or [(0, 0)]
        rows = _table_rows(client)
    checkpoints = {region_and_workspace(key)[1]: checkpoint for key, checkpoint in state.get("checkpoints", {}).items()}
    workspaces = [_workspace(name, checkpoint, counts, now) for name, checkpoint in sorted(checkpoints.items())]
    return Status(last_load, missing, windows, rows, int(requests), int(throttled), workspaces, incomplete)


def _table_rows(client: SqlClientBase[Any]) -> dict[str, int]:
    present = {row[0] for row in client.execute_sql(TABLES_SQL, client.dataset_name) or []}
    counts = " UNION ALL ".join(f"SELECT '{name}', count(*) FROM {name}" for name in RAW_TABLES if name in present)  # noqa: S608  # names of ours
    return {row[0]: row[1] for row in client.execute_sql(counts) or []}


def _workspace(workspace_id: str, checkpoint: dict[str, Any], counts: dict[str, int], now: datetime) -> WorkspaceStatus:
    started, ended = _when(checkpoint.get("started_through")), _when(checkpoint.get("ended_through"))
    return WorkspaceStatus(
        workspace_id,
        started,
        ended,
        (now - started).total_seconds() if started else None,
        (now - ended).total_seconds() if ended else None,
        len(checkpoint.get("open", {})),
        counts.get(workspace_id, 0),
        checkpoint.get("hidden_defaults", []),
        checkpoint.get("forgotten"),
    )


def _when(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)
