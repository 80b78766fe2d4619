"""Raw tables small enough to check by hand, and the marts built from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from emr_serverless.arrow.schema import RAW_TABLES
from emr_usage.build import BuildResult, build
from emr_usage.inputs import INPUT_TABLES
from emr_usage.target import Target

Row = dict[str, Any]

SCHEMAS: Mapping[str, pa.Schema] = {name: table.schema for name, table in {**RAW_TABLES, **INPUT_TABLES}.items()}
MARTS = (
    "job_run_hours",
    "job_run_costs",
    "job_run_amounts",
    "job_runs_without_usage",
    "billing_months",
    "chargeback_daily",
    "chargeback_monthly",
    "job_reliability_daily",
    "failures_by_reason",
    "job_failure_chains",
    "job_performance_weekly",
    "spend_unallocated",
    "rates_by_month",
    "certified_ranges",
    "incomplete_windows",
    "workspaces",
    "members",
    "rate_matches",
    "owner_rule_matches",
    "matchable_values",
    "figures_set_aside",
    "workspace_hours",
    "settlement_adjustments",
    "discount_opportunities",
    "cu_formula_check",
    "adjusted_job_runs",
    "chargeback_adjustments",
    "chargeback_invoiced",
)
READ_AT = datetime(2026, 11, 20, 2, tzinfo=UTC)


def utc(text: str) -> datetime:
    """Return a time written as 2026-10-31 15:30, UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def billing(text: str) -> datetime:
    """Return a time written as the bill's clocks show it, eight hours ahead of UTC."""
    return utc(text) - timedelta(hours=8)


def job_run(name: str, submitted: datetime, ended: datetime | None, cu_hours: object, **fields: object) -> Row:
    """Return a run of the workspace w-1, which is its own id unless another is given."""
    usual = {
        "workspace_id": "w-1",
        "job_run_id": name,
        "region_id": "cn-hangzhou",
        "name": name,
        "state": "Success" if ended else "Running",
        "submit_time": submitted,
        "end_time": ended,
        "cu_hours": cu_hours,
        "resource_queue_id": "root",
        "observed_at": READ_AT,
    }
    return usual | fields


def tag(run: Row, key: str, value: str | None, index: int = 0) -> Row:
    """Return a tag of a run, read with it."""
    known = {name: run[name] for name in ("workspace_id", "job_run_id", "observed_at")}
    return known | {"tag_index": index, "tag_key": key, "tag_value": value, "_deleted": False}


def seen(run: Row, at: datetime, cu_hours: object, state: str | None = "Running") -> Row:
    """Return an observation of a run while it was open."""
    known = {name: run[name] for name in ("workspace_id", "job_run_id")}
    return known | {"observed_at": at, "state": state, "cu_hours": cu_hours}


def number(rows: Sequence[Row], column: str) -> list[Row]:
    """Return rows with their line of the file."""
    return [{**row, column: line} for line, row in enumerate(rows, 1)]


class MartDatabase:
    """A DuckDB file with raw tables, as dlt leaves them."""

    def __init__(self, database: Path) -> None:
        self.target = Target(database=database)

    def write(self, **tables: Sequence[Row]) -> None:
        """Make raw tables anew, of the rows given; the others stay as they are."""
        with duckdb.connect(str(self.target.database)) as connection:
            connection.execute("CREATE SCHEMA IF NOT EXISTS emr_raw")
            for name, rows in tables.items():
                connection.register("written", pa.Table.from_pylist([exact(row) for row in rows], schema=SCHEMAS[name]))
                connection.execute(f"CREATE OR REPLACE TABLE emr_raw.{name} AS FROM written")

    def build(
        self, *, full_refresh: bool = False, billing_time_zone: str = "Asia/Shanghai", change_time_zone: bool = False
    ) -> BuildResult:
        """Make the marts."""
        return build(
            self.target, full_refresh=full_refresh, billing_time_zone=billing_time_zone, change_time_zone=change_time_zone
        )

    def change(self, sql: str) -> None:
        """Change a table by hand."""
        with duckdb.connect(str(self.target.database)) as connection:
            connection.execute(sql)

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the answer to a query of the marts."""
        with duckdb.connect(str(self.target.database)) as connection:
            connection.execute("SET TimeZone = 'UTC'; USE emr_marts")
            return connection.execute(sql).fetchall()

    def marts(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return every row of every mart."""
        return {name: sorted(self.ask(f"FROM {name}"), key=repr) for name in MARTS}


def built_mart_db(folder: Path, **tables: Sequence[Row]) -> MartDatabase:
    """Return a file with these raw tables, and the marts made of them."""
    mart_db = MartDatabase(folder / "emr.duckdb")
    mart_db.write(**tables)
    mart_db.build()
    return mart_db


def exact(row: Row) -> Row:
    """Write numbers as Decimal, which Arrow takes for decimals."""
    decimals = {"cu_hours", "price_per_cu_hour"}
    return {name: Decimal(str(value)) if name in decimals and value is not None else value for name, value in row.items()}
