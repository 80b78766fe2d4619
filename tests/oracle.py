"""The expected content of the tables, computed from the emulator's state without the source, and their actual content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import psycopg2

from emr_usage.emulator import Emulator

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Table = list[tuple[Any, ...]]
# A DuckDB file, or the address of a Postgres database.
Database = Path | str

JOB_RUN_FIELDS = {
    "name": "name",
    "state": "state",
    "code_type": "codeType",
    "web_ui": "webUI",
    "execution_timeout_seconds": "executionTimeoutSeconds",
    "creator": "creator",
    "release_version": "releaseVersion",
    "display_release_version": "displayReleaseVersion",
    "fusion": "fusion",
    "vcore_seconds": "vcoreSeconds",
    "mb_seconds": "mbSeconds",
    "resource_queue_id": "resourceQueueId",
    "priority": "priority",
}
KNOWN = {
    *JOB_RUN_FIELDS.values(),
    *("workspaceId", "jobRunId", "submitTime", "endTime", "cuHours", "stateChangeReason"),
    *("log", "tags", "jobDriver", "configurationOverrides"),
}
COLUMNS = {
    "job_runs": (
        "workspace_id, job_run_id, region_id, state_change_code, state_change_message, submit_time, end_time, cu_hours,"
        " entry_point, spark_submit_parameters, arguments_digest, extra, " + ", ".join(JOB_RUN_FIELDS)
    ),
    "job_run_tags": "workspace_id, job_run_id, tag_index, tag_key, tag_value",
    "job_run_logs": "workspace_id, job_run_id, driver_std_out, driver_std_error, driver_syslog, driver_startup",
    "job_run_configurations": (
        "workspace_id, job_run_id, configuration_index, config_file_name, config_item_key, config_item_value"
    ),
    "job_run_arguments": "workspace_id, job_run_id, argument_index, argument",
}


def timestamp(milliseconds: int | None) -> datetime | None:
    """Return epoch milliseconds as UTC; the API says null, 0 or nothing for no time."""
    return EPOCH + timedelta(milliseconds=milliseconds) if milliseconds else None


def expected_tables(emulator: Emulator, regions: dict[str, str]) -> dict[str, Table]:
    """Return every raw table's rows as the emulator would answer now.

    Args:
        emulator: holds the truth.
        regions: region of each workspace that should be in the tables.
    """
    tables: dict[str, Table] = {name: [] for name in COLUMNS}
    for workspace_id, region_id in regions.items():
        for row in emulator.state.job_run_rows(workspace_id, emulator.clock.now_ms(), emulator.variants):
            _expect(tables, row, region_id)
    return {name: sorted(rows, key=repr) for name, rows in tables.items()}


def _expect(tables: dict[str, Table], row: dict[str, Any], region_id: str) -> None:
    key = (row["workspaceId"], row["jobRunId"])
    reason, log = row.get("stateChangeReason") or {}, row.get("log") or {}
    submit = (row.get("jobDriver") or {}).get("sparkSubmit") or {}
    arguments = submit.get("entryPointArguments") or []
    hours = row.get("cuHours")
    digest = None
    if submit.get("entryPoint") is not None or arguments:
        said = json.dumps([submit.get("entryPoint"), *arguments], separators=(",", ":"), ensure_ascii=False)
        digest = hashlib.sha256(said.encode()).hexdigest()
    extra = {name: value for name, value in row.items() if name not in KNOWN}
    tables["job_runs"].append(
        (
            *key,
            region_id,
            reason.get("code"),
            reason.get("message"),
            timestamp(row.get("submitTime")),
            timestamp(row.get("endTime")),
            None if hours is None else Decimal(str(hours)).quantize(Decimal("0.000001")),
            submit.get("entryPoint"),
            submit.get("sparkSubmitParameters"),
            digest,
            json.dumps(extra, separators=(",", ":"), ensure_ascii=False, sort_keys=True) if extra else None,
            *(row.get(field) for field in JOB_RUN_FIELDS.values()),
        )
    )
    tables["job_run_tags"] += [(*key, index, tag.get("key"), tag.get("value")) for index, tag in enumerate(row.get("tags") or [])]
    if log:
        places = ("driverStdOut", "driverStdError", "driverSyslog", "driverStartup")
        tables["job_run_logs"].append((*key, *(log.get(place) for place in places)))
    items = (row.get("configurationOverrides") or {}).get("configurations") or []
    fields = ("configFileName", "configItemKey", "configItemValue")
    tables["job_run_configurations"] += [
        (*key, index, *(item.get(field) for field in fields)) for index, item in enumerate(items)
    ]
    tables["job_run_arguments"] += [(*key, index, value) for index, value in enumerate(arguments)]


def actual_tables(database: Database, names: Iterable[str] = COLUMNS) -> dict[str, Table]:
    """Return every raw table's rows as the database holds them, without the columns that tell of the loading."""
    with _read(database) as cursor:
        return {name: sorted(_rows(cursor, f"SELECT {COLUMNS[name]} FROM emr_raw.{name}"), key=repr) for name in names}


def query(database: Database, sql: str) -> Table:
    """Return the answer to a query."""
    with _read(database) as cursor:
        return _rows(cursor, sql)


@contextmanager
def _read(database: Database) -> Iterator[Any]:
    is_file = isinstance(database, Path)
    connection: Any = duckdb.connect(str(database), read_only=True) if is_file else psycopg2.connect(database)
    with closing(connection), connection.cursor() as cursor:
        cursor.execute("SET TimeZone = 'UTC'")
        yield cursor


def _rows(cursor: Any, sql: str) -> Table:
    cursor.execute(sql)
    rows: Table = cursor.fetchall()
    return rows
