"""What a destination holds: how far each workspace is certified, what is open, what is missing."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import dlt

from emr_serverless import SETTLE_DAYS, remembered

from .loaded import require_load
from .missing_figures import MissingFigures, count_missing_figures
from .query import query_rows

# The audit rows of the newest load, and what it could not complete.
LAST_LOAD_SQL = "SELECT max(load) FROM extraction_windows"
INCOMPLETE_SQL = """
SELECT workspace_id, axis, window_start, window_end, status, error_code, total_count, rows_distinct
FROM extraction_windows WHERE load = %s AND status <> 'complete'
ORDER BY workspace_id, axis, window_start
"""
COUNTS_SQL = "SELECT workspace_id, count(*) FROM job_runs GROUP BY workspace_id"


@dataclass(frozen=True)
class WorkspaceStatus:
    """One workspace.

    Attributes:
        workspace_id: its id.
        started_through, ended_through: how far its axes are certified, UTC.
        open_runs: runs that were open when they were last seen.
        job_runs: runs in the table.
        hidden_defaults: parameters of the API whose absence hides runs of it; it is asked with and without them.
    """

    workspace_id: str
    started_through: datetime | None
    ended_through: datetime | None
    open_runs: int
    job_runs: int
    hidden_defaults: list[str]


@dataclass(frozen=True)
class Status:
    """What a destination holds.

    Attributes:
        last_load: when the newest load began, as its audit rows name it.
        workspaces: every workspace that has loaded.
        incomplete: the newest load's windows that are short or failed, as rows of `extraction_windows`.
        missing_figures: final runs whose figures have not come.
    """

    last_load: str
    missing_figures: MissingFigures
    workspaces: list[WorkspaceStatus] = field(default_factory=list)
    incomplete: list[dict[str, Any]] = field(default_factory=list)


def read_status(pipeline: dlt.Pipeline, now: datetime) -> Status:
    """Return the status of a pipeline's destination at a time, UTC.

    Raises:
        NothingLoadedError: no load was ever recorded.
        Exception: whatever the destination raises when it cannot be opened; see failures.py.
    """
    pipeline.sync_destination()
    # The working folder may remember more than the database holds.
    state = remembered(pipeline, pipeline.default_schema_name or "", {}, now).state
    memory = state.get("workspaces", {})
    with pipeline.sql_client() as client:
        require_load(client)
        ((last_load,),) = client.execute_sql(LAST_LOAD_SQL) or []
        counts = {row[0]: row[1] for row in client.execute_sql(COUNTS_SQL) or []}
        incomplete = query_rows(client, INCOMPLETE_SQL, last_load)
        missing = count_missing_figures(client, now, state.get("settle_days", SETTLE_DAYS))
    return Status(last_load, missing, [_workspace(name, memory[name], counts) for name in sorted(memory)], incomplete)


def _workspace(workspace_id: str, memory: dict[str, Any], counts: dict[str, int]) -> WorkspaceStatus:
    return WorkspaceStatus(
        workspace_id,
        _when(memory.get("started_through")),
        _when(memory.get("ended_through")),
        len(memory.get("open", {})),
        counts.get(workspace_id, 0),
        memory.get("hidden_defaults", []),
    )


def _when(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)
