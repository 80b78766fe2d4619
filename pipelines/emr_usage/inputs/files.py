"""Reads a CSV file as records of text, or says why it cannot be read."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from .problems import Problem, quoted

SAVE_AS: Final = "save it as CSV UTF-8 (in Excel: Save As, CSV UTF-8; in LibreOffice: Text CSV, character set UTF-8)"
WORKBOOK: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
# Longer marks first: the one of UTF-32 begins like the one of UTF-16.
_MARKS: Final = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
# Two ASCII characters of UTF-16 without a mark, as a comment or a header begins with.
_UNMARKED_UTF_16: Final = re.compile(rb"([\x01-\x7f]\x00){2}|(\x00[\x01-\x7f]){2}")


@dataclass(frozen=True)
class Record:
    """One row of a file.

    Attributes:
        row: its line, from 1.
        cells: its trimmed values by column; none where the row cannot be read.
    """

    row: int
    cells: dict[str, str]


@dataclass(frozen=True)
class _Line:
    row: int
    cells: list[str]


def read_records(name: str, content: bytes, columns: Sequence[str]) -> tuple[list[Record], list[Problem]]:
    """Return the rows of a file, and the problems of its format.

    Args:
        name: of the file, for messages.
        content: of the file.
        columns: that it must have, in any order, and no others.
    """
    if (problem := _encoding_problem(name, content)) is not None:
        return [], [problem]
    names: list[str] = []
    records: list[Record] = []
    problems: list[Problem] = []
    for line in _lines(name, content.decode("utf-8-sig")):
        if isinstance(line, Problem):
            problems.append(line)
            records.append(Record(line.row, {}))
        elif not names:
            names = line.cells
            if problems := list(_header_problems(name, line, columns)):
                return [], problems
        elif (problem := _row_problem(name, line, len(names))) is not None:
            problems.append(problem)
            records.append(Record(line.row, {}))
        else:
            records.append(Record(line.row, dict(zip(names, line.cells, strict=True))))
    if not names and not problems:
        problems.append(Problem(name, 0, "", f"it has no header: {','.join(columns)}", "add the header above the rows"))
    return records, problems


def _encoding_problem(name: str, content: bytes) -> Problem | None:
    if content.startswith(WORKBOOK):
        return Problem(name, 0, "", "it is a workbook, not a CSV file", SAVE_AS)
    marked = next((encoding for mark, encoding in _MARKS.items() if content.startswith(mark)), None)
    if encoding := marked or ("UTF-16" if _UNMARKED_UTF_16.match(content) else None):
        return Problem(name, 0, "", f"it is {encoding}, not UTF-8", SAVE_AS)
    if (place := content.find(b"\0")) >= 0:
        count = content.count(b"\0")
        what = (
            "it contains a NUL byte (a character of code 0)" if count == 1 else f"it contains {count:,} NUL bytes, the first here"
        )
        return Problem(
            name, _row_at(content, place), "", what, "the file is damaged or not a text file: restore it, or remove them"
        )
    try:
        content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return Problem(name, _row_at(content, error.start), "", "it is not UTF-8 (perhaps GBK or Latin-1)", SAVE_AS)
    return None


def _row_at(content: bytes, place: int) -> int:
    return len(content[: place + 1].splitlines())


def _lines(name: str, text: str) -> Iterator[_Line | Problem]:
    """Yield each row that has a value; at the first text that is not CSV, the problem, and no more.

    Comments become empty lines first, so that a quote in one opens nothing and the lines keep their numbers.
    """
    reader = csv.reader(("" if line.startswith("#") else line for line in io.StringIO(text, newline="")), strict=True)
    while True:
        row = reader.line_num + 1
        try:
            cells = [cell.strip() for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error as error:
            advice = "quote the whole value or nothing, and double the quotes inside"
            yield Problem(name, row, "", f"it cannot be read as CSV from here on ({error})", advice)
            return
        if any(cells):
            yield _Line(row, cells)


def _header_problems(name: str, header: _Line, columns: Sequence[str]) -> Iterator[Problem]:
    row, names = header.row, header.cells
    for separator, spoken in ((";", "semicolons"), ("\t", "tabs")):
        if len(names) == 1 and separator in names[0]:
            advice = "save it with commas (in LibreOffice: field delimiter; in Excel: the list separator of the system's region)"
            yield Problem(name, row, "", f"its values are separated by {spoken}", advice)
            return
    for column in columns:
        if column not in names:
            advice = "add it to the header, and a value, which may be empty, to each row"
            yield Problem(name, row, column, "the column is missing", advice)
    for position, given in enumerate(names):
        if given in names[:position] and given:
            yield Problem(name, row, given, "the column appears twice", "remove one of them")
        elif given not in columns:
            what = f"unknown column: {quoted(given)}" if given else f"column {position + 1} has no name"
            yield Problem(name, row, "", what, f"remove or correct it; the columns are {', '.join(columns)}")


def _row_problem(name: str, line: _Line, width: int) -> Problem | None:
    row, cells = line.row, line.cells
    if cells[0].startswith("#"):
        return Problem(
            name, row, "", "the first value begins with #", "start a comment at the beginning of the line, or remove the #"
        )
    if any("\n" in cell or "\r" in cell for cell in cells):
        return Problem(name, row, "", "a value contains a line break", "close its quotes on the same line")
    if len(cells) != width:
        what = f"it has {len(cells)} values for {width} columns"
        return Problem(name, row, "", what, "put one comma between columns, and quote values that contain a comma")
    return None
