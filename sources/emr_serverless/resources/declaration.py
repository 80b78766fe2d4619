"""The declaration of a list operation: its request, its rows and its fields.

The request, the shape of the JSON, the Arrow and dlt schemas, the documents, the RAM policy and the redaction follow from it.
Nothing here imports pyarrow or dlt: `dlt init` imports the source with stubs of packages that are not installed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

# dlt's data types. Times are UTC; a decimal has 18 digits, 6 of them after the point.
DataType = Literal["text", "bigint", "double", "decimal", "bool", "timestamp"]
# How a text is masked: the methods of `Redactor`. `plain` is not masked: ids, and columns of the audit.
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
# The ids in a request, by the name under which a response may repeat them.
ASKED: Final[Mapping[str, str]] = {"regionId": "region_id", "workspaceId": "workspace_id"}


@dataclass(frozen=True)
class Field:
    """One column, and the API's field for it.

    Attributes:
        name: of the column.
        path: place in the API's row, or in the item of a list, dotted; empty for the item itself. None: not in the row.
        type: dlt's data type.
        description: for the documents and the destination.
        mask: how the text is masked.
        named_by: the column with the name of this value.
        default: replaces null.
        volatile: changes often; a snapshot keeps no earlier version if only this column differs.
        parse: converts the text of the field to that of the column.
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
    """A child table, for a list of items or an object in a row.

    Attributes:
        table: its name.
        description: what one row is, for the documents.
        path: place of the list or object in the API's row, dotted.
        index: the column that numbers the items from 0; None for an object, which has no row if all its fields are null.
        fields: of an item, or of the object.
    """

    table: str
    description: str
    path: str
    fields: tuple[Field, ...]
    index: Field | None = None


@dataclass(frozen=True)
class Observations:
    """An append-only table: the values of some columns each time that an open row was read."""

    table: str
    description: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Token:
    """Pages are requested by token; `page_rows` is the documented maximum of rows on a page."""

    page_rows: int


@dataclass(frozen=True)
class NoPaging:
    """One response has all rows."""


@dataclass(frozen=True)
class Windowed:
    """Rows are requested by time range: there are too many to list at every load.

    Attributes:
        start_filter: the API's filter for a range of start times.
        end_filter: the API's filter for a range of end times.
        state_filter: the API's filter for states.
        id_filter: the API's filter for one row.
        start_field: field of a row with its start time.
        end_field: field of a row with its end time; null, absent or 0 while it is open.
        state_field: field of a row with its state.
        open_states: states of rows that may still change; a row without an end time may change in any state.
        figures_field: field of a row that may be filled in long after its end.
    """

    start_filter: str
    end_filter: str
    state_filter: str
    id_filter: str
    start_field: str
    end_field: str
    state_field: str
    open_states: tuple[str, ...]
    figures_field: str


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
        rows: the field of the response that holds the rows.
        paging: how pages are requested.
        strategy: what each load requests.
        parent: `region` or `workspace`: what a request is for.
        key: columns that identify a row.
        fields: columns, without those of the parent and of the load.
        repeats: fields of a row that repeat an id of the request, keys of `ASKED`; a different value counts as an unknown field.
        children: further tables.
        observations: the history of columns that change while a row is open.
        left_out: documented fields that are not loaded, each with the reason.
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
        """The permission that is needed to read it."""
        return f"{RAM_PREFIX}:{self.operation}"

    @property
    def windowed(self) -> Windowed:
        """Its strategy, where it is read by time range.

        Raises:
            TypeError: it is not.
        """
        if not isinstance(self.strategy, Windowed):
            raise TypeError(f"{self.table} is not read by time range")
        return self.strategy

    @property
    def history(self) -> str | None:
        """The table of earlier versions, where the resource has one."""
        return f"{self.table}_history" if isinstance(self.strategy, Snapshot) else None

    @property
    def row_id(self) -> Field:
        """The field with the id of a row."""
        return next(column for column in self.fields if column.name in self.key)


@dataclass(frozen=True)
class AuditTable:
    """A table about the load itself: its key, and its columns without `_dlt_load_id`."""

    table: str
    description: str
    key: tuple[str, ...]
    fields: tuple[Field, ...]
