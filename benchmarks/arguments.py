"""The command-line arguments of every contender."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Arguments:
    """What to load from where into which file.

    Attributes:
        endpoint: the page server's address.
        database: the DuckDB file, new or from the night before.
        as_of_ms: the horizon, epoch milliseconds.
        days: how far before it a first load begins.
        connections: requests in flight; None leaves the contender's own default.
        variant: which configuration of a rival.
    """

    endpoint: str
    database: Path
    as_of_ms: int
    days: float
    connections: int | None
    variant: str


def parse_arguments() -> Arguments:
    """Return this process's arguments."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--database", type=Path, required=True)
    parser.add_argument("--as-of-ms", type=int, required=True)
    parser.add_argument("--days", type=float, required=True)
    parser.add_argument("--connections", type=int)
    parser.add_argument("--variant", default="")
    return Arguments(**vars(parser.parse_args()))
