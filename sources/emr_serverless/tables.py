"""The raw tables: their Arrow schemas, and one page of the API's rows turned into them.

Names are the API's words in snake_case. Every column has a description in its field's metadata; the table reference in the docs
is generated from here. Pages become Arrow one by one, while their rows are warm in the cache, and are joined later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import pyarrow as pa

TEXT: Final = pa.string()
INTEGER: Final = pa.int64()
BOOLEAN: Final = pa.bool_()
TIMESTAMP: Final = pa.timestamp("us", tz="UTC")
CU_HOURS: Final = pa.decimal128(18, 6)

_DELETED = ("_deleted", BOOLEAN, "True in a tombstone, which empties a run's children; never true in a merged table.")
LOAD_ID: Final = ("_dlt_load_id", TEXT, "The dlt load package that brought the row.")
_OBSERVED = ("observed_at", TIMESTAMP, "When the request that answered with this row was sent, UTC, by the real clock.")
_WORKSPACE = ("workspace_id", TEXT, "The workspace that was asked.")
_RUN = ("job_run_id", TEXT, "The job run.")


def described_schema(needed: Sequence[str], *columns: tuple[str, pa.DataType, str]) -> pa.Schema:
    """Return a schema of columns (name, type, description), of which those that are `needed` are never null."""
    return pa.schema(
        [pa.field(name, kind, nullable=name not in needed, metadata={"description": text}) for name, kind, text in columns]
    )


RUN_KEY: Final = ("workspace_id", "job_run_id")

JOB_RUNS: Final = described_schema(
    RUN_KEY,
    _WORKSPACE,
    _RUN,
    ("region_id", TEXT, "The region that was asked."),
    ("name", TEXT, "Name of the run, as submitted."),
    ("state", TEXT, "Submitted, Pending, Running, Success, Failed, Cancelling, Cancelled, CancelFailed, or one not known yet."),
    ("state_change_code", TEXT, "Code of the last change of state."),
    ("state_change_message", TEXT, "Reason of the last change of state; of a failed run the failure."),
    ("submit_time", TIMESTAMP, "When the run was submitted, UTC."),
    ("end_time", TIMESTAMP, "When the run ended, UTC; null while it has not."),
    ("code_type", TEXT, "SQL, JAR, PYTHON, or another."),
    ("web_ui", TEXT, "Address of the Spark UI, credentials masked."),
    ("execution_timeout_seconds", INTEGER, "Time allowed to the run, seconds."),
    ("creator", TEXT, "UID of the submitting user."),
    ("release_version", TEXT, "Engine version."),
    ("display_release_version", TEXT, "Engine version as the console shows it."),
    ("fusion", BOOLEAN, "Whether the Fusion engine is on."),
    ("vcore_seconds", INTEGER, "CPU used, core-seconds."),
    ("mb_seconds", INTEGER, "Memory used, MiB-seconds."),
    ("cu_hours", CU_HOURS, "The API's estimate of CU-hours, its CPU-to-memory discount included; not the bill."),
    ("resource_queue_id", TEXT, "Name of the queue."),
    ("priority", TEXT, "Priority, as the API sends it."),
    ("entry_point", TEXT, "jobDriver.sparkSubmit.entryPoint, credentials masked."),
    ("spark_submit_parameters", TEXT, "jobDriver.sparkSubmit.sparkSubmitParameters, secrets masked."),
    ("arguments_digest", TEXT, "SHA-256 of the entry point and the masked arguments: recognises a rerun of the same job."),
    _OBSERVED,
    ("extra", TEXT, "Response fields this version does not know, as JSON, secrets masked; null when there are none."),
    LOAD_ID,
)
JOB_RUN_TAGS: Final = described_schema(
    (*RUN_KEY, "tag_index"),
    _WORKSPACE,
    _RUN,
    ("tag_index", INTEGER, "Position in the API's list, from 0."),
    ("tag_key", TEXT, "Key, as submitted."),
    ("tag_value", TEXT, "Value, secrets masked."),
    _OBSERVED,
    _DELETED,
    LOAD_ID,
)
JOB_RUN_LOGS: Final = described_schema(
    RUN_KEY,
    _WORKSPACE,
    _RUN,
    ("driver_std_out", TEXT, "Place of the driver's standard output: HTTPS while the run runs, OSS afterwards."),
    ("driver_std_error", TEXT, "Place of the driver's standard error."),
    ("driver_syslog", TEXT, "Place of the driver's system log."),
    ("driver_startup", TEXT, "Place of the driver's start-up log."),
    _OBSERVED,
    _DELETED,
    LOAD_ID,
)
JOB_RUN_CONFIGURATIONS: Final = described_schema(
    (*RUN_KEY, "configuration_index"),
    _WORKSPACE,
    _RUN,
    ("configuration_index", INTEGER, "Position in the API's list, from 0."),
    ("config_file_name", TEXT, "Configuration file, such as spark-defaults.conf."),
    ("config_item_key", TEXT, "Key."),
    ("config_item_value", TEXT, "Value, secrets masked."),
    _OBSERVED,
    _DELETED,
    LOAD_ID,
)
JOB_RUN_ARGUMENTS: Final = described_schema(
    (*RUN_KEY, "argument_index"),
    _WORKSPACE,
    _RUN,
    ("argument_index", INTEGER, "Position in the argument list, from 0."),
    ("argument", TEXT, "Argument, secrets masked."),
    _OBSERVED,
    _DELETED,
    LOAD_ID,
)
JOB_RUN_OBSERVATIONS: Final = described_schema(
    (*RUN_KEY, "observed_at"),
    _WORKSPACE,
    _RUN,
    _OBSERVED,
    ("state", TEXT, "State then; null when the API no longer answered for the run."),
    ("vcore_seconds", INTEGER, "CPU used until then, core-seconds."),
    ("mb_seconds", INTEGER, "Memory used until then, MiB-seconds."),
    ("cu_hours", CU_HOURS, "The API's estimate of CU-hours until then."),
    LOAD_ID,
)
_QUOTA: Final = (
    ("instance_id", TEXT, "Instance of the prepaid quota."),
    ("order_id", TEXT, "Order of the prepaid quota."),
    ("payment_status", TEXT, "Payment status of the prepaid quota."),
    ("auto_renewal", BOOLEAN, "Whether the prepaid quota renews itself."),
    ("create_time", TIMESTAMP, "When the prepaid quota was created, UTC."),
    ("expire_time", TIMESTAMP, "When the prepaid quota expires, UTC."),
    ("max_resource", TEXT, "Size of the prepaid quota, the API's JSON."),
    ("allocated_resource", TEXT, "Allocated part of the prepaid quota, the API's JSON."),
    ("used_resource", TEXT, "Used part of the prepaid quota, the API's JSON."),
)
WORKSPACES: Final = described_schema(
    ("workspace_id",),
    ("workspace_id", TEXT, "The workspace."),
    ("region_id", TEXT, "The region that was asked."),
    ("workspace_name", TEXT, "Name of the workspace."),
    ("workspace_status", TEXT, "STARTING, RUNNING, TERMINATED, or another."),
    ("state_change_code", TEXT, "Code of the last change of state."),
    ("state_change_message", TEXT, "Reason of the last change of state."),
    ("fail_reason", TEXT, "Why it could not be made or kept."),
    ("release_type", TEXT, "Release type of the service."),
    ("create_time", TIMESTAMP, "When it was created, UTC."),
    ("end_time", TIMESTAMP, "When it ends, UTC."),
    ("payment_type", TEXT, "PayAsYouGo or Subscription."),
    ("payment_status", TEXT, "PAID, UNPAID, or another."),
    ("payment_duration_unit", TEXT, "Unit of the paid duration."),
    ("duration", INTEGER, "Paid duration, in its unit."),
    ("auto_renew", BOOLEAN, "Whether the subscription renews itself."),
    ("auto_renew_period", INTEGER, "How long it renews for, in its unit."),
    ("auto_renew_period_unit", TEXT, "Unit of the renewal period."),
    ("resource_spec", TEXT, "Size, such as 100cu."),
    ("resource_group_id", TEXT, "Resource group."),
    ("storage", TEXT, "OSS bucket or path of results."),
    ("dlf_catalog_id", TEXT, "Data Lake Formation catalog."),
    ("dlf_type", TEXT, "Data Lake Formation version."),
    ("ip_white_list", TEXT, "Allowed addresses, the API's list as JSON."),
    ("gpu_spec", TEXT, "GPU kinds, the API's list as JSON."),
    *((f"pre_paid_quota_{name}", kind, text) for name, kind, text in _QUOTA),
    ("pre_paid_quota_gpu", TEXT, "Prepaid GPU quotas, the API's list as JSON."),
    ("tags", TEXT, "Tags of the workspace, the API's list as JSON, secrets masked."),
    _OBSERVED,
    ("extra", TEXT, "Response fields this version does not know, as JSON, secrets masked; null when there are none."),
    LOAD_ID,
)
EXTRACTION_WINDOWS: Final = described_schema(
    ("load", "window_id"),
    ("load", TEXT, "The load that asked: when it began, UTC. A load of several packages has one name."),
    ("window_id", TEXT, "Digest of what was asked: the same window has the same id in every load."),
    ("workspace_id", TEXT, "The workspace that was asked; * where a region's workspaces were listed."),
    ("region_id", TEXT, "The region that was asked."),
    ("mode", TEXT, "load or backfill."),
    (
        "axis",
        TEXT,
        "What is asked: start, end, start_filtered, end_filtered, count, count_ends (ranges), open, all, run, workspaces.",
    ),
    ("window_start", TIMESTAMP, "First millisecond of the range, UTC; null where the axis is no time range."),
    ("window_end", TIMESTAMP, "Last millisecond of the range, UTC."),
    ("asked", TEXT, "The API's filter as sent, JSON; ranges are a millisecond wider on both sides."),
    ("total_count", INTEGER, "The API's own count of what was asked, on the last page."),
    ("rows_received", INTEGER, "Rows of all pages, doubles included."),
    (
        "rows_distinct",
        INTEGER,
        "Distinct runs received; by count, those this load had seen already.",
    ),
    ("pages", INTEGER, "Pages received."),
    ("requests", INTEGER, "HTTP requests sent, retries included."),
    ("attempts", INTEGER, "Times the window was read from its beginning."),
    ("throttled", INTEGER, "Requests answered by throttling."),
    ("status", TEXT, "complete, short (fewer runs than the API counts) or failed."),
    ("certified_by", TEXT, "pages: all were read. count: the API's count equals the runs already seen. Null unless complete."),
    ("error_code", TEXT, "The API's code of the failure, or the class of ours."),
    ("started_at", TIMESTAMP, "When reading began, UTC."),
    ("finished_at", TIMESTAMP, "When the verdict fell, UTC."),
    _OBSERVED,
    LOAD_ID,
)

UNKNOWN_FIELDS: Final = described_schema(
    ("resource", "path"),
    ("resource", TEXT, "The table whose rows keep the field in `extra`: job_runs or workspaces."),
    ("path", TEXT, "Place of the field in the API's record, such as jobDriver.sql; [] stands for any position in a list."),
    ("first_seen", TIMESTAMP, "When the request that brought it first was sent, UTC."),
    ("last_seen", TIMESTAMP, "When the request that brought it last was sent, UTC."),
    ("count", INTEGER, "Rows with the field that were loaded so far. A row that is read again counts again."),
    _OBSERVED,
    LOAD_ID,
)


@dataclass(frozen=True)
class RawTable:
    """One raw table: its schema and keys; `replaced_by` is set for children, which are replaced as a whole with their run."""

    schema: pa.Schema
    primary_key: tuple[str, ...]
    replaced_by: tuple[str, ...] = ()

    def described_columns(self) -> dict[str, dict[str, str]]:
        """Return name and description of every column, as dlt takes them for hints."""
        return {field.name: {"name": field.name, "description": field.metadata[b"description"].decode()} for field in self.schema}

    @cached_property
    def page_schema(self) -> pa.Schema:
        """The schema before a package gives its rows their `_dlt_load_id`."""
        return pa.schema([field for field in self.schema if field.name != "_dlt_load_id"])


RAW_TABLES: Final[Mapping[str, RawTable]] = {
    "job_runs": RawTable(JOB_RUNS, RUN_KEY),
    "job_run_tags": RawTable(JOB_RUN_TAGS, (*RUN_KEY, "tag_index"), RUN_KEY),
    "job_run_logs": RawTable(JOB_RUN_LOGS, RUN_KEY, RUN_KEY),
    "job_run_configurations": RawTable(JOB_RUN_CONFIGURATIONS, (*RUN_KEY, "configuration_index"), RUN_KEY),
    "job_run_arguments": RawTable(JOB_RUN_ARGUMENTS, (*RUN_KEY, "argument_index"), RUN_KEY),
    "job_run_observations": RawTable(JOB_RUN_OBSERVATIONS, (*RUN_KEY, "observed_at")),
    "workspaces": RawTable(WORKSPACES, ("workspace_id",)),
    "extraction_windows": RawTable(EXTRACTION_WINDOWS, ("load", "window_id")),
    "unknown_fields": RawTable(UNKNOWN_FIELDS, ("resource", "path")),
}
# Every run that is sent leaves rows or a tombstone in each of these, so that their rows can be counted again later.
WITNESS_TABLES: Final = ("job_runs", "job_run_tags", "job_run_logs", "job_run_configurations", "job_run_arguments")
