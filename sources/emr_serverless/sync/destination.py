"""What the destination has stored: dlt's state, the certified time ranges, and the number of rows in each table.

The tables may be older than the state in the working folder (a restored backup, another file of the same name, an emptied table)
or newer (a copied database). So each load queries the destination first and trusts the local state only as far as it agrees.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import dlt
from dlt.common.destination.client import WithStateSync
from dlt.common.destination.exceptions import DestinationUndefinedEntity
from dlt.destinations.exceptions import DatabaseUndefinedRelation
from dlt.destinations.impl.duckdb.configuration import DuckDbClientConfiguration
from dlt.destinations.impl.postgres.configuration import PostgresClientConfiguration
from dlt.destinations.sql_client import SqlClientBase
from dlt.pipeline.state_sync import load_pipeline_state_from_destination

from ..arrow.schema import RAW_TABLES, WITNESS_TABLES
from ..resources import RESOURCES
from .backfill_records import BackfillRecords, read_backfill_records, read_progress
from .options import Backfill, epoch_ms

# Unbroken certified ranges of each workspace and axis. Neighbouring windows are a millisecond apart. What ends after it was
# observed, or was observed in the future, was certified by a clock that was wrong.
RANGES_SQL: Final = """
SELECT workspace_id, axis, min(window_start), max(window_end), max(region_id), max(mode) = 'load'
FROM (
  SELECT workspace_id, region_id, mode, axis, window_start, window_end,
    sum(CASE WHEN window_start > reach + INTERVAL '1 millisecond' THEN 1 ELSE 0 END)
      OVER (PARTITION BY workspace_id, axis ORDER BY window_start, window_end) AS gaps
  FROM (
    SELECT workspace_id, region_id, mode, axis, window_start, window_end, max(window_end) OVER (
      PARTITION BY workspace_id, axis ORDER BY window_start, window_end ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS reach
    FROM {extraction_windows}
    WHERE status = 'complete' AND resource = 'job_runs' AND axis IN ('start', 'end')
      AND window_end <= observed_at AND observed_at <= %s
  ) AS certified
) AS counted
GROUP BY workspace_id, axis, gaps
"""
_TABLE: Final = re.compile(r"\{(\w+)\}")
# The section of dlt's source state that `sync` keeps; see checkpoint.py.
STATE_SECTION: Final = "sync"
ROWS_SQL: Final = """
SELECT workspace_id, CASE WHEN _dlt_load_id IN ({packages}) THEN _dlt_load_id END AS package, count(*)
FROM {table} GROUP BY 1, 2
"""


@dataclass(frozen=True)
class CertifiedRange:
    """An unbroken range, both ends included, epoch milliseconds; the region of its workspace; whether a load is a part of it."""

    first_ms: int
    last_ms: int
    region_id: str
    is_of_load: bool = True


@dataclass(frozen=True)
class Stored:
    """What a destination has stored.

    Attributes:
        state: section `sync` of dlt's state of the source, committed with the newest package; empty where there is none.
        ranges: certified ranges, by workspace and axis, oldest first.
        rows: number of rows, by workspace and table; None where the destination cannot be queried.
        package_rows: number of rows of a package, by workspace, table and dlt's load id.
        backfills: what backfills have left for other loads.
    """

    state: dict[str, Any] = field(default_factory=dict)
    ranges: Mapping[tuple[str, str], list[CertifiedRange]] = field(default_factory=dict)
    rows: Mapping[tuple[str, str], int] | None = None
    package_rows: Mapping[tuple[str, str, str], int] = field(default_factory=dict)
    backfills: BackfillRecords = field(default_factory=BackfillRecords)


def read_stored(pipeline: dlt.Pipeline, source_name: str, now: datetime, backfill: Backfill | None = None) -> Stored | None:
    """Return what a pipeline's destination has stored, or None where it keeps no state.

    Rows and ranges are read where the SQL is tested, see `_sql_client`.

    Args:
        pipeline: its destination is queried.
        source_name: the section of dlt's state.
        now: the real time, UTC.
        backfill: the range to load again, if any. Beside another pipeline it starts from the state of that one, and from the
            progress of all backfills of its range.
    """
    with pipeline.destination_client() as client:
        if not isinstance(client, WithStateSync):
            return None

        def read_state(pipeline_name: str) -> dict[str, Any]:
            return _stored_state(pipeline_name, client, source_name)

        beside = backfill.beside if backfill else None
        state = read_state(beside or pipeline.pipeline_name)
        sql = _sql_client(client)
        if sql is None:
            return Stored(state)

        def ask(query: str, *values: object) -> list[Any]:
            return _answer(sql, _TABLE.sub(lambda found: sql.make_qualified_table_name(found[1]), query), *values)

        if backfill and beside:
            state.setdefault("backfills", {})[backfill.name] = read_progress(ask, read_state, backfill)
        rows: dict[tuple[str, str], int] = {}
        package_rows: dict[tuple[str, str, str], int] = {}
        checkpoints = state.get("checkpoints", {}).values()
        packages = sorted({checkpoint["sent"]["package"] for checkpoint in checkpoints if "sent" in checkpoint})
        for table in WITNESS_TABLES:
            for workspace_id, package, count in _rows(sql, table, packages):
                rows[workspace_id, table] = rows.get((workspace_id, table), 0) + count
                if package:
                    package_rows[workspace_id, table, package] = count
        # After the rows: a backfill that replaces some of them meanwhile is then among those that are found.
        backfills = read_backfill_records(ask, state, packages, now)
        return Stored(state, _ranges(sql, now), rows, package_rows, backfills)


def read_snapshot_rows(pipeline: dlt.Pipeline) -> dict[str, list[dict[str, Any]]]:
    """Return the stored rows of the resources that keep a history, by table.

    Empty where the destination cannot be queried: every row then counts as new.
    """
    rows: dict[str, list[dict[str, Any]]] = {}
    with pipeline.destination_client() as client:
        sql = _sql_client(client)
        if sql is None:
            return rows
        for resource in RESOURCES:
            if resource.history:
                names = RAW_TABLES[resource.table].page_schema.names
                columns = ", ".join(map(sql.escape_column_name, names))
                query = f"SELECT {columns} FROM {sql.make_qualified_table_name(resource.table)}"  # noqa: S608  # names of ours
                rows[resource.table] = [dict(zip(names, row, strict=True)) for row in _answer(sql, query)]
    return rows


def _sql_client(client: Any) -> SqlClientBase[Any] | None:
    """Return the SQL client of a destination, or None where the SQL is not tested.

    A destination that only appends may give its client the attribute `shows_latest_rows`: its SQL client then has to be one of
    DuckDB that shows each row once, in its latest version.
    """
    is_tested = isinstance(client.config, (DuckDbClientConfiguration, PostgresClientConfiguration))
    return client.sql_client if is_tested or getattr(client, "shows_latest_rows", False) else None


def _stored_state(pipeline_name: str, client: WithStateSync, source_name: str) -> dict[str, Any]:
    try:
        state = load_pipeline_state_from_destination(pipeline_name, client)
    except DestinationUndefinedEntity:
        return {}
    source_state: Mapping[str, Any] = (state or {}).get("sources", {}).get(source_name, {})
    return dict(source_state.get(STATE_SECTION, {}))


def _ranges(sql: SqlClientBase[Any], now: datetime) -> dict[tuple[str, str], list[CertifiedRange]]:
    query = RANGES_SQL.format(extraction_windows=sql.make_qualified_table_name("extraction_windows"))
    ranges: dict[tuple[str, str], list[CertifiedRange]] = {}
    for workspace_id, axis, first, last, region_id, is_of_load in _answer(sql, query, now):
        found = CertifiedRange(epoch_ms(first), epoch_ms(last), region_id, is_of_load)
        ranges.setdefault((workspace_id, axis), []).append(found)
    for of_axis in ranges.values():
        of_axis.sort(key=lambda certified: certified.first_ms)
    return ranges


def _rows(sql: SqlClientBase[Any], table: str, packages: list[str]) -> list[Any]:
    named = ", ".join(["%s"] * len(packages)) or "NULL"
    return _answer(sql, ROWS_SQL.format(table=sql.make_qualified_table_name(table), packages=named), *packages)


def _answer(sql: SqlClientBase[Any], query: str, *values: object) -> list[Any]:
    """Return the rows of an answer; a table that is not there has none."""
    try:
        with sql.execute_query(query, *values) as cursor:
            return list(cursor.fetchall())
    except DatabaseUndefinedRelation:
        return []
