"""Converts a batch of pages into the Arrow tables of their resource.

Secrets are masked afterwards, before anything is written; see redaction/arrow.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from ..resources.declaration import Child, Field, Resource
from .decode import Records
from .schema import DECIMAL, GONE_AT, INTEGER, RAW_TABLES, TEXT, TIMESTAMP

_MILLISECONDS: Final = pa.timestamp("ms", tz="UTC")


@dataclass(frozen=True)
class Origin:
    """Where and when a page came from."""

    region_id: str
    workspace_id: str
    observed_at: datetime


Pages = Sequence[tuple[Origin, Records]]


def resource_tables(resource: Resource, pages: Pages) -> dict[str, pa.Table]:
    """Return pages of a resource as its table and its children, without `_dlt_load_id` and digests."""
    batch = _Batch(resource, pages)
    rows = batch.columns(resource.table, resource.fields)
    children = {child.table: batch.items(child) if child.index else batch.objects(child) for child in resource.children}
    return {resource.table: batch.table(resource.table, rows), **children}


def observations_table(resource: Resource, pages: Pages) -> pa.Table:
    """Return the observations of rows; a row that the API did not return has only its id."""
    history = resource.observations
    if history is None:
        raise ValueError(f"{resource.table} keeps no observations")
    observed = [column for column in resource.fields if column.name in history.columns]
    batch = _Batch(resource, pages)
    return batch.table(history.table, batch.columns(history.table, observed))


class _Batch:
    """The rows of several pages, concatenated."""

    def __init__(self, resource: Resource, pages: Pages) -> None:
        self._values: pa.StructArray = pa.concat_arrays([records.values for _, records in pages])

        def of_origin(name: str, kind: pa.DataType) -> pa.Array:
            return pa.concat_arrays(
                [pa.repeat(pa.scalar(getattr(origin, name), kind), len(records)) for origin, records in pages]
            )

        self._shared = {
            "workspace_id": of_origin("workspace_id", TEXT),
            "region_id": of_origin("region_id", TEXT),
            "observed_at": of_origin("observed_at", TIMESTAMP),
            "extra": pa.concat_arrays([records.extra for _, records in pages]),
            GONE_AT.name: pa.nulls(len(self._values), TIMESTAMP),
        }
        keys = (column for column in resource.fields if column.name in resource.key)
        self._shared |= self.columns(resource.table, keys)

    def columns(self, table: str, fields: Iterable[Field]) -> dict[str, pa.Array]:
        """Return columns by name, each from its place in the rows."""
        schema = RAW_TABLES[table].page_schema
        return {column.name: _column(self._values, column, schema.field(column.name).type) for column in fields}

    def objects(self, child: Child) -> pa.Table:
        """Return a child table of objects: the object of each row, or a tombstone where all of it is null."""
        values = pc.struct_field(self._values, child.path.split("."))
        schema = RAW_TABLES[child.table].page_schema
        columns = {column.name: _column(values, column, schema.field(column.name).type) for column in child.fields}
        columns["_deleted"] = reduce(pc.and_, [pc.is_null(column) for column in columns.values()])
        return self.table(child.table, columns)

    def items(self, child: Child) -> pa.Table:
        """Return a child table of indexed items: the items of each row in order, or a tombstone for a row without any."""
        lists = pc.struct_field(self._values, child.path.split("."))
        items = lists.flatten()
        counts = pc.fill_null(pc.list_value_length(lists), 0).cast(INTEGER)
        starts = pc.subtract(pc.cumulative_sum(counts), counts)
        owners = pc.list_parent_indices(lists)
        index = pc.subtract(_positions(len(owners)), starts.take(owners))
        childless = pc.indices_nonzero(pc.equal(counts, 0)).cast(INTEGER)
        schema = RAW_TABLES[child.table].page_schema
        columns = {
            column.name: _lengthen(_column(items, column, schema.field(column.name).type), len(childless))
            for column in child.fields
        }
        columns[RAW_TABLES[child.table].primary_key[-1]] = pc.fill_null(_lengthen(index, len(childless)), 0)
        columns["_deleted"] = pa.concat_arrays(
            [pa.repeat(value, rows) for value, rows in ((False, len(owners)), (True, len(childless)))]
        )
        owners = pa.concat_arrays([owners, childless])
        # Stable: the items of a row stay in order.
        order = pc.sort_indices(owners)
        return self.table(child.table, {name: column.take(order) for name, column in columns.items()}, owners.take(order))

    def table(self, name: str, columns: Mapping[str, pa.Array], owners: pa.Array | None = None) -> pa.Table:
        """Return a table from its columns; what is known of the page or row is added, by the row's position where given."""
        schema = RAW_TABLES[name].page_schema
        arrays = dict(columns)
        for column in schema.names:
            if column not in columns:
                shared = self._shared[column]
                arrays[column] = shared if owners is None else shared.take(owners)
        return pa.Table.from_arrays([arrays[column] for column in schema.names], schema=schema)


def _column(values: pa.Array, field: Field, kind: pa.DataType) -> pa.Array:
    if field.path is None:
        return pa.nulls(len(values), kind)
    column = pc.struct_field(values, field.path.split(".")) if field.path else values
    if field.parse:
        column = pa.array([None if text is None else field.parse(text) for text in column.to_pylist()], kind)
    if field.default is not None:
        column = pc.fill_null(column, field.default)
    if kind == TIMESTAMP:
        # The API may say 0 for no time.
        return pc.if_else(pc.equal(column, 0), None, column).cast(_MILLISECONDS).cast(TIMESTAMP)
    # To the nearest millionth, which is the API's own resolution of CU-hours.
    return column.cast(DECIMAL) if kind == DECIMAL else column


def _positions(length: int) -> pa.Array:
    return pc.subtract(pc.cumulative_sum(pa.repeat(pa.scalar(1, INTEGER), length)), 1)


def _lengthen(column: pa.Array, rows: int) -> pa.Array:
    return pa.concat_arrays([column, pa.nulls(rows, column.type)])
