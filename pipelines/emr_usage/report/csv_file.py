"""Writes a table as CSV without cells that would be read as formulas; for spreadsheets in UTF-8 with a byte order mark."""

from __future__ import annotations

import csv
import re
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

# The characters of CSV injection (OWASP), at the start of a cell and after what a program may read as its end.
_FORMULA: Final = re.compile(
    r"(^|[;\t\r\n])(?=[\s\ufeff\u200b]*[=+\-@"
    "\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}\N{FULLWIDTH HYPHEN-MINUS}\N{FULLWIDTH COMMERCIAL AT}]"
    r"|(?<![;\t\r\n])[\t\r\n])"
)


def write_csv(table: pa.Table | pa.RecordBatchReader, path: Path, encoding: str = "utf-8-sig") -> None:
    """Write a table, or its batches, with a header.

    Decimals keep all digits, null is empty, and texts that look like formulas get a leading '.
    """
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(table.schema.names)
        # By batch, so that the rows of a large table are not all Python objects at once.
        for batch in table.to_batches(max_chunksize=10_000) if isinstance(table, pa.Table) else table:
            writer.writerows(
                [csv_cell(value) for value in row] for row in zip(*(c.to_pylist() for c in batch.columns), strict=True)
            )


# Most columns repeat a few texts.
@lru_cache(maxsize=4_096)
def without_formula(text: str) -> str:
    """Return a text that spreadsheets do not read as a formula: with an apostrophe before the character that would begin one."""
    return _FORMULA.sub(r"\1'", text)


def csv_cell(value: Any) -> Any:
    """Return a value as it is written: a decimal with all digits, a text without a formula."""
    if isinstance(value, str):
        return without_formula(value)
    # str() writes small decimals with an exponent.
    return f"{value:f}" if isinstance(value, Decimal) else value
