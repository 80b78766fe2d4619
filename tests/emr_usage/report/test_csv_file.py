"""CSV files run no formula in a spreadsheet and lose no digit or character."""

from __future__ import annotations

import codecs
import csv
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from emr_usage.report.csv_file import without_formula, write_csv

TYPES = pa.schema([("owner", pa.string()), ("amount", pa.decimal128(38, 6)), ("runs", pa.int64())])


@pytest.mark.parametrize(
    ("text", "written"),
    [
        *((f"{sign}1+1", f"'{sign}1+1") for sign in "=+-@\uff1d\uff0b\uff0d\uff20"),
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        (" =1", "' =1"),
        ("\u3000=1", "'\u3000=1"),
        ("\ufeff=1", "'\ufeff=1"),
        ("\tx", "'\tx"),
        ("\rx", "'\rx"),
        # Where a semicolon, a tab or a new line ends a cell, another begins behind it.
        ("a;=1", "a;'=1"),
        ("a; @SUM(A1)", "a;' @SUM(A1)"),
        ("a\n=1", "a\n'=1"),
        ("a\t-1", "a\t'-1"),
    ],
)
def test_text_that_would_be_a_formula_is_escaped(text: str, written: str) -> None:
    assert without_formula(text) == written


@pytest.mark.parametrize("text", ["growth/ads", "a=b", "a-b+c@d", "1-2", "增长/广告", "", "a; b", "'quoted'", "w-1234abcd"])
def test_text_that_is_not_a_formula_is_kept(text: str) -> None:
    assert without_formula(text) == text


def test_numbers_are_unchanged_and_the_file_has_a_byte_order_mark(tmp_path: Path) -> None:
    amounts = [Decimal("-1234567890123456789012345678.123456"), Decimal("0.000001"), Decimal(0), None]
    rows = [
        {"owner": owner, "amount": amount, "runs": -3}
        for owner, amount in zip(("增长", "=1", 'a,"b"', None), amounts, strict=True)
    ]
    path = tmp_path / "table.csv"
    write_csv(pa.Table.from_pylist(rows, schema=TYPES), path)
    assert path.read_bytes().startswith(codecs.BOM_UTF8)
    with path.open(encoding="utf-8-sig", newline="") as file:
        assert list(csv.reader(file)) == [
            ["owner", "amount", "runs"],
            ["增长", "-1234567890123456789012345678.123456", "-3"],
            ["'=1", "0.000001", "-3"],
            ['a,"b"', "0.000000", "-3"],
            ["", "", "-3"],
        ]
