"""Where the tables go."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .destinations import place_of
from .destinations.place import Place
from .lock import NO_WAIT, Wait


@dataclass(frozen=True)
class Target:
    """Where the tables go.

    Attributes:
        destination: a dlt destination's name, or `duckdb`.
        database: the DuckDB file; other destinations ignore it.
        wait: for another process that uses it.
    """

    destination: str = "duckdb"
    database: Path = Path("emr.duckdb")
    wait: Wait = NO_WAIT

    @property
    def place(self) -> Place:
        """Where the destination is, and how it is opened."""
        return place_of(self.destination, self.database)

    def __str__(self) -> str:
        return str(self.place)
