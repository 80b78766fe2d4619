"""The questions of the documents: each with its SQL, and below it the answer on the demo's data, made by `make docs`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from html import escape
from pathlib import Path
from typing import Any, Final

import duckdb

_HEADING: Final = re.compile(r"^### (.+)$", re.MULTILINE)
_SQL_AND_ANSWER: Final = re.compile(r"```sql\n(?P<sql>(?s:.*?))\n```\n(?:\n(?P<answer>(?:\|.*\n)+))?")


@dataclass(frozen=True)
class Question:
    """One question of a document.

    Attributes:
        heading: The question itself.
        sql: Empty where the document has none.
        answer: The Markdown table below it; empty where the document has none.
    """

    heading: str
    sql: str
    answer: str


def questions_of(document: str) -> Iterator[Question]:
    """Yield the questions of a document: its headings of the third level."""
    _, *parts = _HEADING.split(document)
    for heading, part in zip(parts[::2], parts[1::2], strict=True):
        found = _SQL_AND_ANSWER.search(part)
        yield Question(heading, found["sql"] if found else "", (found["answer"] or "") if found else "")


def answer(database: Path, sql: str) -> str:
    """Return the answer of a DuckDB file as a Markdown table."""
    with duckdb.connect(str(database), read_only=True) as connection:
        result = connection.execute("SET TimeZone = 'UTC'").execute(sql)
        names = [column[0] for column in result.description or []]
        rows = [names, *([_plain(value) for value in row] for row in result.fetchall())]
    head, *body = (f"| {' | '.join(row)} |\n" for row in rows)
    return "".join([head, "|" + "---|" * len(names) + "\n", *body])


def with_answers(document: str, database: Path) -> str:
    """Return a document with each answer made anew from a DuckDB file."""
    return _SQL_AND_ANSWER.sub(lambda found: f"```sql\n{found['sql']}\n```\n\n{answer(database, found['sql'])}", document)


def _plain(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case Decimal():
            return f"{value:f}"
        case datetime():
            return value.astimezone(UTC).isoformat(sep=" ", timespec="milliseconds").removesuffix("+00:00")
        case _:
            return escape(str(value), quote=False).replace("|", "\\|").replace("\n", " ")
