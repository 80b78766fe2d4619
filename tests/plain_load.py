"""Loads with the source as a user of dlt would, without the command."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import dlt

from emr_serverless import Backfill, Load, emr_serverless
from emr_serverless import run as run_source
from emr_usage.emulator import DEFAULT_KEY, Emulator


def run(
    emulator: Emulator,
    folder: Path,
    as_of: datetime | None = None,
    clock: Callable[[], datetime] | None = None,
    backfill: Backfill | None = None,
    **settings: Any,
) -> Load:
    """Load into a folder's database, and return the finished load."""
    pipeline = dlt.pipeline(
        "test_load",
        destination=dlt.destinations.duckdb(str(folder / "emr.duckdb")),
        dataset_name="emr_raw",
        pipelines_dir=str(folder / "pipelines"),
    )
    settings |= {"credentials": {"access_key_id": DEFAULT_KEY.id, "access_key_secret": DEFAULT_KEY.secret}}
    settings |= {"region_ids": ["cn-hangzhou"], "endpoint": emulator.url, "initial_days": settings.get("initial_days", 3)}
    settings |= {"as_of": as_of or emulator.clock.now(), "backfill": backfill, **({"clock": clock} if clock else {})}
    return run_source(pipeline, emr_serverless(**settings))
