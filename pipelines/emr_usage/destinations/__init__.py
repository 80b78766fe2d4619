"""The differences between destinations."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import dlt

from .adapter import Adapter
from .duckdb import DuckDb, DuckDbFile
from .filesystem import Filesystem, Lake, LakePlace
from .place import NamedPlace, Place
from .postgres import Postgres

LAKE: Final = "filesystem"
_ADAPTERS: Final[Mapping[str, type[Adapter]]] = {
    "dlt.destinations.duckdb": DuckDb,
    "dlt.destinations.postgres": Postgres,
    f"{Lake.__module__}.{Lake.__qualname__}": Filesystem,
}


def place_of(destination: str, database: Path) -> Place:
    """Return how to open a destination.

    Args:
        destination: its name for dlt.
        database: the DuckDB file; other destinations ignore it.
    """
    if destination == LAKE:
        return LakePlace(destination)
    return DuckDbFile(database) if destination == "duckdb" else NamedPlace(destination)


def adapter_of(pipeline: dlt.Pipeline) -> Adapter:
    """Return the adapter of a pipeline's destination. A named destination has the type that the configuration gives."""
    adapter = _ADAPTERS.get(pipeline.destination.destination_type, Adapter)
    return adapter(pipeline.destination_client().config)
