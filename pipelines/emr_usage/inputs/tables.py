"""The three tables of inputs: each column of a schema is a column of the CSV file, except the numbers of rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pyarrow as pa

from emr_serverless.arrow.schema import INTEGER, LOAD_ID, TEXT, RawTable, described_schema

DATE: Final = pa.date32()
# Below 10^8, so that a product with CU-hours, which are below 10^12, has no more digits than DuckDB's decimals hold.
PRICE: Final = pa.decimal128(18, 10)

# Not in the files: the position of a row, and its load.
NUMBERED: Final = ("row_number", "rule_number", "_dlt_load_id")

_LOAD_ID = (LOAD_ID.name, TEXT, LOAD_ID.description)
_ROW_NUMBER = ("row_number", INTEGER, "Line of the row in its file, from 1, comments counted.")
_PRICE = ("price_per_cu_hour", PRICE, "Price of one CU-hour, before tax; at most ten decimals.")
_CURRENCY = ("currency", TEXT, "Currency of the price, three capitals as in ISO 4217.")
_VALID_TO = ("valid_to", DATE, "First billing date on which it no longer applies; null where no end is set.")


RATES: Final = described_schema(
    ("region_id", "currency", "price_per_cu_hour", "price_kind", "valid_from", "source", *NUMBERED),
    _ROW_NUMBER,
    ("region_id", TEXT, "Region in which the price applies."),
    ("workspace_id", TEXT, "Workspace to which it applies; null: all of the region."),
    ("resource_queue_id", TEXT, "Queue to which it applies; null: all."),
    _CURRENCY,
    _PRICE,
    ("price_kind", TEXT, "list (the vendor's published price) or contracted (yours)."),
    ("valid_from", DATE, "First billing date on which it applies."),
    _VALID_TO,
    ("source", TEXT, "Where the price comes from, such as a contract's number or the address of a page."),
    _LOAD_ID,
)
OWNERS: Final = described_schema(
    ("owner", *NUMBERED),
    _ROW_NUMBER,
    ("rule_number", INTEGER, "Place of the rule among the rules, from 1; the first that matches wins."),
    ("owner", TEXT, "Who pays, as a path such as group/team/project."),
    ("tag_key", TEXT, "The run has a tag with this key, letter case ignored."),
    ("tag_value", TEXT, "That tag has this value, letter case ignored; null: any value."),
    ("creator", TEXT, "UID of the user who submitted the run."),
    ("resource_queue_id", TEXT, "Queue of the run."),
    ("workspace_id", TEXT, "Workspace of the run."),
    ("job_name", TEXT, "Pattern of the run's name: * stands for any characters, ? for one."),
    ("valid_from", DATE, "First billing date of the rule, by the run's submit time; null: no start."),
    _VALID_TO,
    _LOAD_ID,
)
LIST_PRICES: Final = described_schema(
    ("region_id", "currency", "price_per_cu_hour", "page_date", "source", *NUMBERED),
    _ROW_NUMBER,
    ("region_id", TEXT, "Region the vendor publishes the price for."),
    _CURRENCY,
    _PRICE,
    ("page_date", DATE, "Date of the page that shows the price."),
    ("source", TEXT, "Address of that page."),
    _LOAD_ID,
)


def _whole(row: str) -> str:
    return f"One row for each {row}, replaced as a whole; see [inputs.md](inputs.md)."


INPUT_TABLES: Final[Mapping[str, RawTable]] = {
    "rates": RawTable(_whole("row of `rates.csv`"), RATES, ("row_number",)),
    "owners": RawTable(_whole("rule of `owners.csv`"), OWNERS, ("row_number",)),
    "list_prices": RawTable(_whole("row of `list_prices.csv`"), LIST_PRICES, ("row_number",)),
}


def file_name(table: str) -> str:
    """Return the name of the file that a table is read from."""
    return f"{table}.csv"


def file_fields(table: str) -> list[pa.Field]:
    """Return the columns of a table's file, in the order of the example files."""
    return [field for field in INPUT_TABLES[table].schema if field.name not in NUMBERED]
