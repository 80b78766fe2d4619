"""A table as CSV for spreadsheets: UTF-8 with a byte order mark, without cells that they would run as formulas."""

from __future__ import annotations

import csv
import re
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

# What OWASP lists under CSV injection, at the beginning of a cell and behind what other settings of a program take for its end.
_FORMULA: Final = re.compile(
    r"(^|[;\t\r\n])(?=[\s\ufeff\u200b]*[=+\-@"
    "\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}\N{FULLWIDTH HYPHEN-MINUS}\N{FULLWIDTH COMMERCIAL AT}]"
    r"|(?<![;\t\r\n])[\t\r\n])"
)


def write_csv(table: pa.Table, path: Path) -> None:
    """Write a table with a line of names; decimals are whole, null is empty, and texts that look like formulas begin with '."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(table.schema.names)
        # By batch: the rows of a large table would not all be Python's at once.
        for batch in table.to_batches(max_chunksize=10_000):
            writer.writerows([_cell(value) for value in row] for row in zip(*(c.to_pylist() for c in batch.columns), strict=True))


def without_formula(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula: an apostrophe stands before what would begin one."""
    return _FORMULA.sub(r"\1'", text)


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return without_formula(value)
    # str() writes small decimals with an exponent.
    return f"{value:f}" if isinstance(value, Decimal) else value
