"""Converts the records of a file to typed rows, and checks the rules within a row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from .cells import CellError, parse_cell
from .files import Record
from .problems import Problem
from .tables import file_fields, file_name


@dataclass
class Row:
    """One row, typed.

    Attributes:
        number: its line in the file, from 1.
        values: of its cells, by column; None also where a cell is invalid.
        bad: the columns with a problem: rules over several rows ignore them, to report each problem once.
    """

    number: int
    values: dict[str, Any]
    bad: set[str] = field(default_factory=set)


def read_rows(table: str, records: Sequence[Record]) -> tuple[list[Row], list[Problem]]:
    """Return the rows of a table, and the problems inside each."""
    rows: list[Row] = []
    problems: list[Problem] = []
    for record in records:
        row = Row(record.row, dict.fromkeys(column.name for column in file_fields(table)))
        if record.cells:
            problems += _fill(table, row, record)
        else:
            row.bad.update(row.values)
        rows.append(row)
    return rows, problems


def _fill(table: str, row: Row, record: Record) -> Iterator[Problem]:
    """Set the values of a row; yield their problems."""
    for column in file_fields(table):
        try:
            row.values[column.name] = parse_cell(column, record.cells[column.name])
        except CellError as error:
            row.bad.add(column.name)
            yield Problem(file_name(table), row.number, column.name, error.what, error.advice)
    first, after = row.values.get("valid_from"), row.values.get("valid_to")
    if first and after and after <= first:
        row.bad.add("valid_to")
        advice = "write the first day on which it no longer applies, or leave it empty"
        yield Problem(file_name(table), row.number, "valid_to", f"{after} is not after valid_from, {first}", advice)
    if row.values.get("tag_value") and not row.values["tag_key"] and "tag_key" not in row.bad:
        row.bad.add("tag_key")
        yield Problem(file_name(table), row.number, "tag_key", "a tag_value has no tag_key", "write the key of the tag")
