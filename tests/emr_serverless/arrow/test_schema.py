"""Every produced table has its schema, and every column has a description."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from documented import job_run_records
from emr_serverless.api.client import RequestStats
from emr_serverless.api.errors import FindWorkspaceError, TryLaterError
from emr_serverless.arrow.decode import read_rows
from emr_serverless.arrow.schema import RAW_TABLES
from emr_serverless.arrow.tables import Origin, resource_tables
from emr_serverless.redaction.redactor import Redactor
from emr_serverless.resources import RESOURCES
from emr_serverless.resources.declaration import Resource
from emr_serverless.sync.audit import windows_table
from emr_serverless.sync.batch import Package
from emr_serverless.sync.snapshots import snapshots
from emr_serverless.sync.tasks import Task, WindowResult
from emr_serverless.sync.windows import Window

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ORIGIN = Origin("cn-hangzhou", "w-1", NOW)
DAY = Window("cn-hangzhou", "w-1", "start", 1_767_225_600_000, 1_767_311_999_999)


def listed(resource: Resource, name: str) -> pa.Table:
    """Return a page of a list with one row, of which one text is a name."""
    row_id, text = str(resource.row_id.path), str(resource.fields[1].path)
    records = read_rows([{row_id: "id", text: name}], resource, {})
    return resource_tables(resource, [(ORIGIN, records)])[resource.table]


def produced() -> dict[str, pa.Table]:
    """Return every raw table with a row or two, as dlt is handed them."""
    lists = {resource.table: listed(resource, "before") for resource in RESOURCES if resource.history}
    held = {name: table.to_pylist() for name, table in lists.items()}
    package = Package("1700000000.1", Redactor(), snapshots(RESOURCES, held))
    rows: list[dict[str, Any]] = [
        {"jobRunId": "jr-1", "tags": [{"key": "a", "value": "b"}]},
        {"jobRunId": "jr-2", "vcoreSeconds": "odd"},
    ]
    runs = job_run_records(rows, "w-1")
    package.add_runs(ORIGIN, runs)
    package.add_observations(ORIGIN, runs)
    package.unknown_fields.add("job_runs", runs, NOW)
    package.add({"unknown_fields": package.unknown_fields.save({})})
    for resource in RESOURCES:
        if resource.history:
            package.add({resource.table: listed(resource, "after")})
    for window in (DAY, Window("cn-hangzhou", "*", "list", resource="workspaces")):
        result = WindowResult(Task(window), started_at=NOW, finished_at=NOW, status="complete")
        package.add({"extraction_windows": windows_table(result, "2026-03-01T00:00:00.000Z", "load")})
    return package.take_batch()


def test_a_page_produces_every_raw_table() -> None:
    assert produced().keys() == RAW_TABLES.keys()


@pytest.mark.parametrize("name", RAW_TABLES)
def test_a_produced_table_has_its_schema(name: str) -> None:
    table = produced()[name]
    schema = RAW_TABLES[name].schema
    assert set(table.schema.names) == set(schema.names)
    for field in table.schema:
        declared = schema.field(field.name)
        assert (field.type, field.nullable, field.metadata) == (declared.type, declared.nullable, declared.metadata)
    table.validate(full=True)
    assert set(table["_dlt_load_id"].to_pylist()) == {"1700000000.1"}


@pytest.mark.parametrize("name", RAW_TABLES)
def test_every_column_description_is_a_sentence(name: str) -> None:
    for field in RAW_TABLES[name].schema:
        description = field.metadata[b"description"].decode()
        assert description.endswith(".")
        assert len(description) > 3


@pytest.mark.parametrize("name", RAW_TABLES)
def test_keys_are_not_null_and_nothing_else_is_required(name: str) -> None:
    table = RAW_TABLES[name]
    assert {field.name for field in table.schema if not field.nullable} == set(table.primary_key)
    assert set(table.replaced_by) < set(table.primary_key) or not table.replaced_by or table.replaced_by == table.primary_key
    assert {"observed_at", "_dlt_load_id"} <= set(table.schema.names)
    assert ("_deleted" in table.schema.names) == bool(table.replaced_by)


@pytest.mark.parametrize("name", RAW_TABLES)
def test_keys_are_never_null_in_a_produced_table(name: str) -> None:
    table = produced()[name]
    assert {column: table[column].null_count for column in RAW_TABLES[name].primary_key} == dict.fromkeys(
        RAW_TABLES[name].primary_key, 0
    )


def test_an_extraction_window_has_its_request_and_its_result() -> None:
    result = WindowResult(
        Task(DAY),
        started_at=NOW,
        finished_at=NOW.replace(second=5),
        status="short",
        total_count=9,
        rows_received=8,
        rows_distinct=7,
        pages=4,
        attempts=3,
        request_stats=RequestStats(requests=6, throttled=2),
    )
    (row,) = windows_table(result, "L", "backfill").to_pylist()
    assert row == {
        "load": "L",
        "window_id": DAY.window_id,
        "resource": "job_runs",
        "workspace_id": "w-1",
        "region_id": "cn-hangzhou",
        "mode": "backfill",
        "axis": "start",
        "window_start": datetime(2026, 1, 1, tzinfo=UTC),
        "window_end": datetime(2026, 1, 1, 23, 59, 59, 999_000, UTC),
        "asked": '{"startTime":{"startTime":1767225599999,"endTime":1767312000000}}',
        "total_count": 9,
        "rows_received": 8,
        "rows_distinct": 7,
        "pages": 4,
        "requests": 6,
        "attempts": 3,
        "throttled": 2,
        "status": "short",
        "certified_by": None,
        "error_code": None,
        "started_at": NOW,
        "finished_at": NOW.replace(second=5),
        "observed_at": NOW,
    }


@pytest.mark.parametrize(
    ("error", "code"), [(TryLaterError("x", code="Throttling"), "Throttling"), (FindWorkspaceError("x"), "FindWorkspaceError")]
)
def test_a_failure_is_identified_by_the_code_of_the_api_or_by_the_exception_class(error: TryLaterError, code: str) -> None:
    (row,) = windows_table(WindowResult(Task(DAY), status="failed", error=error), "L", "load").to_pylist()
    assert row["error_code"] == code
