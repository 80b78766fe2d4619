"""Compacts a lake: merges the small files of each workspace and month, and drops the versions that later ones have replaced.

Loads and readers need not stop. The files that are merged stay until the retention has passed, so that a reader that has listed
them can read them to the end; a reader that sees them beside the merged file takes the latest version of each row, as always.
A compaction that is killed has committed nothing: its files are not read, and a later compaction removes them.
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import duckdb

from emr_serverless import CheckSettingsError
from emr_serverless.arrow.schema import RAW_TABLES

from .destinations.filesystem import LakeClient
from .destinations.lake_files import (
    LakeFiles,
    commit_of,
    compaction_path,
    list_lake,
    partition_of,
    write_compaction,
)
from .destinations.lake_reader import compacted_rows_sql, parquet_dataset
from .errors import NothingLoadedError
from .pipeline import open_reader
from .target import Target

_PREFIX: Final = "compaction-"


@dataclass(frozen=True)
class Compacted:
    """The result of a compaction.

    Attributes:
        files: number of files that were merged.
        merged: number of files that they were merged into.
        removed: number of files that were removed, because an earlier compaction replaced them.
    """

    files: int
    merged: int
    removed: int


def compact(target: Target, now: datetime, retention: timedelta) -> Compacted:
    """Compact a lake.

    Args:
        target: the lake.
        now: UTC.
        retention: how long files remain after they were replaced; no query may take longer.

    Raises:
        CheckSettingsError: the target is not a lake, or its format is Iceberg.
        NothingLoadedError: there is no file.
    """
    if not target.is_lake:
        raise CheckSettingsError(f"{target} is not a lake", advice="Give --destination filesystem.")
    with open_reader(target) as pipeline:
        client = pipeline.destination_client()
        if not isinstance(client, LakeClient):
            raise TypeError(f"{target} is not a lake")
        match client.format_of("job_runs"):
            case "iceberg":
                raise CheckSettingsError(
                    "emr-usage compact does not support Iceberg",
                    advice="Use the procedure rewrite_data_files of a query engine such as Spark.",
                )
            case "delta":
                return _compact_delta(client, retention)
            case _:
                return _CompactionOfFiles(client, now, retention).run()


def _compact_delta(client: LakeClient, retention: timedelta) -> Compacted:
    files = merged = removed = 0
    for name in RAW_TABLES:
        if client.format_of(name) and client.fs_client.exists(posixpath.join(client.get_table_dir(name), "_delta_log")):
            table = client.load_open_table("delta", name)
            metrics = table.optimize.compact()
            files += metrics["numFilesRemoved"]
            merged += metrics["numFilesAdded"]
            hours = int(retention.total_seconds() // 3600)
            removed += len(table.vacuum(hours, dry_run=False, enforce_retention_duration=False))
    return Compacted(files, merged, removed)


@dataclass
class _CompactionOfFiles:
    client: LakeClient
    now: datetime
    retention: timedelta
    commit: str = field(init=False)

    def __post_init__(self) -> None:
        self.commit = f"{_PREFIX}{int(self.now.timestamp() * 1_000_000)}"

    def run(self) -> Compacted:
        found = list_lake(self.client.fs_client, self.client.dataset_path)
        if not found.visible:
            raise NothingLoadedError
        removed = self._remove_expired(found)
        replaced: list[str] = []
        merged = 0
        for name in RAW_TABLES:
            by_partition: dict[str, list[str]] = defaultdict(list)
            for file in found.visible.get(name, []):
                by_partition[partition_of(file)].append(file)
            for partition, files in by_partition.items():
                if len(files) > 1:
                    self._merge(name, partition, files)
                    replaced += files
                    merged += 1
        if replaced:
            write_compaction(self.client.fs_client, self.client.dataset_path, self.commit, replaced, self.now.timestamp())
        return Compacted(len(replaced), merged, removed)

    def _merge(self, name: str, partition: str, files: list[str]) -> None:
        """Write the rows of several files into one."""
        with duckdb.connect() as connection, TemporaryDirectory() as folder:
            connection.register(f"lake_{name}", parquet_dataset(self.client, name, files))
            path = Path(folder, "merged.parquet")
            connection.execute(f"COPY ({compacted_rows_sql(name)}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)")
            self.client.fs_client.put_file(str(path), self._path(partition, f"{self.commit}.0.parquet"))

    def _remove_expired(self, found: LakeFiles) -> int:
        """Remove files that were replaced before the retention, and those of compactions that were killed before it."""
        before = (self.now - self.retention).timestamp()
        removed = 0
        for commit, compaction in found.compactions.items():
            if compaction.replaces and compaction.committed_at < before:
                removed += self._remove(compaction.replaces)
                write_compaction(self.client.fs_client, self.client.dataset_path, commit, [], compaction.committed_at)
        killed = [file for file in found.uncommitted if _began(commit_of(file)) < before]
        removed += self._remove(killed)
        present = {commit_of(file) for files in found.visible.values() for file in files}
        replaced = {commit_of(file) for compaction in found.compactions.values() for file in compaction.replaces}
        for commit in found.compactions.keys() - present - replaced:
            self._remove([compaction_path("", commit)])
        return removed

    def _remove(self, files: Iterable[str]) -> int:
        removed = 0
        for file in files:
            # A compaction that was killed has removed some of them.
            with suppress(FileNotFoundError):
                self.client.fs_client.rm_file(self._path(file))
                removed += 1
        return removed

    def _path(self, *names: str) -> Any:
        return self.client.pathlib.join(self.client.dataset_path, *names)


def _began(commit: str) -> float:
    """Return when a compaction began, epoch seconds; a load package may still be finished whenever it began."""
    return int(commit.removeprefix(_PREFIX)) / 1_000_000 if commit.startswith(_PREFIX) else float("inf")
