"""The audit: one row of `extraction_windows` for each window."""

from __future__ import annotations

import json

import pyarrow as pa

from ..arrow.coerce import utc_from_ms
from ..arrow.schema import RAW_TABLES
from .tasks import WindowResult


def windows_table(result: WindowResult, load: str, mode: str) -> pa.Table:
    """Return the audit row of one window, without `_dlt_load_id`."""
    window = result.task.window
    error = result.error
    row = {
        "load": load,
        "window_id": window.window_id,
        "resource": window.resource,
        "workspace_id": window.workspace_id,
        "region_id": window.region_id,
        "mode": mode,
        "axis": result.audited_axis,
        "window_start": None if window.start_ms is None else utc_from_ms(window.start_ms),
        "window_end": None if window.end_ms is None else utc_from_ms(window.end_ms),
        "asked": json.dumps(window.asked, separators=(",", ":")),
        "total_count": result.total_count,
        "rows_received": result.rows_received,
        "rows_distinct": result.rows_distinct,
        "pages": result.pages,
        "requests": result.request_stats.requests,
        "attempts": result.attempts,
        "throttled": result.request_stats.throttled,
        "status": result.status,
        "certified_by": result.certified_by,
        "error_code": (error.code or type(error).__name__) if error else None,
        "started_at": result.started_at,
        "finished_at": result.finished_at,
        "observed_at": result.started_at,
    }
    return pa.Table.from_pylist([row], schema=RAW_TABLES["extraction_windows"].page_schema)
