"""Writes batches of FOCUS rows as Parquet or CSV, without holding all of them in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from emr_usage.report.csv_file import write_csv

Kind = Literal["parquet", "csv"]


def _write_parquet(reader: pa.RecordBatchReader, path: Path) -> None:
    with pyarrow.parquet.ParquetWriter(path, reader.schema) as writer:
        for batch in reader:
            writer.write_batch(batch)


def _write_csv(reader: pa.RecordBatchReader, path: Path) -> None:
    """Write CSV; times are texts in FOCUS's format."""
    fields = [pa.field(each.name, pa.string() if pa.types.is_timestamp(each.type) else each.type) for each in reader.schema]
    schema = pa.schema(fields)

    def as_texts() -> Iterator[pa.RecordBatch]:
        for batch in reader:
            arrays = [
                # The seconds of Arrow's %S have a fraction for other units.
                pc.strftime(array.cast(pa.timestamp("s", tz="UTC")), "%Y-%m-%dT%H:%M:%SZ")
                if pa.types.is_timestamp(array.type)
                else array
                for array in batch.columns
            ]
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)

    # Readers of FOCUS take a byte order mark for a part of the first column's name.
    write_csv(pa.RecordBatchReader.from_batches(schema, as_texts()), path, encoding="utf-8")


WRITERS: Final[dict[Kind, Callable[[pa.RecordBatchReader, Path], None]]] = {"parquet": _write_parquet, "csv": _write_csv}
