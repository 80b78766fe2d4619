"""How a list operation is declared: its request, its rows, and what each field needs everywhere.

From these follow the request, the shape of the JSON, the Arrow and dlt schemas, the documents, the RAM policy and the redaction.
Nothing here imports pyarrow or dlt: `dlt init` reads the source where only stubs of them stand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

# dlt's own names. Times are UTC; a decimal has 18 digits, 6 of them after the point.
DataType = Literal["text", "bigint", "double", "decimal", "bool", "timestamp"]
# How redaction reads a text: the methods of `Redactor`. `plain` is not read at all: ids, and what the audit says of itself.
Mask = Literal[
    "plain",
    "text",
    "message",
    "address",
    "tag",
    "setting",
    "arguments",
    "entry_point",
    "spark_submit_parameters",
    "unknown_fields",
]
# The RAM actions are `emr-serverless-spark:<Operation>`; the vendor documents them for all resources only.
RAM_PREFIX: Final = "emr-serverless-spark"
# The ids that a request is made with, by the name under which an answer may repeat them.
ASKED: Final[Mapping[str, str]] = {"regionId": "region_id", "workspaceId": "workspace_id"}


@dataclass(frozen=True)
class Field:
    """One column, and its field of the API.

    Attributes:
        name: of the column.
        path: place in the API's row, or in the item of a list, dotted; empty for the item itself. None: not in the row.
        type: dlt's data type.
        description: for the documents and the destination.
        mask: how redaction reads the text.
        named_by: the column whose text names this value.
        default: stands for null.
        volatile: changes all the time; a snapshot keeps no earlier version for it alone.
        parse: makes the column's text from the field's, where it is not the same.
    """

    name: str
    path: str | None
    type: DataType
    description: str
    mask: Mask = "text"
    named_by: str | None = None
    default: str | None = None
    volatile: bool = False
    parse: Callable[[str], str | None] | None = None


@dataclass(frozen=True)
class Child:
    """A table of its own for what a row holds: a list of items, or one object.

    Attributes:
        table: its name.
        description: what one row is, for the documents.
        path: place of the list or object in the API's row, dotted.
        index: the column that counts the items from 0; None for an object, which is no row where all its fields are null.
        fields: of an item, or of the object by their place in the row.
    """

    table: str
    description: str
    path: str
    fields: tuple[Field, ...]
    index: Field | None = None


@dataclass(frozen=True)
class Observations:
    """A table that only grows: what some columns of a row held each time that it was read while open."""

    table: str
    description: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Token:
    """Pages follow a token; `page_rows` is the most rows of a page that the API documents."""

    page_rows: int


@dataclass(frozen=True)
class NoPaging:
    """One answer has all rows."""


@dataclass(frozen=True)
class Windowed:
    """Rows are asked for by time ranges: too many to list at every load."""


@dataclass(frozen=True)
class Snapshot:
    """The whole list is read at every load.

    What is no longer listed stays, with `gone_at`; a row that changes leaves its earlier version in `<table>_history`.
    """


@dataclass(frozen=True)
class Resource:
    """One list operation and its tables.

    Attributes:
        table: of its rows.
        description: what one row is, for the documents.
        operation: the API's name, also of the RAM action.
        path: of the request; `{workspace_id}` is filled in.
        rows: the field of the answer that holds the rows.
        paging: how the pages follow one another.
        strategy: what each load asks for.
        parent: `region` or `workspace`: what is asked for its rows.
        key: columns that identify a row.
        fields: columns, without those of what was asked and of the load.
        repeats: fields of a row that repeat what was asked, keys of `ASKED`; one that says otherwise is unknown.
        children: further tables.
        observations: the history of columns that change while a row is open.
        left_out: fields of a row that the API documents and that are not loaded, each with the reason.
    """

    table: str
    description: str
    operation: str
    path: str
    rows: str
    paging: Token | NoPaging
    strategy: Windowed | Snapshot
    parent: Literal["region", "workspace"]
    key: tuple[str, ...]
    fields: tuple[Field, ...]
    repeats: tuple[str, ...] = ()
    children: tuple[Child, ...] = ()
    observations: Observations | None = None
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def ram_action(self) -> str:
        """The right that its reader needs."""
        return f"{RAM_PREFIX}:{self.operation}"

    @property
    def history(self) -> str | None:
        """The table of earlier versions, where the resource has one."""
        return f"{self.table}_history" if isinstance(self.strategy, Snapshot) else None

    @property
    def row_id(self) -> Field:
        """The field that tells the rows of one answer apart."""
        return next(column for column in self.fields if column.name in self.key)


@dataclass(frozen=True)
class AuditTable:
    """A table that the source writes of its own: its key, and its columns without `_dlt_load_id`."""

    table: str
    description: str
    key: tuple[str, ...]
    fields: tuple[Field, ...]
