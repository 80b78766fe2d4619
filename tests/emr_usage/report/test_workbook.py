"""A workbook as read by another program: numbers are numbers, texts are texts, and there are no formulas."""

from __future__ import annotations

import zipfile
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import openpyxl
import pyarrow as pa
import pytest

from emr_usage.errors import TooManyRowsError
from emr_usage.report.export import TABLES
from emr_usage.report.workbook import MAX_ROWS, write_workbook

HOSTILE = ["=1+1", "+1", "-1", "@SUM(A1)", "https://example.org", "{=1}", "0042", "\x1b[31m", "增长/广告"]


def row(owner: str, cost: str | None, currency: str | None, cu_hours: str = "1.5") -> dict[str, object]:
    amounts = {
        "cu_hours": Decimal(cu_hours),
        "cu_hours_unpriced": Decimal(0),
        "estimated_cost": None if cost is None else Decimal(cost),
    }
    return {
        "billing_month": date(2026, 10, 1),
        "owner": owner,
        "workspace_id": "w-1",
        "currency": currency,
        "job_runs": 2,
        **amounts,
    }


def written(folder: Path, *rows: dict[str, object]) -> tuple[list[tuple[openpyxl.cell.Cell, ...]], int]:
    """Return the cells below the header, and how many figures were rounded."""
    table = pa.Table.from_pylist(list(rows), schema=TABLES["chargeback_monthly"])
    rounded = write_workbook({"chargeback_monthly": table}, folder / "book.xlsx")
    sheet = openpyxl.load_workbook(folder / "book.xlsx")["chargeback_monthly"]
    cells = list(sheet.iter_rows())
    assert [cell.value for cell in cells[0]] == TABLES["chargeback_monthly"].names
    return cells[1:], rounded


def test_text_in_a_workbook_is_not_a_formula(tmp_path: Path) -> None:
    cells, _ = written(tmp_path, *(row(text, "1", "USD") for text in HOSTILE))
    assert [line[1].data_type for line in cells] == ["s"] * len(HOSTILE)
    shown = [line[1].value for line in cells]
    assert [text for text in shown if "[31m" not in text] == [text for text in HOSTILE if "[31m" not in text]
    with zipfile.ZipFile(tmp_path / "book.xlsx") as book:
        sheet = book.read("xl/worksheets/sheet1.xml")
        assert b"<f>" not in sheet
        assert b"<hyperlink" not in sheet
        assert not [name for name in book.namelist() if "externalLink" in name or "vba" in name]


def test_numbers_and_dates_have_their_types_and_formats(tmp_path: Path) -> None:
    rows = [row("a", "12.345678", "USD"), row("b", "-1234", "JPY"), row("c", "1.5", "KWD"), row("d", None, None)]
    cells, rounded = written(tmp_path, *rows)
    assert [line[6].value for line in cells] == [12.345678, -1234, 1.5, None]
    assert [line[6].number_format for line in cells[:3]] == ["#,##0.00", "#,##0", "#,##0.000"]
    assert cells[0][0].value == datetime(2026, 10, 1)  # noqa: DTZ001  # a workbook knows no zones
    assert cells[0][0].number_format == "yyyy-mm-dd"
    assert (cells[0][4].value, cells[0][7].value) == (1.5, 2)
    assert rounded == 0


@pytest.mark.parametrize(
    ("exact", "kept", "rounded"),
    [
        ("999999999.999999", 999999999.999999, 0),
        ("123456789012.345678", 123456789012.346, 1),
    ],
)
def test_figures_with_too_many_digits_are_rounded_and_counted(tmp_path: Path, exact: str, kept: float, rounded: int) -> None:
    cells, count = written(tmp_path, row("a", "1", "IDR", cu_hours=exact))
    assert (cells[0][4].value, count) == (kept, rounded)


def test_a_table_too_large_for_a_sheet_is_refused(tmp_path: Path) -> None:
    table = pa.table({"owner": pa.nulls(MAX_ROWS, pa.string())})
    with pytest.raises(TooManyRowsError, match=r"1,048,576 rows .* holds at most 1,048,575\. Use --format csv"):
        write_workbook({"chargeback_daily": table}, tmp_path / "book.xlsx")
    assert list(tmp_path.iterdir()) == []
