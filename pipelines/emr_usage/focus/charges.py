"""Reads the charges of a month from the marts, as batches of FOCUS rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import resources
from typing import Any, Final

import pyarrow as pa
from dlt.destinations.sql_client import SqlClientBase

from emr_usage.build import MARTS_DATASET, STAGING_DATASET
from emr_usage.report import Month

from .columns import Column, Context

# Rows that are Python objects at once.
_BATCH: Final = 10_000


def read_charges(
    client: SqlClientBase[Any], month: Month, columns: Sequence[Column], context: Context
) -> Iterator[pa.RecordBatch]:
    """Yield the charges of a month, one for each job run and billing day, in the order of days.

    Args:
        client: of the marts.
        month: the month.
        columns: of the file.
        context: what is the same for all charges.
    """
    text = resources.files(__package__).joinpath("charges.sql").read_text(encoding="utf-8")
    sql = text.format(marts=MARTS_DATASET, staging=STAGING_DATASET)
    schema = schema_of(columns)
    # A query for each day: one for a month of a million runs does not fit into the memory that DuckDB is given.
    for day in month.days:
        with client.execute_query(sql, day) as cursor:
            names = [column[0] for column in cursor.native_cursor.description]
            while found := cursor.native_cursor.fetchmany(_BATCH):
                rows = [dict(zip(names, row, strict=True)) for row in found]
                arrays = [pa.array([column.value(row, context) for row in rows], column.type) for column in columns]
                yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def schema_of(columns: Sequence[Column]) -> pa.Schema:
    """Return the Arrow schema of columns."""
    return pa.schema([(column.name, column.type) for column in columns])
