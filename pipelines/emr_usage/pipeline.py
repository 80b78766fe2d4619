"""Opens the dlt pipeline of a target, for writing or for reading."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import dlt
import dlt.hub

from .destinations.place import Place
from .private_files import private_files
from .target import Target
from .working_folder import open_in

PIPELINE: Final = "emr_usage"
RAW_DATASET: Final = "emr_raw"
# What the names of backfills' own pipelines begin with.
BACKFILLS: Final = f"{PIPELINE}_backfill_"

# dlt.hub keeps the exception of its failed import, and with it our frames, whose objects DuckDB reports as leaked at exit.
if isinstance(_failed_import := getattr(dlt.hub, "__exception__", None), ImportError):
    _failed_import.__traceback__ = None


def open_pipeline(target: Target) -> dlt.Pipeline:
    """Return the pipeline of a target for a command that writes; each target has its own working files.

    They are beside the DuckDB file; for other destinations they are in the current folder. `DLT_DATA_DIR` puts them all in one
    place, in a folder for each target.
    """
    place = target.place
    destination = place.to_write()

    def open_with(files: Path) -> dlt.Pipeline:
        return dlt.pipeline(PIPELINE, destination=destination, dataset_name=RAW_DATASET, pipelines_dir=str(files))

    # dlt creates folders here.
    with private_files():
        return open_in(working_folder(place), open_with, place.lock, kept=f"{BACKFILLS}*")


def working_folder(place: Place) -> Path:
    """Return the folder of a target's working files."""
    data_dir = os.environ.get("DLT_DATA_DIR")
    return Path(data_dir, "pipelines", place.unique_name()) if data_dir else place.working_folder()


@contextmanager
def open_reader(target: Target) -> Iterator[dlt.Pipeline]:
    """Yield a pipeline that only reads a target, with temporary working files: those of the load may belong to another user.

    `sync_destination` restores dlt's state from the destination.
    """
    with TemporaryDirectory(prefix="emr-usage-") as folder:
        pipeline = dlt.pipeline(PIPELINE, destination=target.place.to_read(), dataset_name=RAW_DATASET, pipelines_dir=folder)
        if target.is_lake:
            # The schema has the format of the tables.
            pipeline.sync_destination()
        yield pipeline
