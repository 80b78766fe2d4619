"""Raw tables in PostgreSQL, as dlt creates them."""

from __future__ import annotations

from contextlib import closing

import psycopg2
import pyarrow as pa
from psycopg2.extras import execute_values

from emr_usage.target import Target
from mart_fixtures import SCHEMAS, Row

POSTGRES = Target(destination="postgres")
TYPES = {
    pa.string(): "text",
    pa.int64(): "bigint",
    pa.bool_(): "boolean",
    pa.date32(): "date",
    pa.timestamp("us", tz="UTC"): "timestamptz",
    pa.decimal128(18, 6): "numeric(18, 6)",
    pa.decimal128(18, 10): "numeric(18, 10)",
}


def write(address: str, **tables: list[Row]) -> None:
    with closing(psycopg2.connect(address)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA IF NOT EXISTS emr_raw")
        for name, rows in tables.items():
            columns = {field.name: TYPES[field.type] for field in SCHEMAS[name]}
            cursor.execute(f"DROP TABLE IF EXISTS emr_raw.{name} CASCADE")
            cursor.execute(f"CREATE TABLE emr_raw.{name} ({', '.join(f'{column} {kind}' for column, kind in columns.items())})")
            execute_values(
                cursor, f"INSERT INTO emr_raw.{name} VALUES %s", [[row.get(column) for column in columns] for row in rows]
            )
