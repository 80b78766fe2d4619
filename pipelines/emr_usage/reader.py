"""Opens a destination for commands that only read: nothing beside it or in it is written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import Any

import dlt
from dlt.common.destination import Destination

from .load import PIPELINE, RAW_DATASET, Target


@contextmanager
def open_reader(target: Target) -> Iterator[dlt.Pipeline]:
    """Yield a pipeline that reads a target, whose working files are temporary: those of the loads may belong to another user.

    What dlt remembers of earlier loads comes from the destination, by `sync_destination`.
    """
    with TemporaryDirectory(prefix="emr-usage-") as folder:
        yield dlt.pipeline(PIPELINE, destination=_destination(target), dataset_name=RAW_DATASET, pipelines_dir=folder)


def _destination(target: Target) -> Destination[Any, Any] | None:
    if not target.is_duckdb:
        return Destination.from_reference(target.destination)
    return dlt.destinations.duckdb({"database": os.path.realpath(target.database), "read_only": True})
