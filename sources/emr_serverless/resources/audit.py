"""The audit tables: what was requested, and which response fields have no column."""

from __future__ import annotations

from typing import Final

from .declaration import AuditTable, Field

EXTRACTION_WINDOWS: Final = AuditTable(
    "extraction_windows",
    "One row for each window that was requested from the API, with its result: the proof of completeness.",
    ("load", "window_id"),
    (
        Field(
            "load",
            None,
            "text",
            "The load: when it began, UTC. All packages of a load have the same name.",
            mask="plain",
        ),
        Field("window_id", None, "text", "Digest of the request: the same window has the same id in every load.", mask="plain"),
        Field("resource", None, "text", "The table of the requested rows, such as job_runs.", mask="plain"),
        Field("workspace_id", None, "text", "The workspace; * where the workspaces of a region were listed.", mask="plain"),
        Field("region_id", None, "text", "The region of the workspace.", mask="plain"),
        Field("mode", None, "text", "load or backfill.", mask="plain"),
        Field(
            "axis",
            None,
            "text",
            "Requested: start, end, start_filtered, end_filtered, count, count_ends (ranges), open, all, run, list (all rows).",
            mask="plain",
        ),
        Field("window_start", None, "timestamp", "First millisecond of the range, UTC; null where the axis is not a time range."),
        Field("window_end", None, "timestamp", "Last millisecond of the range, UTC."),
        Field(
            "asked", None, "text", "The API's filter as sent, JSON; ranges are a millisecond wider on both sides.", mask="plain"
        ),
        Field("total_count", None, "bigint", "The API's count of matching rows, on the last page."),
        Field("rows_received", None, "bigint", "Rows of all pages, duplicates included."),
        Field(
            "rows_distinct",
            None,
            "bigint",
            "Distinct runs received; if certified by count, those that this load had read already.",
        ),
        Field("pages", None, "bigint", "Pages received."),
        Field("requests", None, "bigint", "HTTP requests sent, retries included."),
        Field("attempts", None, "bigint", "Times the window was read from its beginning."),
        Field("throttled", None, "bigint", "Requests that were throttled."),
        Field("status", None, "text", "complete, short (fewer runs than the API counts) or failed.", mask="plain"),
        Field(
            "certified_by",
            None,
            "text",
            "pages: all were read. count: the API's count equals the runs already read. Null unless complete.",
            mask="plain",
        ),
        Field("error_code", None, "text", "The API's error code, or the class of the error."),
        Field("started_at", None, "timestamp", "When reading began, UTC."),
        Field("finished_at", None, "timestamp", "When reading ended, UTC."),
        Field("observed_at", None, "timestamp", "When the request that returned this row was sent, UTC."),
    ),
)
UNKNOWN_FIELDS: Final = AuditTable(
    "unknown_fields",
    "One row for each response field without a column, over all loads. `count` counts loaded rows: a run that is read again,"
    " within the lookback or because it was open, counts again, so the count can exceed the number of runs."
    " Of backfills that run at the same time, only the rows of one are counted.",
    ("resource", "path"),
    (
        Field("resource", None, "text", "The table whose rows keep the field in `extra`: job_runs or workspaces."),
        Field(
            "path",
            None,
            "text",
            "Place of the field in the API's record, such as jobDriver.sql; [] stands for any position in a list.",
        ),
        Field("first_seen", None, "timestamp", "When the first request that returned it was sent, UTC."),
        Field("last_seen", None, "timestamp", "When the last request that returned it was sent, UTC."),
        Field("count", None, "bigint", "Number of loaded rows with the field. A row that is read again counts again."),
        Field("observed_at", None, "timestamp", "When the request that returned this row was sent, UTC."),
    ),
)
AUDIT_TABLES: Final = (EXTRACTION_WINDOWS, UNKNOWN_FIELDS)
