"""What ListJobRuns and GetJobRun show of a run. api.md section 0, point 3: each shows fields that the other does not."""

from typing import Any

from .run import Run
from .variants import Variants

HOUR_MS = 3_600_000
FIGURES = ("vcoreSeconds", "mbSeconds", "cuHours")
LIST_ONLY = frozenset({"creator", *FIGURES})
DETAILS = frozenset({"jobDriver", "configurationOverrides"})
GET_ONLY = frozenset({"environmentId", "notebookAccessUrl", "resourceOwnerId", "totalTokens", "tokenDetails"})


def list_row(run: Run, now_ms: int, variants: Variants) -> dict[str, Any] | None:
    """The run's row in ListJobRuns as of `now_ms`; None before it is submitted."""
    state = run.state_at(now_ms)
    if state is None:
        return None
    left_out = GET_ONLY if variants.list_details else GET_ONLY | DETAILS
    row = {
        "jobRunId": run.job_run_id,
        "workspaceId": run.workspace_id,
        "state": state,
        "submitTime": run.submit_ms,
        **_end_time(run, now_ms, variants),
        **_figures(run, now_ms, variants),
        **_fields(run, now_ms),
    }
    return {name: value for name, value in row.items() if name not in left_out and name not in run.hidden}


def get_row(run: Run, now_ms: int, variants: Variants) -> dict[str, Any] | None:
    """The run's `jobRun` in GetJobRun as of `now_ms`; None before it is submitted."""
    state = run.state_at(now_ms)
    if state is None:
        return None
    row = {
        "jobRunId": run.job_run_id,
        "workspaceId": run.workspace_id,
        "state": state,
        "submitTime": run.submit_ms,
        **_end_time(run, now_ms, variants),
        **({"resourceOwnerId": run.fields["creator"]} if "creator" in run.fields else {}),
        **_fields(run, now_ms),
    }
    return {name: value for name, value in row.items() if name not in LIST_ONLY and name not in run.hidden}


def _fields(run: Run, now_ms: int) -> dict[str, Any]:
    return run.fields | (run.final_fields if run.ended_by(now_ms) else run.open_fields)


def _end_time(run: Run, now_ms: int, variants: Variants) -> dict[str, int | None]:
    if run.ended_by(now_ms):
        return {"endTime": run.end_ms}
    match variants.end_time_while_running:
        case "null":
            return {"endTime": None}
        case "zero":
            return {"endTime": 0}
        case "absent":
            return {}


def _figures(run: Run, now_ms: int, variants: Variants) -> dict[str, float | None]:
    shown_ms = now_ms - variants.figures_delay_hours * HOUR_MS
    late = run.ended_by(now_ms) and not run.ended_by(shown_ms)
    shown = "growing" if run.ended_by(shown_ms) else variants.figures_while_open
    match shown:
        case "growing" if run.started_by(now_ms) and not late:
            return dict(zip(FIGURES, run.figures(now_ms), strict=True))
        case "growing" | "null":
            return dict.fromkeys(FIGURES)
        case "zero":
            return dict.fromkeys(FIGURES, 0)
        case "absent":
            return {}
