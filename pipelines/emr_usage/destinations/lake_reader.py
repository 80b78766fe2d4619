"""Reads a lake: every load appends to its tables, and readers take the latest version of each row.

Of a run that is the row that was observed last, and its children are those that were observed with it. The rule is also in
transform/macros/raw_table.sql, for databases that read the files themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds
from dlt.common.destination.dataset import DBApiCursor
from dlt.common.destination.exceptions import DestinationUndefinedEntity
from dlt.destinations import duckdb as duckdb_destination
from dlt.destinations.impl.duckdb.configuration import DuckDbCredentials
from dlt.destinations.impl.duckdb.sql_client import DuckDbSqlClient

from emr_serverless.arrow.schema import RAW_TABLES
from emr_serverless.resources import RESOURCES

from .lake_files import list_lake

if TYPE_CHECKING:
    from .filesystem import LakeClient

_PARENTS: Final = {child.table: resource.table for resource in RESOURCES for child in resource.children}


class LakeSqlClient(DuckDbSqlClient):
    """A DuckDB in memory with a view of each raw table of a lake, as it was when the first query began.

    Args:
        lake: the client of the lake.
    """

    def __init__(self, lake: LakeClient) -> None:
        credentials = DuckDbCredentials(":memory:")
        super().__init__(lake.dataset_name, "", credentials, duckdb_destination().capabilities())
        self._lake = lake
        self._is_open = False

    def open_connection(self) -> duckdb.DuckDBPyConnection:
        """Open the database and create the views."""
        self._conn = duckdb.connect()
        self._is_open = True
        self._conn.execute(f"SET TimeZone = 'UTC'; CREATE SCHEMA {self.dataset_name}")
        create_views(self._conn, self._lake)
        self._conn.execute(f"SET search_path = '{self.dataset_name}'")
        return self._conn

    def close_connection(self) -> None:
        """Close the database."""
        if self._is_open:
            self._is_open = False
            self._conn.close()

    @contextmanager
    def execute_query(self, query: Any, *args: Any, **kwargs: Any) -> Iterator[DBApiCursor]:
        """Run a query; the database is opened for the first one."""
        if not self._is_open:
            self.open_connection()
        with super().execute_query(query, *args, **kwargs) as cursor:
            yield cursor


def create_views(connection: duckdb.DuckDBPyConnection, lake: LakeClient) -> None:
    """Create a view of the current rows of each raw table that the lake has.

    Args:
        connection: has a schema with the name of the dataset. The views are valid in this connection only.
        lake: the client of the lake.
    """
    found = list_lake(lake.fs_client, lake.dataset_path)
    connection.register("lake_loads", pa.table({"load_id": pa.array(sorted(found.loads), pa.string())}))
    for name in RAW_TABLES:
        rows = _open_table(lake, name) if lake.format_of(name) else parquet_dataset(lake, name, found.visible.get(name, []))
        if rows is not None:
            connection.register(f"lake_{name}", rows)
    for name in RAW_TABLES:
        if connection.execute("SELECT 1 FROM duckdb_views() WHERE view_name = ?", [f"lake_{name}"]).fetchone():
            connection.execute(f"CREATE VIEW {lake.dataset_name}.{name} AS {latest_rows_sql(name)}")


def latest_rows_sql(name: str) -> str:
    """Return a query of the current rows of a raw table.

    It reads `lake_<table>`, of every version of each row, and `lake_loads`, of the committed load packages.
    """
    table = RAW_TABLES[name]
    key = [*table.primary_key, *(["observed_at"] if table.replaced_by else [])]
    is_latest = f"row_number() OVER (PARTITION BY {', '.join(key)} ORDER BY observed_at DESC, _dlt_load_id DESC) = 1"
    # A load that is not committed may have written into some tables only.
    rows = f"SELECT * FROM lake_{name} SEMI JOIN lake_loads ON _dlt_load_id = load_id"  # noqa: S608  # names of ours
    columns = ", ".join(table.schema.names)
    if not table.replaced_by:
        return f"SELECT {columns} FROM ({rows}) QUALIFY {is_latest}"  # noqa: S608
    parent = _PARENTS[name]
    parents = (
        f"SELECT {', '.join(table.replaced_by)}, max(observed_at) AS observed_at FROM lake_{parent}"  # noqa: S608
        f" SEMI JOIN lake_loads ON _dlt_load_id = load_id GROUP BY {', '.join(table.replaced_by)}"
    )
    using = ", ".join([*table.replaced_by, "observed_at"])
    return f"SELECT {columns} FROM ({rows}) SEMI JOIN ({parents}) USING ({using}) WHERE NOT _deleted QUALIFY {is_latest}"  # noqa: S608


def compacted_rows_sql(name: str) -> str:
    """Return a query of the rows of `lake_<table>` that a compaction keeps: the latest version of each row, with tombstones.

    Where a later version of a run is in another file, readers ignore the earlier one.
    """
    table = RAW_TABLES[name]
    is_kept = f"row_number() OVER (PARTITION BY {', '.join(table.primary_key)} ORDER BY observed_at DESC, _dlt_load_id DESC) = 1"
    if table.replaced_by:
        is_kept += f" AND observed_at = max(observed_at) OVER (PARTITION BY {', '.join(table.replaced_by)})"
    return f"SELECT {', '.join(table.schema.names)} FROM lake_{name} QUALIFY {is_kept}"  # noqa: S608  # names of ours


def parquet_dataset(lake: LakeClient, name: str, files: Sequence[str]) -> ds.Dataset | None:
    """Return files of a table, relative to the dataset, as one; None where there are none."""
    if not files:
        return None
    paths = [lake.pathlib.join(lake.dataset_path, file) for file in files]
    # With the schema of the release, files of earlier ones have nulls in columns that are new.
    return ds.dataset(paths, schema=RAW_TABLES[name].schema, format="parquet", filesystem=lake.fs_client)


def _open_table(lake: LakeClient, name: str) -> ds.Dataset | None:
    table_format = lake.format_of(name)
    try:
        table = lake.load_open_table(table_format, name)
    except DestinationUndefinedEntity:
        return None
    if table_format == "delta":
        return table.to_pyarrow_dataset()
    # No load deletes rows, so that there are no files but of rows.
    files = [lake.fs_client._strip_protocol(task.file.file_path) for task in table.scan().plan_files()]  # noqa: SLF001
    schema = RAW_TABLES[name].schema
    return ds.dataset(files, schema=schema, format="parquet", filesystem=lake.fs_client) if files else schema.empty_table()
