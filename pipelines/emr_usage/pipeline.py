"""Opens dlt's pipeline of a target: for commands that write, and for those that only read."""

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

# dlt.hub keeps the error of its failed import, and so our frames: at exit DuckDB reports what they hold as leaked.
if isinstance(_failed_import := getattr(dlt.hub, "__exception__", None), ImportError):
    _failed_import.__traceback__ = None


def open_pipeline(target: Target) -> dlt.Pipeline:
    """Return the pipeline of a target for a command that writes; its working files are the target's own.

    They stand beside a DuckDB file, for other destinations in the present folder. `DLT_DATA_DIR` puts them all in one place,
    each in a folder of its own.
    """
    place = target.place
    destination = place.to_write()

    def open_with(files: Path) -> dlt.Pipeline:
        return dlt.pipeline(PIPELINE, destination=destination, dataset_name=RAW_DATASET, pipelines_dir=str(files))

    # dlt makes folders of its own here.
    with private_files():
        return open_in(_working_folder(place), open_with, place.lock)


def _working_folder(place: Place) -> Path:
    data_dir = os.environ.get("DLT_DATA_DIR")
    return Path(data_dir, "pipelines", place.unique_name()) if data_dir else place.working_folder()


@contextmanager
def open_reader(target: Target) -> Iterator[dlt.Pipeline]:
    """Yield a pipeline that only reads a target, with temporary working files: those of the loads may belong to another user.

    What dlt remembers of earlier loads comes from the destination, by `sync_destination`.
    """
    with TemporaryDirectory(prefix="emr-usage-") as folder:
        yield dlt.pipeline(PIPELINE, destination=target.place.to_read(), dataset_name=RAW_DATASET, pipelines_dir=folder)
