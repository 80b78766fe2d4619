"""The summary of a finished load, as facts and as sentences."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from emr_serverless import Load

from .exit_codes import FAILED, INCOMPLETE
from .load import failure_of_all
from .missing_figures import MissingFigures
from .target import Target

MAX_NAMED: Final = 10


def summary(load: Load, took: timedelta) -> str:
    """Return the summary of a finished load as one line."""
    report = load.stats
    complete, total = report.windows["complete"], sum(report.windows.values())
    took_what = f"{took.total_seconds():.1f} s and {report.requests:,} requests"
    return f"{report.rows:,} rows in {took_what}, {complete} of {total} windows certified"


def load_facts(done: Load, target: Target, missing: MissingFigures, now: datetime) -> dict[str, Any]:
    """Return the summary of a finished load for programs, with the exit code."""
    report = done.stats
    exit_code = FAILED if failure_of_all(done) else INCOMPLETE if report.incomplete else 0
    seconds = (now - done.options.started_at).total_seconds()
    return {
        "status": {0: "complete", FAILED: "failed", INCOMPLETE: "incomplete"}[exit_code],
        "exit_code": exit_code,
        "mode": done.options.mode,
        "load": done.options.name,
        "horizon": datetime.fromtimestamp(done.options.horizon_ms / 1000, UTC).isoformat(),
        "target": str(target),
        "workspaces": report.workspaces,
        "rows": report.rows,
        "requests": report.requests,
        "packages": report.packages,
        "windows": dict(report.windows),
        "throttled": done.client.throttle.throttlings if done.client else 0,
        "unknown_fields": dict(report.unknown_fields),
        "new_fields": report.new_fields,
        "hidden_defaults": report.hidden_defaults,
        "missing_figures": vars(missing),
        "seconds": round(seconds, 3),
        "rows_per_second": round(report.rows / seconds) if seconds else 0,
        "incomplete": [
            {
                "resource": result.task.window.resource,
                "workspace_id": result.task.window.workspace_id,
                "axis": result.task.window.axis,
                "asked": result.task.window.asked,
                "status": result.status,
                "total_count": result.total_count,
                "rows_distinct": result.rows_distinct,
                "error": str(result.error) if result.error else None,
            }
            for result in report.incomplete
        ],
    }


def new_fields_sentence(new_fields: list[str]) -> str:
    """Return a sentence about response fields without a column."""
    named = ", ".join(new_fields[:MAX_NAMED])
    more = f" and {len(new_fields) - MAX_NAMED:,} more" if len(new_fields) > MAX_NAMED else ""
    return f"New fields without a column: {named}{more}. They are in the column extra, and listed in emr_raw.unknown_fields."


def problems_of(load: Load) -> list[str]:
    """Return what a finished load could not complete, one sentence each."""
    if error := failure_of_all(load):
        return [str(error)]
    return [f"Incomplete: {result}" for result in load.stats.incomplete]


def findings_of(load: Load) -> list[str]:
    """Return what a finished load found for the first time and somebody should know, one sentence each."""
    fields = load.stats.new_fields
    return [*load.stats.findings, *([new_fields_sentence(fields)] if fields else [])]


def hidden_default_sentence(workspace_id: str, parameters: list[str]) -> str:
    """Return a sentence about parameters whose absence hides runs of a workspace."""
    return f"The API omits runs of {workspace_id} unless {', '.join(parameters)} is given; both forms are requested."
