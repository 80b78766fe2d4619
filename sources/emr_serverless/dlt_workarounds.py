"""What dlt 1.31 needs so that nothing is lost; see docs/decisions, 0005 and 0007, of the repository."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import dlt
from dlt.common.storages import LoadStorage, PackageStorage
from dlt.destinations.exceptions import DatabaseUndefinedRelation
from dlt.destinations.impl.duckdb.configuration import DuckDbClientConfiguration
from dlt.destinations.impl.postgres.configuration import PostgresClientConfiguration
from dlt.destinations.job_client_impl import SqlJobClientBase

# A DuckDB file begins with three blocks of 4 KiB; until they are there it holds nothing.
DUCKDB_HEADER_BYTES: Final = 12_288
DUCKDB_MAGIC: Final = b"DUCK"


def prepare(pipeline: dlt.Pipeline) -> None:
    """Make a pipeline safe to be killed and true to empty texts, clear what a kill has left, and make dropped tables again.

    Call it before each load, while nothing else works with the pipeline, and before `run`: dlt finishes pending packages first,
    and asks no source then.
    """
    _merge_whole(pipeline)
    # dlt notes that a package is loaded, then moves it away; killed in between it refuses to note it again, for ever.
    normalized = Path(pipeline.working_dir, "load", LoadStorage.NORMALIZED_FOLDER)
    for note in normalized.glob(f"*/{PackageStorage.PACKAGE_COMPLETED_FILE_NAME}"):
        note.unlink()
    configuration = pipeline.destination_client().config
    if isinstance(configuration, DuckDbClientConfiguration):
        _remove_stillborn(Path(configuration.credentials.database))
    if isinstance(configuration, PostgresClientConfiguration):
        _keep_empty_texts(pipeline)
        _copy_by_row_group()
    _drop_outdated_packages(pipeline)
    _make_missing_tables(pipeline)


def _merge_whole(pipeline: dlt.Pipeline) -> None:
    """Have a destination merge each table in one transaction, where it can.

    dlt 1.31 does not say that DuckDB, Postgres and their like have transactions, takes that for a no, and commits the merge's
    DELETE before its INSERT: a load that is killed in between would leave runs in no table at all.
    """
    capabilities = pipeline.destination.capabilities()
    if capabilities.get("supports_transactions") is None and capabilities.supports_ddl_transactions:
        pipeline.destination.caps_params["supports_transactions"] = True


def _drop_outdated_packages(pipeline: dlt.Pipeline) -> None:
    """Drop the pending packages of a killed load where another working folder has loaded since.

    Loaded now, they would replace newer versions of runs by older ones. The next load reads what they held, from the cursors of
    the destination. Load ids are times, so the clocks of machines that share a destination have to agree to a few seconds.
    """
    pending = [*pipeline.list_extracted_load_packages(), *pipeline.list_normalized_load_packages()]
    client: Any = pipeline.destination_client() if pending else None
    if not isinstance(client, SqlJobClientBase):
        return
    loads = client.sql_client.make_qualified_table_name(client.schema.loads_table_name)
    newest = f"SELECT load_id FROM {loads} WHERE schema_name = %s AND status = 0"  # noqa: S608  # the name is dlt's own
    with client:
        try:
            rows = client.sql_client.execute_sql(newest, client.schema.name) or []
        except DatabaseUndefinedRelation:
            return
    if any(float(load_id) > float(min(pending, key=float)) for (load_id,) in rows):
        pipeline.abort_packages()


def _make_missing_tables(pipeline: dlt.Pipeline) -> None:
    """Make the tables that were dropped by hand: dlt 1.31 makes none while it finds the schema's version noted."""
    if pipeline.default_schema_name is None:
        pipeline.sync_destination()
    schema_name: str | None = pipeline.default_schema_name
    if schema_name is None:
        return
    client: Any = pipeline.destination_client()
    if not isinstance(client, SqlJobClientBase):
        return
    with client:
        if not client.is_storage_initialized():
            return
        tables = [*client.schema.data_table_names(), *client.schema.dlt_table_names()]
        if not all(columns for _, columns in client.get_storage_tables(tables)):
            client.update_stored_schema(tables, force=True)


def _keep_empty_texts(pipeline: dlt.Pipeline) -> None:
    """Load Postgres by any format but CSV, in which dlt 1.31 makes every empty text a NULL."""
    formats = pipeline.destination.capabilities().supported_loader_file_formats
    pipeline.destination.caps_params["supported_loader_file_formats"] = [name for name in formats if name != "csv"]


def _copy_by_row_group() -> None:
    """Hand Parquet files to PostgreSQL's driver one row group at a time, as dlt 1.31 does for SQL Server.

    A file as a whole is held in memory, which took 280 MB more for 208,000 runs, and one without rows is refused for ever: the
    driver takes a table of no rows, but not an empty list of batches.
    """
    from dlt.destinations.impl.postgres.postgres import PostgresParquetCopyJob  # noqa: PLC0415  # imports psycopg2

    PostgresParquetCopyJob._ingest_per_rowgroup = True  # noqa: SLF001


def _remove_stillborn(database: Path) -> None:
    """Remove a DuckDB file whose making was cut off: DuckDB could not open it."""
    if not database.is_file() or database.stat().st_size >= DUCKDB_HEADER_BYTES:
        return
    content = database.read_bytes()
    if not content or content[8:12] == DUCKDB_MAGIC:
        database.unlink()
