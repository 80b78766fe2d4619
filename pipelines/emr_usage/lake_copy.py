"""Copies the current rows of a lake into the DuckDB file of its marts, in one transaction.

The models read each raw table several times, and a DuckDB file that needs no credentials is simple to query: reading the files
once is faster, and safer, than views of them.
"""

from __future__ import annotations

import duckdb

from emr_serverless import CheckSettingsError

from .destinations.filesystem import LakeClient
from .lock import exclusive
from .pipeline import PIPELINE, RAW_DATASET, open_pipeline, open_reader
from .target import Target

_LOADED_DIRECTLY = f"SELECT 1 FROM marts.{RAW_DATASET}._dlt_pipeline_state WHERE pipeline_name = '{PIPELINE}' LIMIT 1"  # noqa: S608  # names of ours


def copy_lake(target: Target) -> None:
    """Replace the raw tables of the DuckDB file with the current rows of the lake.

    Args:
        target: a lake, and the file for its marts.

    Raises:
        CheckSettingsError: the file has job runs that were loaded into it directly.
        BusyError: another process uses the file.
    """
    with open_reader(target) as lake:
        client = lake.destination_client()
        if not isinstance(client, LakeClient):
            raise TypeError(f"{target} is not a lake")
        with client, exclusive(open_pipeline(target.marts), target.wait):
            _copy(client.sql_client.open_connection(), target)


def _copy(connection: duckdb.DuckDBPyConnection, target: Target) -> None:
    path = str(target.database).replace("'", "''")
    connection.execute(f"ATTACH '{path}' AS marts")
    has_state = "SELECT 1 FROM duckdb_tables() WHERE database_name = 'marts' AND table_name = '_dlt_pipeline_state'"
    if connection.execute(has_state).fetchone() and connection.execute(_LOADED_DIRECTLY).fetchone():
        raise CheckSettingsError(
            f"Job runs were loaded into {target.database} directly, and a copy of the lake would replace them",
            advice="Give another file to --database for the marts of the lake.",
        )
    views = "SELECT view_name FROM duckdb_views() WHERE database_name = 'memory' AND schema_name = ? ORDER BY ALL"
    names = [row[0] for row in connection.execute(views, [RAW_DATASET]).fetchall()]
    connection.execute(f"BEGIN; CREATE SCHEMA IF NOT EXISTS marts.{RAW_DATASET}")
    for name in names:
        connection.execute(f"CREATE OR REPLACE TABLE marts.{RAW_DATASET}.{name} AS FROM memory.{RAW_DATASET}.{name}")
    connection.execute("COMMIT")
