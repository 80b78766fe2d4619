"""Workarounds for dlt 1.31; see docs/decisions, 0005 and 0007, of the repository."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import dlt
from dlt.common.pipeline import LoadInfo
from dlt.common.storages import LoadStorage, NormalizeStorage, PackageStorage
from dlt.destinations.exceptions import DatabaseUndefinedRelation
from dlt.destinations.impl.duckdb.configuration import DuckDbClientConfiguration
from dlt.destinations.impl.postgres.configuration import PostgresClientConfiguration
from dlt.destinations.job_client_impl import SqlJobClientBase

# A DuckDB file begins with three blocks of 4 KiB; a shorter file holds nothing.
DUCKDB_HEADER_BYTES: Final = 12_288
DUCKDB_MAGIC: Final = b"DUCK"


def prepare(pipeline: dlt.Pipeline) -> None:
    """Make a pipeline safe against kills, keep empty texts, clean up after a kill, and create dropped tables again.

    Call it before each load, while nothing else uses the pipeline, and before `run`: dlt finishes pending packages first, and
    extracts nothing in that run.
    """
    _merge_whole(pipeline)
    # dlt marks a package as loaded and then moves it. If it is killed in between, every later run fails to mark it again.
    normalized = Path(pipeline.working_dir, "load", LoadStorage.NORMALIZED_FOLDER)
    for note in normalized.glob(f"*/{PackageStorage.PACKAGE_COMPLETED_FILE_NAME}"):
        note.unlink()
    # Each extraction begins in a folder of its own, which dlt leaves behind if it is killed.
    for folder in Path(pipeline.working_dir, "normalize").glob("*/"):
        if folder.is_dir() and folder.name != NormalizeStorage.EXTRACTED_FOLDER:
            shutil.rmtree(folder)
    configuration = pipeline.destination_client().config
    if isinstance(configuration, DuckDbClientConfiguration):
        _remove_incomplete_file(Path(configuration.credentials.database))
    if isinstance(configuration, PostgresClientConfiguration):
        from .postgres_packages import load_in_packages  # noqa: PLC0415  # imports psycopg2

        _keep_empty_texts(pipeline)
        _copy_by_row_group()
        load_in_packages(pipeline)
    _drop_outdated_packages(pipeline)
    _make_missing_tables(pipeline)


@contextmanager
def one_connection(pipeline: dlt.Pipeline) -> Iterator[None]:
    """Keep a DuckDB database open during each load step of a pipeline, as long as the context lasts.

    dlt 1.31 opens and closes it for every job, and DuckDB writes a checkpoint each time its last connection is closed: a fifth of
    the CPU time of loading 100,000 runs. While runs are extracted the database stays closed, so that others can read it.
    """
    if not isinstance(pipeline.destination_client().config, DuckDbClientConfiguration):
        yield
        return
    load_step = pipeline.load

    def load(*arguments: Any, **options: Any) -> LoadInfo:
        with ExitStack() as stack:
            # A database that cannot be opened is reported by dlt's own step.
            with suppress(Exception):
                client: Any = pipeline.sql_client()
                stack.enter_context(client)
            return load_step(*arguments, **options)

    pipeline.load = load  # type: ignore[method-assign]
    try:
        yield
    finally:
        del pipeline.load


def _merge_whole(pipeline: dlt.Pipeline) -> None:
    """Make a destination merge each table in one transaction, where it can.

    dlt 1.31 does not declare that DuckDB and PostgreSQL have transactions, and so commits the DELETE of a merge before its
    INSERT: after a kill in between, the rows would be in no table.
    """
    capabilities = pipeline.destination.capabilities()
    if capabilities.get("supports_transactions") is None and capabilities.supports_ddl_transactions:
        pipeline.destination.caps_params["supports_transactions"] = True


def _drop_outdated_packages(pipeline: dlt.Pipeline) -> None:
    """Drop the pending packages of a killed load if another working folder has loaded since.

    They would replace newer versions of runs with older ones. The next load reads their rows again, from the cursors of the
    destination. Load ids are times, so the clocks of machines that share a destination have to agree to a few seconds.
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
    """Create the tables that were dropped by hand: dlt 1.31 creates none while the version of the schema is stored."""
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
    """Load PostgreSQL by any format except CSV, in which dlt 1.31 turns every empty text into NULL."""
    formats = pipeline.destination.capabilities().supported_loader_file_formats
    pipeline.destination.caps_params["supported_loader_file_formats"] = [name for name in formats if name != "csv"]


def _copy_by_row_group() -> None:
    """Hand Parquet files to PostgreSQL's driver one row group at a time, as dlt 1.31 does for SQL Server.

    Otherwise a whole file is held in memory, which took 280 MB more for 208,000 runs, and a file without rows is always refused:
    the driver accepts a table without rows, but not an empty list of batches.
    """
    from dlt.destinations.impl.postgres.postgres import PostgresParquetCopyJob  # noqa: PLC0415  # imports psycopg2

    PostgresParquetCopyJob._ingest_per_rowgroup = True  # noqa: SLF001


def _remove_incomplete_file(database: Path) -> None:
    """Remove a DuckDB file whose creation was interrupted: DuckDB cannot open it."""
    if not database.is_file() or database.stat().st_size >= DUCKDB_HEADER_BYTES:
        return
    content = database.read_bytes()
    if not content or content[8:12] == DUCKDB_MAGIC:
        database.unlink()
