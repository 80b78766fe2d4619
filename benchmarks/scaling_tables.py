"""What was measured of each size and database, and the tables of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from document import render_table

DESTINATIONS: Final = ("duckdb", "postgres")
NAMES: Final = {"duckdb": "DuckDB", "postgres": "PostgreSQL"}
SIZES: Final = (10_000, 100_000, 1_000_000, 5_000_000)
STAGES: Final = ("first load", "first build", "a night's load", "a night's build", "report")


@dataclass(frozen=True)
class Stage:
    """One command on one database.

    Attributes:
        destination: the kind of database.
        runs: of the history before the night.
        title: one of `STAGES`.
        seconds: from the start of the process to its end.
        memory_mb: most memory of all processes, with those of the database's server; millions of bytes.
        disk_mb: most disk while it ran: database, logs and working files; millions of bytes.
        database_mb: the database after it; millions of bytes.
        requests: sent to the API.
    """

    destination: str
    runs: int
    title: str
    seconds: float
    memory_mb: float
    disk_mb: float
    database_mb: float
    requests: int


def render_stages(stages: Sequence[Stage]) -> str:
    """Return a table each of the seconds, the memory, the disk and the requests."""
    parts = (
        ("Seconds", STAGES, lambda each: f"{each.seconds:,.1f}" if each.seconds < 100 else f"{each.seconds:,.0f}"),
        ("Most memory of all processes, MB", STAGES, lambda each: f"{each.memory_mb:,.0f}"),
        ("Most disk while it ran, MB", STAGES, lambda each: f"{each.disk_mb:,.0f}"),
        ("Database afterwards, MB", STAGES[:4], lambda each: f"{each.database_mb:,.0f}"),
        ("Requests", (STAGES[0], STAGES[2]), lambda each: f"{each.requests:,}"),
    )
    return "\n\n".join(f"**{title}**\n\n{_pivot(stages, titles, cell)}" for title, titles, cell in parts)


def _pivot(stages: Sequence[Stage], titles: Sequence[str], cell: Callable[[Stage], str]) -> str:
    by_size: dict[tuple[str, int], dict[str, Stage]] = {}
    for each in stages:
        by_size.setdefault((each.destination, each.runs), {})[each.title] = each
    lines = [
        (NAMES[destination], f"{runs:,}", *(cell(found[title]) if title in found else "-" for title in titles))
        for (destination, runs), found in by_size.items()
    ]
    return render_table(("database", "runs", *titles), lines)
