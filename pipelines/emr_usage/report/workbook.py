"""Writes tables as an Excel workbook: a worksheet for each table, with numbers as numbers and texts as texts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Context, Decimal
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from emr_usage.currencies import minor_unit
from emr_usage.errors import TooManyRowsError

MAX_ROWS: Final = 1_048_576
# Significant digits of the floating-point numbers in a workbook.
DIGITS: Final = 15
_MAX_TEXT: Final = 32_767
_WIDTHS: Final = {"owner": 32, "workspace_id": 22, "currency": 10, "settlement_cu_hours": 22, "settlement_adjustment": 24}
_CU_HOURS: Final = ("cu_hours", "cu_hours_unpriced", "settlement_cu_hours")
_MONEY: Final = ("estimated_cost", "settlement_adjustment")


def write_workbook(tables: Mapping[str, pa.Table], path: Path) -> int:
    """Write each table to a worksheet, and return how many figures have more digits than a workbook keeps.

    Those are rounded to 15 digits, so that they remain numbers.

    Raises:
        TooManyRowsError: a table has more rows than a worksheet can hold.
    """
    for name, table in tables.items():
        if table.num_rows >= MAX_ROWS:
            raise TooManyRowsError(name, table.num_rows, MAX_ROWS - 1)
    # Texts must not become formulas, links or numbers.
    texts = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    options = {"constant_memory": True, "tmpdir": path.parent, "default_date_format": "yyyy-mm-dd", **texts}
    with xlsxwriter.Workbook(path, options) as workbook:
        formats = _Formats(workbook)
        return sum(_write_sheet(workbook.add_worksheet(name), table, formats) for name, table in tables.items())


class _Formats:
    """Cell formats of a workbook."""

    def __init__(self, workbook: xlsxwriter.Workbook) -> None:
        self._workbook = workbook
        self._numbers: dict[int, Format] = {}
        self.head = workbook.add_format({"bold": True, "bottom": 1})

    def number(self, decimals: int) -> Format:
        """Return a number format with thousands separators."""
        if decimals not in self._numbers:
            shown = f"#,##0.{'0' * decimals}" if decimals else "#,##0"
            self._numbers[decimals] = self._workbook.add_format({"num_format": shown})
        return self._numbers[decimals]


def _write_sheet(sheet: Worksheet, table: pa.Table, formats: _Formats) -> int:
    names = table.schema.names
    for column, name in enumerate(names):
        sheet.set_column(column, column, _WIDTHS.get(name, 18))
        sheet.write_string(0, column, name, formats.head)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, table.num_rows, len(names) - 1)
    rounded, place = 0, 0
    for batch in table.to_batches(max_chunksize=10_000):
        for row in batch.to_pylist():
            place += 1
            for column, name in enumerate(names):
                rounded += _write_cell(sheet, (place, column), row[name], _format(formats, name, row))
    return rounded


def _format(formats: _Formats, name: str, row: Mapping[str, Any]) -> Format:
    if name in _MONEY:
        return formats.number(minor_unit(row["currency"] or ""))
    return formats.number(2 if name in _CU_HOURS else 0)


def _write_cell(sheet: Worksheet, place: tuple[int, int], value: Any, number: Format) -> bool:
    """Write a value; return whether it lost digits. Null leaves the cell empty."""
    if isinstance(value, str):
        sheet.write_string(*place, value[:_MAX_TEXT])
    elif isinstance(value, date):
        sheet.write_datetime(*place, datetime.combine(value, time.min))
    elif isinstance(value, (Decimal, int)):
        kept = Context(prec=DIGITS).create_decimal(value)
        sheet.write_number(*place, float(kept), number)
        return kept != value
    return False
