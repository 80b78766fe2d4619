"""Writes the descriptions of the raw tables and their columns as comments into the destination, where it has them."""

from __future__ import annotations

import logging
from typing import Final, cast

import dlt
from dlt.destinations.exceptions import DatabaseException
from dlt.destinations.impl.duckdb.configuration import DuckDbClientConfiguration
from dlt.destinations.impl.postgres.configuration import PostgresClientConfiguration
from dlt.destinations.job_client_impl import SqlJobClientBase

from .arrow.schema import RAW_TABLES

logger = logging.getLogger("emr_serverless")

# The comment of every table of a dataset (its column is null) and of every column.
DUCKDB_SQL: Final = """
SELECT table_name, NULL, comment FROM duckdb_tables() WHERE database_name = current_database() AND schema_name = %s
UNION ALL
SELECT table_name, column_name, comment FROM duckdb_columns() WHERE database_name = current_database() AND schema_name = %s
"""
POSTGRES_SQL: Final = """
SELECT relname, attname, CASE WHEN attnum IS NULL THEN obj_description(pg_class.oid, 'pg_class')
  ELSE col_description(pg_class.oid, attnum) END
FROM pg_class JOIN (
  SELECT attrelid, attname, attnum FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped
  UNION ALL
  SELECT oid, NULL, NULL FROM pg_class
) AS parts ON attrelid = pg_class.oid
WHERE relkind = 'r' AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = %s)
"""
# PostgreSQL locks a table for its comment. The rows are loaded, so a load does not wait for a long VACUUM or ALTER TABLE.
LOCK_TIMEOUT_SQL: Final = "SET LOCAL lock_timeout = '2s'"

# A table, and one of its columns or None.
_Place = tuple[str, str | None]


def write_comments(pipeline: dlt.Pipeline) -> None:
    """Write the comments that are missing or differ; where none are, that is one query.

    A failure is logged, and the next load tries again.

    Args:
        pipeline: has loaded; DuckDB and PostgreSQL get comments.
    """
    with pipeline.destination_client() as client:
        is_postgres = isinstance(client.config, PostgresClientConfiguration)
        if not is_postgres and not isinstance(client.config, DuckDbClientConfiguration):
            return
        sql = cast("SqlJobClientBase", client).sql_client
        dataset = sql.dataset_name
        try:
            found = sql.execute_sql(POSTGRES_SQL, dataset) if is_postgres else sql.execute_sql(DUCKDB_SQL, dataset, dataset)
            present: dict[_Place, str | None] = {(table, column): text for table, column, text in found or []}
            differing = {place: text for place, text in _descriptions().items() if present.get(place, text) != text}
            if not differing:
                return
            with sql.begin_transaction():
                if is_postgres:
                    sql.execute_sql(LOCK_TIMEOUT_SQL)
                for (table, column), text in differing.items():
                    name = sql.make_qualified_table_name(table)
                    name = f"COLUMN {name}.{sql.escape_column_name(column)}" if column else f"TABLE {name}"
                    quoted = text.replace("'", "''")
                    sql.execute_sql(f"COMMENT ON {name} IS '{quoted}'")
        except DatabaseException as error:
            logger.warning("The comments of the tables were not written (%s). The next load tries again.", type(error).__name__)


def _descriptions() -> dict[_Place, str]:
    texts: dict[_Place, str] = {}
    for name, table in RAW_TABLES.items():
        texts[name, None] = table.description
        texts |= {(name, column): facts["description"] for column, facts in table.described_columns().items()}
    return texts
