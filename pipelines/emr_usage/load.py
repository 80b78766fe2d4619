"""Runs the source into a destination, package by package, and says how it went."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import dlt
from dlt.common.destination import Destination
from dlt.common.runtime import signals
from dlt.extract import DltSource

from emr_serverless import Backfill, CheckSettingsError, EmrServerlessError, Load, Report, emr_serverless, prepare

from .failures import BusyError
from .private_files import make_private_folder, private_files

PIPELINE: Final = "emr_usage"
RAW_DATASET: Final = "emr_raw"
# What our command sets unless the user has: the first is a promise of the README, the next two keep no second copy of the data.
DLT_DEFAULTS: Final = {
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    "LOAD__DELETE_COMPLETED_JOBS": "true",
    "LOAD__TRUNCATE_STAGING_DATASET": "true",
    # DuckDB takes what it is given, which by itself is most of the machine; a package is small enough for this.
    "DESTINATION__DUCKDB__CREDENTIALS__GLOBAL_CONFIG": '{"memory_limit": "320MB"}',
    # At ERROR dlt prints the traceback of every attempt at a job; the last one is in the exception.
    "RUNTIME__LOG_LEVEL": "CRITICAL",
}


@dataclass(frozen=True)
class Target:
    """Where the tables go.

    Attributes:
        destination: a dlt destination's name, or `duckdb`.
        database: the DuckDB file; other destinations ignore it.
    """

    destination: str = "duckdb"
    database: Path = Path("emr.duckdb")

    @property
    def is_duckdb(self) -> bool:
        """Whether the tables go into a local file."""
        return self.destination == "duckdb"

    def __str__(self) -> str:
        return str(self.database) if self.is_duckdb else self.destination


@dataclass(frozen=True)
class Request:
    """What to load: options that override settings, and the kind of load.

    Attributes:
        clock: the real time, UTC.
        as_of: the horizon, or None for a minute before now.
        backfill: a range to read once more, or None for what is new.
        overrides: arguments of the source that replace its configured settings.
    """

    clock: Callable[[], datetime]
    as_of: datetime | None = None
    backfill: Backfill | None = None
    overrides: dict[str, Any] = field(default_factory=dict)


def set_dlt_defaults() -> None:
    """Set what our command wants of dlt, unless the environment says otherwise."""
    for name, value in DLT_DEFAULTS.items():
        os.environ.setdefault(name, value)


def open_pipeline(target: Target) -> dlt.Pipeline:
    """Return the pipeline of a target; its working files are the target's own.

    They stand beside a DuckDB file. For other destinations the folder is named by a fingerprint of the database, so that two
    of them never share cursors. `DLT_DATA_DIR` puts them all in one place, each in a folder of its own.
    """
    if target.is_duckdb:
        # Merges side by side add up their memory: 820 MB instead of 520 MB for 100,000 runs. A relative path dlt would resolve
        # by the folder in which the working files were made, not by the present one.
        database = str(target.database.absolute())
        destination: Destination[Any, Any] | None = dlt.destinations.duckdb(database, max_parallel_load_jobs=1)
        beside = target.database.with_name(f"{target.database.name}.dlt").absolute()
        # Databases in several folders may have one name.
        name = f"{beside.stem}-{hashlib.sha256(str(beside).encode()).hexdigest()[:8]}.dlt"
    else:
        destination = Destination.from_reference(target.destination)
        name = f"emr_usage-{target.destination}-{_fingerprint(target.destination)[:8]}.dlt"
        beside = Path(name).absolute()
    if destination is None:
        raise CheckSettingsError("No destination is given", advice="Give one of dlt's to --destination, or leave it out.")
    data_dir = os.environ.get("DLT_DATA_DIR")
    folder = Path(data_dir, "pipelines", name) if data_dir else beside
    # dlt makes folders of its own here.
    with private_files():
        return dlt.pipeline(PIPELINE, destination=destination, dataset_name=RAW_DATASET, pipelines_dir=str(folder))


def _fingerprint(destination: str) -> str:
    with TemporaryDirectory() as folder:
        probe = dlt.pipeline(PIPELINE, destination=destination, dataset_name=RAW_DATASET, pipelines_dir=folder)
        configuration = probe.destination_client().config
    # dlt's own fingerprint is that of the host, or the account.
    place = [getattr(configuration.credentials, name, None) for name in ("port", "database")]
    return hashlib.sha256(repr([configuration.fingerprint(), *place]).encode()).hexdigest()


@contextlib.contextmanager
def exclusive(pipeline: dlt.Pipeline) -> Iterator[None]:
    """Hold a pipeline's working files for one process; whatever it makes meanwhile only its owner may read.

    Raises:
        BusyError: another load holds them.
    """
    folder = Path(pipeline.pipelines_dir)
    make_private_folder(folder)
    with private_files(), (folder / f"{PIPELINE}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise BusyError(f"Another emr-usage is loading with the working files in {folder}") from None
        yield


@contextlib.contextmanager
def loading(pipeline: dlt.Pipeline) -> Iterator[None]:
    """Hold a pipeline for one load and make it ready.

    Raises:
        BusyError: another load holds it.
    """
    with exclusive(pipeline):
        prepare(pipeline)
        signals.exit_event.clear()
        yield


def run_whole(pipeline: dlt.Pipeline, source: DltSource) -> None:
    """Run a source, and end where the user said so.

    Raises:
        KeyboardInterrupt: on Ctrl-C, also where dlt would go on: it holds it back until its running jobs are done, and forgets
            it when they were the last of a package.
    """
    pipeline.run(source)
    if signals.exit_event.is_set():
        raise KeyboardInterrupt


def run_load(pipeline: dlt.Pipeline, request: Request, on_progress: Callable[[Load], None]) -> Load:
    """Load until nothing is left, and return the finished load with its report.

    Packages that an earlier, killed load left behind are finished first: dlt does that at the first run and then extracts
    nothing, which the loop takes for just another package.

    Raises:
        EmrServerlessError: wrapped in dlt's own exceptions; see failures.py.
        KeyboardInterrupt: on Ctrl-C, also where dlt would go on.
    """
    load: Load

    def tell(_: Report) -> None:
        on_progress(load)

    load = Load(request.clock, as_of=request.as_of, backfill=request.backfill, on_progress=tell)
    with load, loading(pipeline):
        while load.unfinished:
            run_whole(pipeline, emr_serverless(load, **request.overrides))
    return load


def failure_of_all(load: Load) -> EmrServerlessError | None:
    """Return why nothing at all could be read, if that is so."""
    failed = [outcome.error for outcome in load.report.incomplete if outcome.error]
    return failed[0] if failed and not load.report.windows["complete"] else None
