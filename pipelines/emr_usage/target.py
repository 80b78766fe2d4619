"""Where the tables go."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from .destinations import LAKE, place_of
from .destinations.place import Place
from .lock import NO_WAIT, Wait


@dataclass(frozen=True)
class Target:
    """Where the tables go.

    Attributes:
        destination: a dlt destination's name, or `duckdb`.
        database: the DuckDB file. That of the marts where the tables are in a lake; other destinations ignore it.
        wait: for another process that uses it.
    """

    destination: str = "duckdb"
    database: Path = Path("emr.duckdb")
    wait: Wait = NO_WAIT

    @property
    def place(self) -> Place:
        """Where the destination is, and how it is opened."""
        return place_of(self.destination, self.database)

    @property
    def is_lake(self) -> bool:
        """Whether the tables are files to which every load appends."""
        return self.destination == LAKE

    @property
    def marts(self) -> Target:
        """Where the marts go: beside the tables, or into the DuckDB file where the tables are in a lake."""
        return replace(self, destination="duckdb") if self.is_lake else self

    def __str__(self) -> str:
        return str(self.place)
