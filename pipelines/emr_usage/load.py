"""Runs the source into a destination, package by package, and says how it went."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import dlt
import duckdb
from dlt.common.destination import Destination
from dlt.common.runtime import signals
from dlt.destinations.impl.duckdb.configuration import DuckDbClientConfiguration
from dlt.extract import DltSource

from emr_serverless import (
    Backfill,
    CheckSettingsError,
    EmrServerlessError,
    Load,
    MissingWorkspaceError,
    emr_serverless,
    run,
)

from .lock import NO_WAIT, Wait, exclusive, heal_lock, wait_for
from .private_files import private_files
from .working_folder import open_in

PIPELINE: Final = "emr_usage"
RAW_DATASET: Final = "emr_raw"


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
        forget_workspaces: workspaces that are gone and no longer missed.
        overrides: arguments of the source that replace its configured settings.
        wait: for another process that uses the destination.
    """

    clock: Callable[[], datetime]
    as_of: datetime | None = None
    backfill: Backfill | None = None
    forget_workspaces: tuple[str, ...] = ()
    overrides: dict[str, Any] = field(default_factory=dict)
    wait: Wait = NO_WAIT


def open_pipeline(target: Target) -> dlt.Pipeline:
    """Return the pipeline of a target; its working files are the target's own.

    They stand beside a DuckDB file, also where its path is a link to it. For other destinations the folder is named by a
    fingerprint of the database, so that two of them never share cursors. `DLT_DATA_DIR` puts them all in one place, each in a
    folder of its own.
    """
    database: Path | None = None
    if target.is_duckdb:
        # Merges side by side add up their memory: 820 MB instead of 520 MB for 100,000 runs. A relative path dlt would resolve
        # by the folder in which the working files were made, not by the present one. DuckDB keeps its log beside the path that
        # it was given: by another path to the same file it would miss what a killed process has committed.
        database = Path(os.path.realpath(target.database))
        destination: Destination[Any, Any] | None = dlt.destinations.duckdb(str(database), max_parallel_load_jobs=1)
        beside = database.with_name(f"{database.name}.dlt")
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

    def open_with(files: Path) -> dlt.Pipeline:
        return dlt.pipeline(PIPELINE, destination=destination, dataset_name=RAW_DATASET, pipelines_dir=str(files))

    # dlt makes folders of its own here.
    with private_files():
        return open_in(folder, open_with, heal_lock(database))


def _fingerprint(destination: str) -> str:
    with TemporaryDirectory() as folder:
        probe = dlt.pipeline(PIPELINE, destination=destination, dataset_name=RAW_DATASET, pipelines_dir=folder)
        configuration = probe.destination_client().config
    # dlt's own fingerprint is that of the host, or the account.
    place = [getattr(configuration.credentials, name, None) for name in ("port", "database")]
    return hashlib.sha256(repr([configuration.fingerprint(), *place]).encode()).hexdigest()


@contextlib.contextmanager
def loading(pipeline: dlt.Pipeline, wait: Wait = NO_WAIT) -> Iterator[None]:
    """Hold a pipeline for one load and make it ready.

    Raises:
        BusyError: another process holds it; see `exclusive`.
    """
    with exclusive(pipeline, wait), _leaving_no_empty_database(pipeline):
        signals.exit_event.clear()
        yield


@contextlib.contextmanager
def _leaving_no_empty_database(pipeline: dlt.Pipeline) -> Iterator[None]:
    """Remove the DuckDB file that a load has made and then put nothing into, because it failed."""
    configuration = pipeline.destination_client().config
    if (
        not isinstance(configuration, DuckDbClientConfiguration)
        or (database := Path(configuration.credentials.database)).exists()
    ):
        yield
        return
    try:
        yield
    except BaseException:
        # A file that cannot be opened is not ours to judge: the failure under way says more.
        with contextlib.suppress(duckdb.Error, OSError):
            with duckdb.connect(str(database), read_only=True) as connection:
                is_empty = connection.execute("SELECT 1 FROM duckdb_tables() LIMIT 1").fetchone() is None
            if is_empty:
                for path in (database, database.with_name(f"{database.name}.wal")):
                    path.unlink(missing_ok=True)
        raise


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
    """Load until nothing is left, and return the finished load with its stats.

    Raises:
        EmrServerlessError: wrapped in dlt's own exceptions; see failures.py.
        KeyboardInterrupt: on Ctrl-C, also where dlt would go on.
    """

    def run_package(pipeline: dlt.Pipeline, source: DltSource) -> None:
        # Whoever opens a DuckDB file keeps the load out of it, at any package.
        wait_for(lambda: run_whole(pipeline, source), request.wait)

    source = emr_serverless(
        clock=request.clock,
        as_of=request.as_of,
        backfill=request.backfill,
        forget_workspaces=request.forget_workspaces,
        **request.overrides,
    )
    # Its horizon is that of its first extraction, which is after the wait.
    with loading(pipeline, request.wait):
        return run(pipeline, source, on_progress=on_progress, run_package=run_package)


def failure_of_all(load: Load) -> EmrServerlessError | None:
    """Return why nothing at all could be read, if that is so."""
    # What is not visible leaves the other workspaces as they are, also where there is no other one.
    errors = [outcome.error for outcome in load.stats.incomplete]
    failed = [error for error in errors if error and not isinstance(error, MissingWorkspaceError)]
    return failed[0] if failed and not load.stats.windows["complete"] else None
