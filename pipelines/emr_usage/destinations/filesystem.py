"""A lake: a local folder, or a bucket of an object store, to which every load appends files.

Files cannot be merged, so that every version of a row stays until a compaction. Readers take the latest; see lake_reader.py.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Final, cast

import dlt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from dlt.common.destination import Destination
from dlt.common.destination.client import LoadJob
from dlt.common.destination.typing import PreparedTableSchema
from dlt.common.json import json
from dlt.common.schema.typing import TTableFormat
from dlt.common.storages.load_package import ParsedLoadJobFileName
from dlt.destinations import filesystem
from dlt.destinations.impl.filesystem.filesystem import FilesystemClient, FilesystemLoadJob
from dlt.destinations.sql_client import SqlClientBase
from dlt.extract import DltSource

from emr_serverless import CheckSettingsError
from emr_serverless.arrow.schema import RAW_TABLES

from .adapter import Adapter
from .lake_files import write_partitions, write_whole
from .lake_reader import LakeSqlClient
from .place import NamedPlace

# Of the column by which Delta and Iceberg partition, beside the workspace.
MONTH: Final = "observed_month"


@dataclass(frozen=True)
class LakePlace(NamedPlace):
    """dlt's destination `filesystem`; `bucket_url` is in dlt's configuration."""

    def to_write(self) -> Destination[Any, Any]:
        """Return dlt's destination."""
        # Its settings are those of dlt's own destination.
        return Lake(destination_name=self.name)

    def label(self) -> str:
        """Return the address of the lake."""
        return str(self._configuration().bucket_url)

    def _fingerprint(self) -> str:
        # dlt's own is that of the bucket, in which several lakes may be.
        return hashlib.sha256(str(self._configuration().bucket_url).encode()).hexdigest()


class PartitionedFileJob(FilesystemLoadJob):
    """Writes the file of a table into the partitions. A repetition after a kill writes the same files again."""

    def run(self) -> None:
        """Write the files."""
        client = self._job_client
        file = ParsedLoadJobFileName.parse(self._file_name)
        with pq.ParquetFile(self._file_path) as rows:
            write_partitions(
                client.fs_client,
                rows.iter_batches(),
                rows.schema_arrow,
                client.get_table_dir(file.table_name),
                f"{self._load_id}.{file.file_id}.parquet",
            )


class LakeClient(FilesystemClient):
    """dlt's client, with partitions, a SQL client that shows the latest rows, and notes that a kill cannot cut off."""

    # The source checks what the tables hold, as in DuckDB.
    shows_latest_rows: ClassVar = True

    def get_load_job_class(self, table: PreparedTableSchema, file_path: str) -> type[LoadJob]:
        """Return the job that loads a file."""
        job = super().get_load_job_class(table, file_path)
        return PartitionedFileJob if job is FilesystemLoadJob else job

    @cached_property
    def _latest_rows(self) -> LakeSqlClient:
        return LakeSqlClient(self)

    @property
    def sql_client(self) -> SqlClientBase[Any]:
        """The SQL client."""
        return self._latest_rows

    @sql_client.setter
    def sql_client(self, client: SqlClientBase[Any]) -> None:
        raise AttributeError(f"{type(client).__name__} cannot replace the SQL client of a lake")

    def format_of(self, table: str) -> Any:
        """Return `delta` or `iceberg` where a table has this format, otherwise None."""
        return self.schema.tables[table].get("table_format") if table in self.schema.tables else None

    def complete_load(self, load_id: str) -> None:
        """Commit a package, then its cursors: a kill in between must not leave cursors past the rows that readers see."""
        self._store_load(load_id)
        self._store_current_state(load_id)

    def _write_to_json_file(self, filepath: str, data: Any) -> None:
        write_whole(self.fs_client, filepath, json.dumps(data))

    def __exit__(self, *_: object) -> None:
        self._latest_rows.close_connection()


class Lake(filesystem):
    """dlt's destination `filesystem` with the client of a lake."""

    @property
    def client_class(self) -> type[FilesystemClient]:
        """The client."""
        return LakeClient


class Filesystem(Adapter):
    """A lake that a pipeline loads into."""

    def adapt(self, pipeline: dlt.Pipeline, source: DltSource, table_format: str | None) -> None:
        """Make a source append, in the format of the lake.

        Args:
            pipeline: will load it.
            source: is changed.
            table_format: as given; None for that of the lake, or Parquet where nothing is loaded.

        Raises:
            CheckSettingsError: the lake has another format.
        """
        loaded_format = _loaded_format(pipeline)
        wanted = table_format or loaded_format or "parquet"
        if loaded_format not in (None, wanted):
            raise CheckSettingsError(
                f"The lake is loaded in the format {loaded_format}, and not {wanted}",
                advice="Omit --table-format, or load into another bucket_url.",
            )
        for resource in (resource for name, resource in source.resources.items() if name in RAW_TABLES):
            resource.apply_hints(write_disposition="append", file_format="parquet")
            if wanted != "parquet":
                columns: Any = {MONTH: {"name": MONTH, "data_type": "text", "partition": True}}
                if "workspace_id" in RAW_TABLES[resource.name].schema.names:
                    columns["workspace_id"] = {"name": "workspace_id", "partition": True}
                resource.apply_hints(table_format=cast("TTableFormat", wanted), columns=columns)
                resource.add_map(_with_month)


def _loaded_format(pipeline: dlt.Pipeline) -> str | None:
    if pipeline.default_schema_name is None:
        pipeline.sync_destination()
    schema_name: str | None = pipeline.default_schema_name
    if schema_name is None or "job_runs" not in pipeline.default_schema.tables:
        return None
    return pipeline.default_schema.tables["job_runs"].get("table_format") or "parquet"


def _with_month(rows: pa.Table) -> pa.Table:
    return rows.append_column(MONTH, pc.strftime(rows["observed_at"], "%Y-%m"))
