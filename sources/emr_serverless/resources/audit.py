"""The tables that the source writes of its own: what was asked, and what has no column yet."""

from __future__ import annotations

from typing import Final

from .declaration import AuditTable, Field

EXTRACTION_WINDOWS: Final = AuditTable(
    "extraction_windows",
    "One row for each thing asked of the API, with what came of it: the proof of completeness.",
    ("load", "window_id"),
    (
        Field(
            "load",
            None,
            "text",
            "The load that asked: when it began, UTC. A load of several packages has one name.",
            mask="plain",
        ),
        Field(
            "window_id", None, "text", "Digest of what was asked: the same window has the same id in every load.", mask="plain"
        ),
        Field("resource", None, "text", "The table of what was asked for, such as job_runs.", mask="plain"),
        Field(
            "workspace_id", None, "text", "The workspace that was asked; * where a region's workspaces were listed.", mask="plain"
        ),
        Field("region_id", None, "text", "The region that was asked.", mask="plain"),
        Field("mode", None, "text", "load or backfill.", mask="plain"),
        Field(
            "axis",
            None,
            "text",
            "Asked: start, end, start_filtered, end_filtered, count, count_ends (ranges), open, all, run, list (all rows).",
            mask="plain",
        ),
        Field("window_start", None, "timestamp", "First millisecond of the range, UTC; null where the axis is no time range."),
        Field("window_end", None, "timestamp", "Last millisecond of the range, UTC."),
        Field(
            "asked", None, "text", "The API's filter as sent, JSON; ranges are a millisecond wider on both sides.", mask="plain"
        ),
        Field("total_count", None, "bigint", "The API's own count of what was asked, on the last page."),
        Field("rows_received", None, "bigint", "Rows of all pages, doubles included."),
        Field("rows_distinct", None, "bigint", "Distinct runs received; by count, those this load had seen already."),
        Field("pages", None, "bigint", "Pages received."),
        Field("requests", None, "bigint", "HTTP requests sent, retries included."),
        Field("attempts", None, "bigint", "Times the window was read from its beginning."),
        Field("throttled", None, "bigint", "Requests answered by throttling."),
        Field("status", None, "text", "complete, short (fewer runs than the API counts) or failed.", mask="plain"),
        Field(
            "certified_by",
            None,
            "text",
            "pages: all were read. count: the API's count equals the runs already seen. Null unless complete.",
            mask="plain",
        ),
        Field("error_code", None, "text", "The API's code of the failure, or the class of ours."),
        Field("started_at", None, "timestamp", "When reading began, UTC."),
        Field("finished_at", None, "timestamp", "When the verdict fell, UTC."),
        Field("observed_at", None, "timestamp", "When the request that answered with this row was sent, UTC, by the real clock."),
    ),
)
UNKNOWN_FIELDS: Final = AuditTable(
    "unknown_fields",
    "One row for each response field that has no column, over all loads. `count` counts rows as they are loaded: a run that is"
    " read again, by the lookback or because it was open, counts again, so it can exceed the number of runs.",
    ("resource", "path"),
    (
        Field("resource", None, "text", "The table whose rows keep the field in `extra`: job_runs or workspaces."),
        Field(
            "path",
            None,
            "text",
            "Place of the field in the API's record, such as jobDriver.sql; [] stands for any position in a list.",
        ),
        Field("first_seen", None, "timestamp", "When the request that brought it first was sent, UTC."),
        Field("last_seen", None, "timestamp", "When the request that brought it last was sent, UTC."),
        Field("count", None, "bigint", "Rows with the field that were loaded so far. A row that is read again counts again."),
        Field("observed_at", None, "timestamp", "When the request that answered with this row was sent, UTC, by the real clock."),
    ),
)
AUDIT_TABLES: Final = (EXTRACTION_WINDOWS, UNKNOWN_FIELDS)
