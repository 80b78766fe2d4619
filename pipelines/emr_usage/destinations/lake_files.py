"""The Parquet files of a lake: their names, how they are partitioned, and which of them readers see.

A file is `<table>/workspace=<id>/month=<month of observed_at>/<commit>.<number>.parquet`. Its commit is a dlt load package, or a
compaction. Readers see the files of the packages that dlt has noted in `_dlt_loads`, which it does when all files of all
tables are complete: a load that is running or was killed is not seen. A compaction commits by a note of its own, which also
names the files that its files replace.
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from fsspec import AbstractFileSystem

LOADS: Final = "_dlt_loads"
COMPACTIONS: Final = "_compactions"


@dataclass(frozen=True)
class Compaction:
    """A compaction that is complete.

    Attributes:
        replaces: files whose rows are in its own files, relative to the dataset.
        committed_at: epoch seconds.
    """

    replaces: tuple[str, ...]
    committed_at: float


@dataclass(frozen=True)
class LakeFiles:
    """The files of a lake at one moment.

    Attributes:
        loads: committed load packages.
        compactions: by the commit of their files.
        visible: Parquet files that readers see, by table, relative to the dataset.
        uncommitted: Parquet files of commits that are not complete.
    """

    loads: frozenset[str]
    compactions: Mapping[str, Compaction]
    visible: Mapping[str, list[str]]
    uncommitted: list[str]


def list_lake(fs: AbstractFileSystem, dataset: str) -> LakeFiles:
    """Return the files of a lake.

    Args:
        fs: the file system.
        dataset: path of the dataset.
    """
    fs.invalidate_cache()
    # Commits are listed first: all files of a commit are there before it.
    loads = {posixpath.basename(path).removesuffix(".jsonl").rpartition("__")[2] for path in _find(fs, dataset, LOADS)}
    compactions = {
        posixpath.basename(path).removesuffix(".json"): _read_compaction(fs, path) for path in _find(fs, dataset, COMPACTIONS)
    }
    commits = loads | compactions.keys()
    replaced = {path for compaction in compactions.values() for path in compaction.replaces}
    visible: dict[str, list[str]] = {}
    uncommitted = []
    for path in _find(fs, dataset):
        name = posixpath.relpath(path, dataset.rstrip("/"))
        if not name.endswith(".parquet") or name in replaced:
            continue
        if commit_of(name) in commits:
            visible.setdefault(name.split("/")[0], []).append(name)
        else:
            uncommitted.append(name)
    return LakeFiles(frozenset(loads), compactions, visible, uncommitted)


def commit_of(name: str) -> str:
    """Return the commit that a Parquet file belongs to."""
    return posixpath.basename(name).rsplit(".", 2)[0]


def partition_of(name: str) -> str:
    """Return the folder of a Parquet file, relative to the dataset."""
    return posixpath.dirname(name)


def compaction_path(dataset: str, commit: str) -> str:
    """Return the path of the note that commits a compaction."""
    return posixpath.join(dataset, COMPACTIONS, f"{commit}.json")


def write_compaction(fs: AbstractFileSystem, dataset: str, commit: str, replaces: list[str], committed_at: float) -> None:
    """Commit a compaction, or change what it replaces."""
    write_whole(fs, compaction_path(dataset, commit), json.dumps({"replaces": replaces, "committed_at": committed_at}))


def write_whole(fs: AbstractFileSystem, path: str, text: str) -> None:
    """Write a small file so that no reader sees a part of it: object stores do that by themselves, a local disk by renaming."""
    if "file" not in fs.protocol:
        fs.pipe_file(path, text.encode())
        return
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    # Listings look at endings.
    part = target.with_name(f"{target.name}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(target)


def write_partitions(
    fs: AbstractFileSystem, batches: Iterator[pa.RecordBatch], schema: pa.Schema, folder: str, name: str
) -> None:
    """Write rows into one file for each workspace and month.

    Args:
        fs: the file system.
        batches: of rows.
        schema: of the rows.
        folder: of the table.
        name: of each file.
    """
    with ExitStack() as files:
        writers: dict[str, pq.ParquetWriter] = {}
        for batch in batches:
            for partition, rows in _partitions(batch):
                if partition not in writers:
                    path = posixpath.join(folder, partition, name)
                    fs.makedirs(posixpath.dirname(path), exist_ok=True)
                    file = files.enter_context(fs.open(path, "wb"))
                    writers[partition] = files.enter_context(pq.ParquetWriter(file, schema, compression="zstd"))
                writers[partition].write_batch(rows)


def _partitions(batch: pa.RecordBatch) -> Iterator[tuple[str, pa.RecordBatch]]:
    """Yield the rows of each workspace and month, with their folder. The folder's names are not those of columns."""
    month = pc.floor_temporal(batch.column("observed_at"), unit="month")
    columns = {"month": month}
    if "workspace_id" in batch.schema.names:
        columns["workspace"] = batch.column("workspace_id")
    keys = pa.table(columns)
    for key in keys.group_by(list(columns)).aggregate([]).to_pylist():
        is_of = pc.equal(month, pa.scalar(key["month"], month.type))
        folder = f"month={key['month']:%Y-%m}"
        if "workspace" in key:
            is_of = pc.and_(is_of, pc.equal(batch.column("workspace_id"), key["workspace"]))
            folder = f"workspace={quote(key['workspace'], safe='')}/{folder}"
        yield folder, batch.filter(is_of)


def _find(fs: AbstractFileSystem, dataset: str, folder: str = "") -> list[str]:
    try:
        found: list[str] = fs.find(posixpath.join(dataset, folder))
    except FileNotFoundError:
        return []
    return [path for path in found if not path.endswith(".part")]


def _read_compaction(fs: AbstractFileSystem, path: str) -> Compaction:
    note: dict[str, Any] = json.loads(fs.cat_file(path))
    return Compaction(tuple(note["replaces"]), float(note["committed_at"]))
