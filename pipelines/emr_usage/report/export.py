"""The chargeback tables of a month as files for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import dlt
import pyarrow as pa
import pyarrow.parquet

from emr_usage.build import MARTS_DATASET
from emr_usage.query import query_rows, reading_marts

from .month import Month

_EXACT: Final = pa.decimal128(38, 6)
_REST: Final = [
    ("owner", pa.string()),
    ("workspace_id", pa.string()),
    ("currency", pa.string()),
    ("cu_hours", _EXACT),
    ("cu_hours_unpriced", _EXACT),
    ("estimated_cost", _EXACT),
    ("job_runs", pa.int64()),
    ("settlement_cu_hours", _EXACT),
    ("settlement_adjustment", _EXACT),
]
# The build, the same in every row.
_BUILD: Final = [("build_number", pa.int64()), ("built_at", pa.timestamp("us", tz="UTC"))]
TABLES: Final = {
    "chargeback_daily": pa.schema([("billing_date", pa.date32()), *_REST]),
    "chargeback_monthly": pa.schema([("billing_month", pa.date32()), *_REST, ("month_status", pa.string())]),
}


def read_chargeback(pipeline: dlt.Pipeline, month: Month) -> dict[str, pa.Table]:
    """Return the rows of the chargeback tables of a month, in order; each names its build.

    Raises:
        BuildError: the marts are not built yet.
    """
    with reading_marts(pipeline) as (client, build):
        of_build = {name: getattr(build, name) for name, _ in _BUILD}
        tables = {}
        for name, schema in TABLES.items():
            period = schema.names[0]
            asked = (
                f"SELECT {', '.join(schema.names)} FROM {MARTS_DATASET}.{name}"  # noqa: S608  # names of ours
                f" WHERE {period} >= %s AND {period} < %s ORDER BY {period}, owner, workspace_id, currency"
            )
            rows = [row | of_build for row in query_rows(client, asked, month.first, month.next.first)]
            tables[name] = pa.Table.from_pylist(rows, schema=pa.schema([*schema, *_BUILD]))
        return tables


def write_parquet(table: pa.Table, path: Path) -> None:
    """Write a table as Parquet; its decimals stay exact."""
    pyarrow.parquet.write_table(table, path)
