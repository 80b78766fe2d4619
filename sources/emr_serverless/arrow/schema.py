"""The raw tables as Arrow schemas, and the shape of the API's rows, both from the declarations.

A shape is a data type, an object (name to shape) or a list (of one shape), nested as in the API's answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, TypeAlias

import pyarrow as pa

from ..resources import RESOURCES
from ..resources.audit import AUDIT_TABLES
from ..resources.declaration import Child, DataType, Field, Mask, Resource

TEXT: Final = pa.string()
INTEGER: Final = pa.int64()
BOOLEAN: Final = pa.bool_()
TIMESTAMP: Final = pa.timestamp("us", tz="UTC")
DECIMAL: Final = pa.decimal128(18, 6)
ARROW_TYPES: Final[Mapping[DataType, pa.DataType]] = {
    "text": TEXT,
    "bigint": INTEGER,
    "double": pa.float64(),
    "decimal": DECIMAL,
    "bool": BOOLEAN,
    "timestamp": TIMESTAMP,
}
# Over the wire times are epoch milliseconds, and decimals are written as other numbers are.
WIRE_TYPES: Final[Mapping[DataType, pa.DataType]] = {**ARROW_TYPES, "timestamp": INTEGER, "decimal": pa.float64()}

Shape: TypeAlias = "DataType | Mapping[str, Shape] | list[Shape]"

LOAD_ID: Final = Field("_dlt_load_id", None, "text", "The dlt load package of the row.", mask="plain")
WORKSPACE_ID: Final = Field("workspace_id", None, "text", "The workspace.", mask="plain")
REGION_ID: Final = Field("region_id", None, "text", "The region of the workspace.", mask="plain")
OBSERVED_AT: Final = Field("observed_at", None, "timestamp", "When the request that returned this row was sent, UTC.")
EXTRA: Final = Field(
    "extra",
    None,
    "text",
    "Response fields without a column, as JSON, secrets masked; null when there are none.",
    mask="unknown_fields",
)
GONE_AT: Final = Field("gone_at", None, "timestamp", "When it was first missing from the list, UTC; null while it is listed.")
REPLACED_AT: Final = Field("replaced_at", None, "timestamp", "When the request that returned the next version was sent, UTC.")
DELETED: Final = Field(
    "_deleted", None, "bool", "True in a tombstone, which deletes the children of a row; never true after a load."
)


def described_schema(needed: Iterable[str], *columns: tuple[str, pa.DataType, str]) -> pa.Schema:
    """Return a schema of columns (name, type, description); those in `needed` are never null."""
    return pa.schema(
        [pa.field(name, kind, nullable=name not in needed, metadata={"description": text}) for name, kind, text in columns]
    )


@dataclass(frozen=True)
class RawTable:
    """One raw table.

    Attributes:
        description: of the table.
        schema: of its rows; every column's metadata has its description.
        primary_key: columns that identify a row.
        replaced_by: set for children, which are replaced as a whole with their row: its key.
        masks: how redaction reads the texts, by column; `text` where none is named.
        named_by: columns whose text names the value of another.
    """

    description: str
    schema: pa.Schema
    primary_key: tuple[str, ...]
    replaced_by: tuple[str, ...] = ()
    masks: Mapping[str, Mask] = field(default_factory=dict)
    named_by: Mapping[str, str] = field(default_factory=dict)

    def described_columns(self) -> dict[str, dict[str, Any]]:
        """Return name and description of every column, as dlt takes them for hints."""
        return {
            column.name: {"name": column.name, "description": column.metadata[b"description"].decode()} for column in self.schema
        }

    @cached_property
    def page_schema(self) -> pa.Schema:
        """The schema before a package gives its rows their `_dlt_load_id`."""
        return pa.schema([column for column in self.schema if column.name != LOAD_ID.name])


def asked_fields(resource: Resource) -> list[Field]:
    """Return the columns for the parent of a resource's rows, without those that its rows have themselves."""
    own = {column.name for column in resource.fields}
    asked = [REGION_ID] if resource.parent == "region" else [WORKSPACE_ID, REGION_ID]
    return [column for column in asked if column.name not in own]


def raw_tables(resource: Resource) -> dict[str, RawTable]:
    """Return all tables of a resource by name."""
    key_fields = [column for column in [*asked_fields(resource), *resource.fields] if column.name in resource.key]
    gone = [GONE_AT] if resource.history else []
    columns = [*asked_fields(resource), *resource.fields, *gone, OBSERVED_AT, EXTRA]
    tables = {resource.table: _raw_table(resource.description, columns, resource.key)}
    if resource.history:
        description = f"One row for each version of a row of `{resource.table}` that another one has replaced."
        key = (*resource.key, OBSERVED_AT.name)
        tables[resource.history] = _raw_table(description, [*columns, REPLACED_AT], key)
    for child in resource.children:
        index = [child.index] if child.index else []
        columns = [*key_fields, *index, *child.fields, OBSERVED_AT, DELETED]
        key = (*resource.key, *(column.name for column in index))
        tables[child.table] = _raw_table(child.description, columns, key, resource.key)
    if resource.observations:
        history = resource.observations
        observed = [column for column in resource.fields if column.name in history.columns]
        columns = [*key_fields, OBSERVED_AT, *observed]
        tables[history.table] = _raw_table(history.description, columns, (*resource.key, OBSERVED_AT.name))
    return tables


def _raw_table(description: str, columns: list[Field], key: tuple[str, ...], replaced_by: tuple[str, ...] = ()) -> RawTable:
    columns = [*columns, LOAD_ID]
    schema = described_schema(key, *((column.name, ARROW_TYPES[column.type], column.description) for column in columns))
    masks = {column.name: column.mask for column in columns}
    named_by = {column.name: column.named_by for column in columns if column.named_by}
    return RawTable(description, schema, key, replaced_by, masks, named_by)


RAW_TABLES: Final[Mapping[str, RawTable]] = {
    **{name: table for resource in RESOURCES for name, table in raw_tables(resource).items()},
    **{audit.table: _raw_table(audit.description, list(audit.fields), audit.key) for audit in AUDIT_TABLES},
}
# Every run has rows or a tombstone in each of these, so that their rows can be counted again later.
WITNESS_TABLES: Final = ("job_runs", "job_run_tags", "job_run_logs", "job_run_configurations", "job_run_arguments")


def shape_of(resource: Resource) -> dict[str, Any]:
    """Return the shape of a resource's rows: every field and child at its place, and what repeats the question."""
    shape: dict[str, Any] = dict.fromkeys(resource.repeats, "text")
    for column in resource.fields:
        if column.path is not None:
            _put(shape, column.path, column.type)
    for child in resource.children:
        _put(shape, child.path, _child_shape(child))
    return shape


def _child_shape(child: Child) -> Shape:
    item: dict[str, Any] = {}
    for column in child.fields:
        if not column.path:
            return [column.type]
        _put(item, column.path, column.type)
    return [item] if child.index else item


def _put(shape: dict[str, Any], path: str, value: Any) -> None:
    *outer, last = path.split(".")
    for name in outer:
        shape = shape.setdefault(name, {})
    shape[last] = value


def wire_type(shape: Shape) -> pa.DataType:
    """Return the Arrow type of a shape as it comes over the wire."""
    if isinstance(shape, Mapping):
        return pa.struct([(name, wire_type(inner)) for name, inner in shape.items()])
    if isinstance(shape, list):
        return pa.list_(wire_type(shape[0]))
    return WIRE_TYPES[shape]
