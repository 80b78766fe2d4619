"""A problem in an input file, as one line: where, what, and how to correct it."""

from __future__ import annotations

from dataclasses import dataclass

QUOTED_CHARACTERS = 40


@dataclass(frozen=True)
class Problem:
    """A problem.

    Attributes:
        file: name of the file.
        row: its line, from 1; 0 for the whole file.
        column: name of the column; empty for the whole row.
        what: what is wrong.
        advice: what to do.
    """

    file: str
    row: int
    column: str
    what: str
    advice: str

    def __str__(self) -> str:
        row = f", row {self.row}" if self.row else ""
        column = f", column {self.column}" if self.column else ""
        end = "" if self.advice.endswith("?") else "."
        return f"{self.file}{row}{column}: {self.what}; {self.advice}{end}"


def quoted(value: str) -> str:
    """Return a value for a message: shortened, with control characters escaped."""
    return repr(value if len(value) <= QUOTED_CHARACTERS else f"{value[:QUOTED_CHARACTERS]}...")
